import { beforeEach, describe, expect, test } from '@jest/globals';
import { eventsCloud } from '../../../fixtures/events-cloud.ts';

const account = '000000000000';
const arn = (resource: string) => `arn:aws:events:us-east-1:${account}:${resource}`;
const bus = (name: string) => arn(`event-bus/${name}`);
const queue = (name: string) => `arn:aws:sqs:us-east-1:${account}:${name}`;

let cloud: Awaited<ReturnType<typeof eventsCloud>>;

/** A role that EventBridge, or another service, may assume, and what it may do. */
const role = (name: string, Statement: Record<string, string>, Service = 'events.amazonaws.com') => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: name,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' },
    },
    Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: [Statement] } }],
  },
});
const roleArn = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const mayPut = { Effect: 'Allow', Action: 'events:PutEvents', Resource: bus('central') };

beforeEach(async () => {
  cloud = await eventsCloud({
    Forwarder: role('forwarder', mayPut),
    Powerless: role('powerless', { ...mayPut, Resource: bus('other') }),
    Foreign: role('foreign', mayPut, 'lambda.amazonaws.com'),
  });
  for (const Name of ['orders', 'central', 'third']) await cloud.call('CreateEventBus', { Name });
});

async function rule(busName: string, targetArn: string, target: object = {}, EventPattern = '{"version":["0"]}') {
  const Name = `${busName}-${targetArn.split(/[:/]/).at(-1)}`;
  await cloud.call('PutRule', { Name, EventBusName: busName, EventPattern });
  const Targets = [{ Id: 't', Arn: targetArn, DeadLetterConfig: { Arn: queue('dead') }, ...target }];
  return cloud.call('PutTargets', { EventBusName: busName, Rule: Name, Targets });
}

