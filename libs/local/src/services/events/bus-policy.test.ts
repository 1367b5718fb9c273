import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Caller, compilePolicy } from '@millrace/iam-policy';
import { EventBridge } from './event-bridge.ts';

const account = '000000000000';
const busArn = `arn:aws:events:us-east-1:${account}:event-bus/shop`;
let delivered: string[] = [];
let eventBridge: EventBridge;

beforeEach(async () => {
  delivered = [];
  eventBridge = new EventBridge({
    accountId: account,
    region: 'us-east-1',
    deliver: async (_target, payload) => {
      delivered.push(JSON.parse(payload).source);
    },
    sendToDeadLetterQueue: async () => {},
  });
  await eventBridge.handle('CreateEventBus', { Name: 'shop' });
  const rule = { EventBusName: 'shop', Name: 'all', EventPattern: '{"source":[{"prefix":""}]}' };
  await eventBridge.handle('PutRule', rule);
  const Targets = [{ Id: '1', Arn: `arn:aws:sqs:us-east-1:${account}:all` }];
  await eventBridge.handle('PutTargets', { EventBusName: 'shop', Rule: 'all', Targets });
});

function caller(role: string, ...Statement: object[]): Caller {
  return {
    arn: `arn:aws:sts::${account}:assumed-role/${role}/session`,
    principalArn: `arn:aws:iam::${account}:role/${role}`,
    accountId: account,
    identityPolicies: [compilePolicy({ Version: '2012-10-17', Statement }, 'identity-based', 'Policy')],
  };
}

const allow = (Condition?: object) => ({
  Effect: 'Allow',
  Action: 'events:PutEvents',
  Resource: busArn,
  ...(Condition && { Condition }),
});
const onlyOrders = {
  Sid: 'OnlyOrders',
  Effect: 'Deny',
  Principal: '*',
  Action: 'events:PutEvents',
  Resource: busArn,
  Condition: {
    StringEquals: { 'events:source': 'shop.orders' },
    ArnNotLike: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/shop-orders-*` },
  },
};
const put = (who: Caller, ...sources: string[]) =>
  eventBridge.handle(
    'PutEvents',
    { Entries: sources.map((Source) => ({ EventBusName: 'shop', Source, DetailType: 'Placed', Detail: '{}' })) },
    who,
  );
const setPolicy = (...Statement: object[]) =>
  eventBridge.handle('PutPermission', {
    EventBusName: 'shop',
    Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
  });
const policy = async () => {
  const { Policy } = (await eventBridge.handle('DescribeEventBus', { Name: 'shop' })) as { Policy?: string };
  return Policy && JSON.parse(Policy);
};

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
describe('PutEvents of a caller', () => {
  test('each entry is decided upon by itself', async () => {
    await setPolicy(onlyOrders);
    expect(await put(caller('shop-payments-Relay', allow()), 'shop.payments', 'shop.orders')).toEqual({
      FailedEntryCount: 1,
      Entries: [
        { EventId: expect.any(String) },
        { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
      ],
    });
    expect(await put(caller('shop-orders-Relay', allow()), 'shop.orders')).toMatchObject({ FailedEntryCount: 0 });
    expect(delivered).toEqual(['shop.payments', 'shop.orders']);
  });

  test('a detail-type that is not allowed has its own code', async () => {
    const only = { StringEquals: { 'events:source': 'shop.orders', 'events:detail-type': 'Cancelled' } };
    expect(await put(caller('r', allow(only)), 'shop.orders', 'shop.payments')).toEqual({
      FailedEntryCount: 2,
      Entries: [
        { ErrorCode: 'NotAuthorizedForDetailTypeException', ErrorMessage: 'Not authorized for the detail type.' },
        { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
      ],
    });
    expect(delivered).toEqual([]);
  });

  test.each<[string, object[], object[], string]>([
    ['no permission', [], [], 'because no identity-based policy allows the events:PutEvents action'],
    [
      'a condition that has nothing to do with the event',
      [allow({ Bool: { 'aws:SecureTransport': 'false' } })],
      [],
      'because no identity-based policy allows the events:PutEvents action',
    ],
    [
      'a denial by the bus',
      [allow()],
      [{ ...onlyOrders, Condition: undefined }],
      'with an explicit deny in a resource-based policy',
    ],
  ])('%s fails the whole call', async (_what, identity, resource, reason) => {
    if (resource.length > 0) await setPolicy(...resource);
    await expect(put(caller('r', ...identity), 'shop.orders')).rejects.toMatchObject({
      code: 'AccessDeniedException',
      status: 400,
      message: `User: arn:aws:sts::${account}:assumed-role/r/session is not authorized to perform: events:PutEvents on resource: ${busArn} ${reason}`,
    });
    expect(delivered).toEqual([]);
  });

  test('a bus that is not there needs permission as well', async () => {
    const Entries = [{ EventBusName: 'nowhere', Source: 's', DetailType: 't', Detail: '{}' }];
    await expect(eventBridge.handle('PutEvents', { Entries }, caller('r', allow()))).rejects.toMatchObject({
      message: expect.stringContaining('event-bus/nowhere'),
    });
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
describe('the policy of a bus', () => {
  test('is put as a whole, shown, and removed', async () => {
    expect(await policy()).toBeUndefined();
    await setPolicy(onlyOrders);
    expect(await policy()).toEqual({ Version: '2012-10-17', Statement: [onlyOrders] });
    await eventBridge.handle('RemovePermission', { EventBusName: 'shop', RemoveAllPermissions: true });
    expect(await policy()).toBeUndefined();
  });

  test('is put and removed by statement', async () => {
    const statement = { EventBusName: 'shop', Action: 'events:PutEvents', Principal: '111111111111' };
    const Condition = { Type: 'StringEquals', Key: 'aws:PrincipalOrgID', Value: 'o-1' };
    await eventBridge.handle('PutPermission', { ...statement, StatementId: 'a' });
    await eventBridge.handle('PutPermission', { ...statement, StatementId: 'b', Principal: '*', Condition });
    const common = { Effect: 'Allow', Action: 'events:PutEvents', Resource: busArn };
    const [a, b] = [
      { Sid: 'a', Principal: { AWS: 'arn:aws:iam::111111111111:root' }, ...common },
      { Sid: 'b', Principal: '*', ...common, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } },
    ];
    expect(await policy()).toEqual({ Version: '2012-10-17', Statement: [a, b] });
    await eventBridge.handle('RemovePermission', { EventBusName: 'shop', StatementId: 'a' });
    expect(await policy()).toEqual({ Version: '2012-10-17', Statement: [b] });
    await expect(
      eventBridge.handle('RemovePermission', { EventBusName: 'shop', StatementId: 'a' }),
    ).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  test('is refused where it cannot be evaluated or is too long', async () => {
    await expect(setPolicy({ ...onlyOrders, Condition: { StringIs: { a: 'b' } } })).rejects.toMatchObject({
      code: 'ValidationException',
      message:
        'Parameter Policy is not valid. Reason: Policy.Statement[0].Condition.StringIs: the condition operator StringIs is not known here.',
    });
    await expect(setPolicy(...Array(40).fill(onlyOrders))).rejects.toMatchObject({
      code: 'PolicyLengthExceededException',
    });
    expect(await policy()).toBeUndefined();
  });
});
