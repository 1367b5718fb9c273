import { beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../core/clock.ts';
import { EventBridge } from './event-bridge.ts';

const arn = (resource: string) => `arn:aws:events:eu-west-1:123456789012:${resource}`;
const pattern = '{"source":["shop"]}';
const queue = (name: string) => `arn:aws:sqs:eu-west-1:123456789012:${name}`;

let eventBridge: EventBridge;
const call = (operation: string, input: Record<string, unknown> = {}) => eventBridge.handle(operation, input);
const refusal = (code: string, message = /./) => ({ code, message: expect.stringMatching(message) });

beforeEach(() => {
  eventBridge = new EventBridge({
    accountId: '123456789012',
    region: 'eu-west-1',
    deliver: async () => {},
    sendToDeadLetterQueue: async () => {},
    clock: new ManualClock(1_700_000_000_000),
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
describe('event buses', () => {
  test('are created, described, listed and deleted', async () => {
    const created = await call('CreateEventBus', { Name: 'shop', Description: 'Domain events' });
    expect(created).toEqual({ EventBusArn: arn('event-bus/shop'), Description: 'Domain events' });
    const shop = {
      Name: 'shop',
      Arn: arn('event-bus/shop'),
      Description: 'Domain events',
      CreationTime: 1_700_000_000,
      LastModifiedTime: 1_700_000_000,
    };
    expect(await call('DescribeEventBus', { Name: 'shop' })).toEqual(shop);
    expect(await call('DescribeEventBus', { Name: arn('event-bus/shop') })).toEqual(shop);
    expect(await call('DescribeEventBus')).toMatchObject({ Name: 'default' });
    expect(await call('ListEventBuses', { NamePrefix: 's' })).toEqual({ EventBuses: [shop] });
    await call('DeleteEventBus', { Name: 'shop' });
    expect(await call('ListEventBuses')).toMatchObject({ EventBuses: [{ Name: 'default' }] });
    await expect(call('DeleteEventBus', { Name: 'shop' })).resolves.toEqual({});
  });

  test('are refused where AWS refuses them', async () => {
    await call('CreateEventBus', { Name: 'shop' });
    await expect(call('CreateEventBus', { Name: 'shop' })).rejects.toMatchObject(
      refusal('ResourceAlreadyExistsException'),
    );
    await expect(call('CreateEventBus', { Name: 'a/b' })).rejects.toMatchObject(refusal('ValidationException'));
    await expect(call('CreateEventBus')).rejects.toMatchObject(
      refusal('ValidationException', /'name'.*must not be null/),
    );
    await expect(call('CreateEventBus', { Name: 5 })).rejects.toMatchObject(refusal('SerializationException'));
    await expect(call('DescribeEventBus', { Name: 'x' })).rejects.toMatchObject(refusal('ResourceNotFoundException'));
    await expect(call('DeleteEventBus', { Name: 'default' })).rejects.toMatchObject(refusal('ValidationException'));
    await call('PutRule', { Name: 'r', EventBusName: 'shop', EventPattern: pattern });
    await expect(call('DeleteEventBus', { Name: 'shop' })).rejects.toMatchObject(
      refusal('ValidationException', /rules/),
    );
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
describe('rules', () => {
  beforeEach(async () => {
    await call('CreateEventBus', { Name: 'shop' });
  });

  test('are put, described and deleted', async () => {
    const put = await call('PutRule', { Name: 'r', EventBusName: 'shop', EventPattern: pattern, Description: 'd' });
    expect(put).toEqual({ RuleArn: arn('rule/shop/r') });
    expect(await call('DescribeRule', { Name: 'r', EventBusName: arn('event-bus/shop') })).toEqual({
      Name: 'r',
      Arn: arn('rule/shop/r'),
      EventBusName: 'shop',
      EventPattern: pattern,
      State: 'ENABLED',
      Description: 'd',
    });
    await call('DisableRule', { Name: 'r', EventBusName: 'shop' });
    expect(await call('DescribeRule', { Name: 'r', EventBusName: 'shop' })).toMatchObject({ State: 'DISABLED' });
    await call('DeleteRule', { Name: 'r', EventBusName: 'shop' });
    await expect(call('DescribeRule', { Name: 'r', EventBusName: 'shop' })).rejects.toMatchObject(
      refusal('ResourceNotFoundException', /^Rule r does not exist on EventBus shop\.$/),
    );
  });

  test('on the default bus have no bus in their ARN', async () => {
    expect(await call('PutRule', { Name: 'r', EventPattern: pattern })).toEqual({ RuleArn: arn('rule/r') });
  });

  test('put again keep their targets', async () => {
    await call('PutRule', { Name: 'r', EventPattern: pattern, State: 'DISABLED' });
    await call('PutTargets', { Rule: 'r', Targets: [{ Id: '1', Arn: queue('q') }] });
    await call('PutRule', { Name: 'r', EventPattern: '{"source":["other"]}' });
    expect(await call('DescribeRule', { Name: 'r' })).toMatchObject({
      EventPattern: '{"source":["other"]}',
      State: 'ENABLED',
    });
    expect(await call('ListTargetsByRule', { Rule: 'r' })).toMatchObject({ Targets: [{ Id: '1' }] });
  });

  test('are at most 300 on a bus', async () => {
    for (let index = 0; index < 300; index += 1) await call('PutRule', { Name: `r${index}`, EventPattern: pattern });
    await expect(call('PutRule', { Name: 'more', EventPattern: pattern })).rejects.toMatchObject(
      refusal('LimitExceededException'),
    );
    await expect(call('PutRule', { Name: 'r0', EventPattern: pattern })).resolves.toBeDefined();
    await expect(call('PutRule', { Name: 'r', EventBusName: 'shop', EventPattern: pattern })).resolves.toBeDefined();
  });

  test.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      'an invalid pattern',
      { EventPattern: '{"a":"x"}' },
      'InvalidEventPatternException',
      /^Event pattern is not valid\. /,
    ],
    ['no pattern', {}, 'ValidationException', /EventPattern or ScheduleExpression must be specified/],
    ['too long a pattern', { EventPattern: `{"a":["${'x'.repeat(4096)}"]}` }, 'ValidationException', /4096/],
    [
      'a bus that is not there',
      { EventPattern: pattern, EventBusName: 'x' },
      'ResourceNotFoundException',
      /bus x does not/,
    ],
    ['an unknown state', { EventPattern: pattern, State: 'ON' }, 'ValidationException', /State is not valid/],
    ['a bad name', { EventPattern: pattern, Name: 'a b' }, 'ValidationException', /regular expression/],
    ['a long name', { EventPattern: pattern, Name: 'a'.repeat(65) }, 'ValidationException', /less than or equal to 64/],
    [
      'a schedule on another bus',
      { ScheduleExpression: 'rate(1 day)', EventBusName: 'shop' },
      'ValidationException',
      /default/,
    ],
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    [
      'a rate whose unit does not agree',
      { ScheduleExpression: 'rate(1 minutes)' },
      'ValidationException',
      /^Parameter ScheduleExpression is not valid\.$/,
    ],
  ])('with %s are refused', async (_what, input, code, message) => {
    await expect(call('PutRule', { Name: 'r', ...input })).rejects.toMatchObject(refusal(code, message));
  });

  test('are listed by prefix, page by page, in the order of their names', async () => {
    for (const name of ['b-1', 'b-3', 'a-1', 'b-2']) {
      await call('PutRule', { Name: name, EventBusName: 'shop', EventPattern: pattern });
    }
    const query = { EventBusName: 'shop', NamePrefix: 'b', Limit: 2 };
    const first = (await call('ListRules', query)) as { NextToken: string };
    expect(first).toEqual({
      Rules: [expect.objectContaining({ Name: 'b-1' }), expect.objectContaining({ Name: 'b-2' })],
      NextToken: expect.any(String),
    });
    expect(await call('ListRules', { ...query, NextToken: first.NextToken })).toEqual({
      Rules: [expect.objectContaining({ Name: 'b-3' })],
    });
    expect(await call('ListRules', { ...query, Limit: 3 })).not.toHaveProperty('NextToken');
    await expect(call('ListRules', { ...query, NextToken: 'x' })).rejects.toMatchObject(refusal('ValidationException'));
    await expect(call('ListRules', { ...query, Limit: 101 })).rejects.toMatchObject(
      refusal('ValidationException', /100/),
    );
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
describe('targets', () => {
  beforeEach(async () => {
    await call('PutRule', { Name: 'r', EventPattern: pattern });
  });

  test('are put, replaced by id, listed as they came, and removed', async () => {
    const target = {
      Id: '2',
      Arn: queue('b'),
      RetryPolicy: { MaximumRetryAttempts: 1 },
      RoleArn: 'arn:aws:iam::1:role/x',
    };
    const put = await call('PutTargets', {
      Rule: 'r',
      Targets: [
        { Id: '2', Arn: queue('z') },
        { Id: '1', Arn: queue('a') },
      ],
    });
    expect(put).toEqual({ FailedEntryCount: 0, FailedEntries: [] });
    await call('PutTargets', { Rule: 'r', Targets: [target] });
    expect(await call('ListTargetsByRule', { Rule: 'r' })).toEqual({ Targets: [{ Id: '1', Arn: queue('a') }, target] });
    expect(await call('ListTargetsByRule', { Rule: 'r', Limit: 1 })).toMatchObject({ NextToken: expect.any(String) });
    expect(await call('RemoveTargets', { Rule: 'r', Ids: ['2', '3'] })).toEqual({
      FailedEntryCount: 1,
      FailedEntries: [{ TargetId: '3', ErrorCode: 'ResourceNotFoundException', ErrorMessage: expect.any(String) }],
    });
    expect(await call('ListTargetsByRule', { Rule: 'r' })).toMatchObject({ Targets: [{ Id: '1' }] });
  });

  test('keep a rule from being deleted', async () => {
    await call('PutTargets', { Rule: 'r', Targets: [{ Id: '1', Arn: queue('a') }] });
    await expect(call('DeleteRule', { Name: 'r' })).rejects.toMatchObject(
      refusal('ValidationException', /has targets/),
    );
    await call('RemoveTargets', { Rule: 'r', Ids: ['1'] });
    await expect(call('DeleteRule', { Name: 'r' })).resolves.toEqual({});
  });

  test('are at most five', async () => {
    const targets = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => ({ Id: `${from + index}`, Arn: queue('q') }));
    await call('PutTargets', { Rule: 'r', Targets: targets(1, 4) });
    await expect(call('PutTargets', { Rule: 'r', Targets: targets(4, 6) })).rejects.toMatchObject(
      refusal('LimitExceededException'),
    );
    await expect(call('PutTargets', { Rule: 'r', Targets: targets(1, 5) })).resolves.toBeDefined();
  });

  test('lead back to their rules', async () => {
    await call('PutRule', { Name: 's', EventPattern: pattern });
    for (const Rule of ['r', 's']) await call('PutTargets', { Rule, Targets: [{ Id: '1', Arn: queue('a') }] });
    expect(await call('ListRuleNamesByTarget', { TargetArn: queue('a') })).toEqual({ RuleNames: ['r', 's'] });
    expect(await call('ListRuleNamesByTarget', { TargetArn: queue('b') })).toEqual({ RuleNames: [] });
  });

  test('need a rule', async () => {
    const answer = call('PutTargets', { Rule: 'x', Targets: [{ Id: '1', Arn: queue('a') }] });
    await expect(answer).rejects.toMatchObject(refusal('ResourceNotFoundException', /^Rule x does not exist/));
  });
});