const put = (EventBusName: string, Source = 'shop.orders') =>
  cloud.call('PutEvents', {
    Entries: [{ EventBusName, Source, DetailType: 'OrderPlaced', Detail: '{"total": 1.50}' }],
  });

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
describe('a rule whose target is another bus', () => {
  test('sends the event on as it is, with its id, account and Region', async () => {
    await rule('orders', bus('central'), { RoleArn: roleArn('forwarder') });
    await rule('orders', queue('orders'));
    await rule('central', queue('central'));
    await put('orders');
    const [direct] = cloud.received('orders');
    expect(cloud.received('central')).toEqual([direct]);
    expect(direct).toMatch(/"detail":\{"total": 1\.50\}\}$/);
  });

  test('does not send an event to a third bus: it can be sent to a bus only once', async () => {
    await rule('orders', bus('central'), { RoleArn: roleArn('forwarder') });
    await rule('central', bus('third'));
    await rule('central', queue('central'));
    await rule('third', queue('third'));
    await put('orders');
    expect(cloud.received('central')).toHaveLength(1);
    expect(cloud.received('third')).toEqual([]);
    const [dead] = cloud.attributes('dead');
    expect(dead).toMatchObject({
      ERROR_CODE: 'THIRD_ACCOUNT_HOP_DETECTED',
      ERROR_MESSAGE: expect.stringMatching(/because an event can be sent to an event bus target only once\./),
      TARGET_ARN: bus('third'),
      RETRY_ATTEMPTS: '0',
    });
    await put('central');
    expect(cloud.received('third')).toHaveLength(1);
  });

  test('does not loop', async () => {
    await rule('orders', bus('central'), { RoleArn: roleArn('forwarder') });
    await rule('central', bus('orders'));
    await rule('orders', queue('orders'));
    await put('orders');
    expect(cloud.received('orders')).toHaveLength(1);
    expect(cloud.attributes('dead')).toHaveLength(1);
  });

  test('sends events of AWS, too', async () => {
    await rule('default', bus('central'));
    await rule('central', queue('central'));
    const event = { source: 'aws.s3', 'detail-type': 'Object Created', detail: {}, resources: ['arn:aws:s3:::b'] };
    const sender = { service: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::b' };
    await cloud.host.deliver(bus('default'), JSON.stringify(event), { sender });
    expect(JSON.parse(cloud.received('central')[0] ?? '')).toMatchObject({ ...event, account, region: 'us-east-1' });
  });

  test.each<[string, string, string]>([
    ['does not name the bus', 'powerless', 'NO_PERMISSIONS'],
    ['does not let EventBridge assume it', 'foreign', 'FAILED_TO_ASSUME_ROLE'],
  ])('whose role %s has a dead letter', async (_what, name, ERROR_CODE) => {
    await rule('orders', bus('central'), { RoleArn: roleArn(name) });
    await put('orders');
    expect(cloud.attributes('dead')).toMatchObject([{ ERROR_CODE, RETRY_ATTEMPTS: '0' }]);
  });

  test('is held to the policy of that bus, which can tell what other buses send', async () => {
    await rule('orders', bus('central'), { RoleArn: roleArn('forwarder') });
    await rule('central', queue('central'));
    const Statement = {
      ...{ Sid: 'NoForwarding', Effect: 'Deny', Principal: '*', Action: 'events:PutEvents', Resource: bus('central') },
      Condition: { Bool: { 'events:eventBusInvocation': 'true' } },
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await cloud.call('PutPermission', { EventBusName: 'central', Policy });
    await put('central');
    await put('orders');
    expect(cloud.received('central')).toHaveLength(1);
    expect(cloud.attributes('dead')).toMatchObject([
      { ERROR_CODE: 'NO_PERMISSIONS', ERROR_MESSAGE: expect.stringContaining('explicit deny in a resource-based') },
    ]);
  });

  test('has a dead letter for a bus that is not there', async () => {
    await rule('orders', bus('nowhere'));
    await put('orders');
    expect(cloud.attributes('dead')).toMatchObject([{ ERROR_CODE: 'NO_RESOURCE' }]);
  });

  test('has what it sends in the archive of that bus, whose replay stays there', async () => {
    await rule('orders', bus('central'));
    await rule('central', queue('central'));
    await cloud.call('CreateArchive', { ArchiveName: 'a', EventSourceArn: bus('central') });
    await put('orders');
    expect(await cloud.call('DescribeArchive', { ArchiveName: 'a' })).toMatchObject({ EventCount: 1 });
  });

  test.each<[string, object, string]>([
    ['an input', { Input: '{}' }, 'Modifying the input for target t is not supported.'],
    ['a path', { InputPath: '$.detail' }, 'Modifying the input for target t is not supported.'],
    ['another account', { Arn: 'arn:aws:events:us-east-1:111111111111:event-bus/b' }, 'in another account or Region'],
    ['another Region', { Arn: `arn:aws:events:eu-west-1:${account}:event-bus/b` }, 'in another account or Region'],
  ])('is refused with %s', async (_what, target, message) => {
    await expect(rule('orders', bus('central'), target)).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining(message),
    });
  });
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event.html
describe('what services deliver to a bus', () => {
  const event = { source: 'aws.s3', 'detail-type': 'Object Created', detail: { key: 'a' } };
  const deliver = (busName: string, payload: object, sender: object = {}) =>
    cloud.host.deliver(bus(busName), JSON.stringify(payload), {
      sender: { service: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::b', ...sender },
    });

  test('reaches the rules of the default bus', async () => {
    await rule('default', queue('objects'), {}, '{"source":["aws.s3"]}');
    await deliver('default', event);
    expect(JSON.parse(cloud.received('objects')[0] ?? '')).toEqual({
      ...event,
      ...{ version: '0', id: expect.any(String), account, region: 'us-east-1', resources: [] },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  test.each<[string, string, object, string]>([
    ['on another bus', 'orders', event, 'NO_PERMISSIONS'],
    ['with a source of its own', 'default', { ...event, source: 's3' }, 'INVALID_PARAMETER'],
    ['without a detail', 'default', { ...event, detail: 'text' }, 'INVALID_JSON'],
    ['on a bus that is not there', 'nowhere', event, 'NO_RESOURCE'],
  ])('is refused %s', async (_what, busName, payload, code) => {
    await expect(deliver(busName, payload)).rejects.toMatchObject({ name: 'DeliveryError', code });
  });

  test('is held to a role where there is one, and to what PutEvents takes', async () => {
    await rule('central', queue('central'));
    const own = { ...event, source: 'shop.orders' };
    const sender = {
      service: 'events.amazonaws.com',
      sourceArn: 'arn:aws:scheduler:::s',
      roleArn: roleArn('forwarder'),
    };
    await deliver('central', own, sender);
    expect(cloud.received('central')).toHaveLength(1);
    const scheduler = { ...sender, service: 'scheduler.amazonaws.com' };
    await expect(deliver('central', own, scheduler)).rejects.toMatchObject({ code: 'FAILED_TO_ASSUME_ROLE' });
    await expect(deliver('central', event, scheduler)).rejects.toMatchObject({ code: 'NO_PERMISSIONS' });
  });

  test('PutEvents takes no events of AWS', async () => {
    await rule('default', queue('objects'));
    expect(await put('default', 'aws.s3')).toMatchObject({
      Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }],
    });
    expect(cloud.received('objects')).toEqual([]);
  });
});
