import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startCloud } from '../../../fixtures/cloud-under-test.ts';
import type { Cloud } from '../../core/cloud.ts';
import { type DeliverOptions, DeliveryError, textAttribute } from '../../core/delivery.ts';
import { deliveryTo } from '../../core/delivery-router.ts';
import type { AwsService } from '../../core/service.ts';
import { sns } from '../sns/index.ts';
import { sqs as sqsService } from './index.ts';
import type { Sqs } from './sqs.ts';

const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const sender = { service: 'events.amazonaws.com', sourceArn: 'arn:aws:events:us-east-1:000000000000:rule/r' };
let cloud: Cloud;
let sqs: Sqs;
const invoked: string[] = [];

/** Takes what goes to functions. */
const functions: AwsService<undefined> = {
  name: 'lambda',
  resourceTypes: {},
  access: () => undefined,
  start: async () => ({
    handle: undefined,
    deliver: async (functionArn, event) => {
      if (!functionArn.endsWith(':known')) throw new DeliveryError('NO_RESOURCE', 'There is no function', false);
      invoked.push(event);
    },
    [Symbol.asyncDispose]: async () => {},
  }),
};

beforeAll(async () => {
  cloud = await startCloud([sqsService, sns, functions] as readonly AwsService[]);
  sqs = cloud.host.handleOf(sqsService);
});
afterAll(() => cloud[Symbol.asyncDispose]());

/** ARNs that the rule may do nothing with. */
const closed = new Set<string>();
const findRefusal = ({ action, resource }: { action: string; resource: string }) =>
  closed.has(resource)
    ? { message: `not ${action} on ${resource}`, explicit: true, conditionKeys: [] as string[] }
    : undefined;

const deliver = (targetArn: string, payload: string, options: Partial<DeliverOptions> = {}) =>
  deliveryTo(
    (name) => {
      const found = cloud.started.find(({ service }) => service.name === name);
      const send = found?.running.deliver;
      return found && send && { service: found.service, deliver: send };
    },
    { findSenderRefusal: (_sender, access) => findRefusal(access) },
  )(targetArn, payload, { sender, ...options });

async function createQueue(name: string, attributes: Record<string, string> = {}): Promise<void> {
  await sqs.api.call('CreateQueue', { QueueName: name, Attributes: attributes });
}

type Asked = 'AttributeNames' | 'MessageAttributeNames' | 'MessageSystemAttributeNames';

async function receive(name: string, names: Partial<Record<Asked, string[]>> = {}) {
  const asked = { QueueUrl: name, MaxNumberOfMessages: 10, ...names };
  return (await sqs.api.call<'ReceiveMessage'>('ReceiveMessage', asked)).Messages ?? [];
}

test('an event reaches a queue as its body', async () => {
  await createQueue('orders');
  await deliver(arn('orders'), '{"a":1}');
  expect(await receive('orders')).toMatchObject([{ Body: '{"a":1}' }]);
});

test('a FIFO queue gets the message group of the target', async () => {
  await createQueue('orders.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true' });
  await deliver(arn('orders.fifo'), '{}', { messageGroupId: 'g' });
  const [message] = await receive('orders.fifo', { MessageSystemAttributeNames: ['All'] });
  expect(message).toMatchObject({ Attributes: { MessageGroupId: 'g' } });
});

test('a message to a dead-letter queue carries its attributes', async () => {
  await createQueue('dlq');
  await deliver(arn('dlq'), 'body', { messageAttributes: { ERROR_CODE: textAttribute('NO_RESOURCE') } });
  expect(await receive('dlq', { MessageAttributeNames: ['All'] })).toMatchObject([
    { Body: 'body', MessageAttributes: { ERROR_CODE: { DataType: 'String', StringValue: 'NO_RESOURCE' } } },
  ]);
});

test.each(['sqs', 'sns'])('what the policy of a target in %s refuses is not tried again', async (service) => {
  await createQueue('closed');
  const target = `arn:aws:${service}:us-east-1:000000000000:closed`;
  closed.add(target);
  const action = service === 'sqs' ? 'sqs:SendMessage' : 'sns:Publish';
  await expect(deliver(target, '{}')).rejects.toMatchObject({
    code: 'NO_PERMISSIONS',
    retryable: false,
    message: `not ${action} on ${target}`,
  });
  expect(await receive('closed')).toEqual([]);
});

describe('a trace header', () => {
  const header = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0';
  const asked = { MessageSystemAttributeNames: ['AWSTraceHeader'] };

  test('is a system attribute of the message, for those who ask for it', async () => {
    await createQueue('traced', { VisibilityTimeout: '0' });
    await deliver(arn('traced'), '{}', { traceHeader: header });
    const [message] = await receive('traced', asked);
    expect(message).toMatchObject({ Attributes: { AWSTraceHeader: header } });
    const [unasked] = await receive('traced', { MessageSystemAttributeNames: ['SentTimestamp'] });
    expect(unasked?.Attributes).toEqual({ SentTimestamp: expect.any(String) });
    const [all] = await receive('traced', { AttributeNames: ['All'] });
    expect(all).toMatchObject({ Attributes: { AWSTraceHeader: header, ApproximateReceiveCount: '3' } });
  });

  test('is part of the message that a waiting receiver gets', async () => {
    await createQueue('awaited');
    const queue = sqs.source(arn('awaited'));
    const received = queue.receive({ max: 1, waitSeconds: 5, signal: new AbortController().signal });
    await deliver(arn('awaited'), '{}', { traceHeader: header });
    expect(await received).toMatchObject([{ attributes: { AWSTraceHeader: header } }]);
  });

  test('goes with the message to the dead-letter queue', async () => {
    await createQueue('traced-dlq');
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: arn('traced-dlq'), maxReceiveCount: 1 });
    await createQueue('hopeless', { VisibilityTimeout: '0', RedrivePolicy });
    await deliver(arn('hopeless'), '{}', { traceHeader: header });
    expect(await receive('hopeless')).toHaveLength(1);
    expect(await receive('hopeless')).toHaveLength(0);
    expect(await receive('traced-dlq', asked)).toMatchObject([{ Attributes: { AWSTraceHeader: header } }]);
  });
});

test('a function gets the event', async () => {
  await deliver('arn:aws:lambda:us-east-1:000000000000:function:known', '{"b":2}');
  expect(invoked).toEqual(['{"b":2}']);
});

test.each([
  ['a queue', arn('nothing')],
  ['a function', 'arn:aws:lambda:us-east-1:000000000000:function:nothing'],
  ['a service', 'arn:aws:kinesis:us-east-1:000000000000:stream/s'],
])('%s that is not here is not tried again', async (_name, target) => {
  await expect(deliver(target, '{}')).rejects.toMatchObject({ code: 'NO_RESOURCE', retryable: false });
});

test('an event that the queue refuses is not tried again', async () => {
  await createQueue('small', { MaximumMessageSize: '1024' });
  await expect(deliver(arn('small'), 'x'.repeat(2_000))).rejects.toMatchObject({
    code: 'INVALID_PARAMETER',
    retryable: false,
  });
});

test('only SQS, SNS and Lambda can be delivered to', () => {
  expect(cloud.host.isTarget(arn('q'))).toBe(true);
  expect(cloud.host.isTarget('arn:aws:logs:us-east-1:000000000000:log-group:/events')).toBe(false);
});
