import { beforeEach, expect, test } from '@jest/globals';
import { EventBridge } from './event-bridge.ts';
import { createArchive, createEventBus, createEventBusPolicy, createRule } from './resources.ts';

const busArn = 'arn:aws:events:us-east-1:000000000000:event-bus/shop';
const statement = (Effect: string) => ({ Effect, Principal: '*', Action: 'events:PutEvents', Resource: busArn });
let events: EventBridge;
const call = async (operation: string, input: Record<string, unknown>) =>
  (await events.handle(operation, input)) as Record<string, unknown>;
const policy = async () => JSON.parse(String((await call('DescribeEventBus', { Name: 'shop' })).Policy));

beforeEach(() => {
  events = new EventBridge({
    accountId: '000000000000',
    region: 'us-east-1',
    deliver: async () => {},
    sendToDeadLetterQueue: async () => {},
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html
test('a bus has the policy of its properties, and the statements of policies beside it', async () => {
  const Policy = { Version: '2012-10-17', Statement: { ...statement('Deny'), Sid: 'own' } };
  await createEventBus(events, 'shop', { Name: 'shop', Description: 'd', Policy });
  const beside = { EventBusName: 'shop', StatementId: 'beside' };
  await createEventBusPolicy(events, { ...beside, Statement: statement('Allow') });
  await createEventBusPolicy(events, {
    EventBusName: 'shop',
    StatementId: 'parts',
    Action: 'events:PutEvents',
    Principal: '111111111111',
  });
  expect(await policy()).toEqual({
    Version: '2012-10-17',
    Statement: [
      { ...statement('Deny'), Sid: 'own' },
      { ...statement('Allow'), Sid: 'beside' },
      { ...statement('Allow'), Sid: 'parts', Principal: { AWS: 'arn:aws:iam::111111111111:root' } },
    ],
  });
  await createEventBusPolicy(events, { ...beside, Statement: statement('Deny') });
  expect((await policy()).Statement).toContainEqual({ ...statement('Deny'), Sid: 'beside' });
});

test('a pattern above the quota is refused, unless a template has it: the build knows the quota of its account', async () => {
  const pattern = (length: number) => `{"source":["${'x'.repeat(length - 15)}"]}`;
  expect(pattern(20)).toHaveLength(20);
  await expect(call('PutRule', { Name: 'long', EventPattern: pattern(2048) })).resolves.toBeDefined();
  await expect(call('PutRule', { Name: 'longer', EventPattern: pattern(2049) })).rejects.toMatchObject({
    code: 'LimitExceededException',
  });

  await createRule(events, 'longer', { EventPattern: JSON.parse(pattern(4096)) });
  await expect(createRule(events, 'longest', { EventPattern: pattern(4097) })).rejects.toMatchObject({
    code: 'ValidationException',
  });
});

test('a policy that cannot be evaluated is an error that names the place', async () => {
  const Policy = { Statement: { ...statement('Deny'), Condition: { StringIs: { a: 'b' } } } };
  await expect(createEventBus(events, 'shop', { Policy })).rejects.toThrow(
    'Policy.Statement[0].Condition.StringIs: the condition operator StringIs is not known here',
  );
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html
test('an archive has the properties of its resource', async () => {
  await createEventBus(events, 'shop', {});
  const properties = { SourceArn: busArn, EventPattern: { source: ['shop'] }, RetentionDays: '7', Description: 'd' };
  await createArchive(events, 'all', properties);
  expect(await call('DescribeArchive', { ArchiveName: 'all' })).toMatchObject({
    EventSourceArn: busArn,
    EventPattern: '{"source":["shop"]}',
    RetentionDays: 7,
    Description: 'd',
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
test('a rule has its pattern and targets, and a refused target is an error', async () => {
  await createEventBus(events, 'shop', {});
  const properties = { EventBusName: 'shop', EventPattern: { source: ['shop'] }, State: 'DISABLED' };
  const Targets = [{ Id: 'q', Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }];
  await createRule(events, 'placed', { ...properties, Targets });
  expect(await call('DescribeRule', { EventBusName: 'shop', Name: 'placed' })).toMatchObject({
    EventPattern: '{"source":["shop"]}',
    State: 'DISABLED',
  });
  expect(await call('ListTargetsByRule', { EventBusName: 'shop', Rule: 'placed' })).toEqual({ Targets });
  await expect(createRule(events, 'other', { ...properties, Targets: [{ Id: 'q', Arn: 'q' }] })).rejects.toThrow(
    'Provided Arn is not in correct format',
  );
});
