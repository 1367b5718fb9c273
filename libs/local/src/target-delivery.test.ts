import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Fauxqs, startFauxqs } from './fauxqs.ts';
import { createQueue } from './sqs-queues.ts';
import { deliverToTarget, isDeliverable, sendToQueue } from './target-delivery.ts';

const arn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
let fauxqs: Fauxqs;
const invoked: string[] = [];

beforeAll(async () => {
  fauxqs = await startFauxqs({ awsUrl: 'http://127.0.0.1:4566', region: 'us-east-1' });
});
afterAll(() => fauxqs.stop());

const deliver = (Arn: string, payload: string, parameters = {}) =>
  deliverToTarget(
    {
      fauxqs,
      invokeFunction: (functionArn, event) => {
        if (!functionArn.endsWith(':known')) return undefined;
        invoked.push(event);
        return Promise.resolve();
      },
    },
    { Id: 't', Arn, ...parameters },
    payload,
  );

async function receive(name: string, attributes: Record<string, unknown> = {}): Promise<Record<string, unknown>[]> {
  const { QueueUrl } = await fauxqs.sqs('GetQueueUrl', { QueueName: name });
  const { Messages = [] } = await fauxqs.sqs('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, ...attributes });
  return Messages as Record<string, unknown>[];
}

test('an event reaches a queue as its body', async () => {
  await createQueue(fauxqs, 'orders', {});
  await deliver(arn('orders'), '{"a":1}');
  expect(await receive('orders')).toMatchObject([{ Body: '{"a":1}' }]);
});

test('a FIFO queue gets the message group of the target', async () => {
  await createQueue(fauxqs, 'orders.fifo', { FifoQueue: true, ContentBasedDeduplication: true });
  await deliver(arn('orders.fifo'), '{}', { SqsParameters: { MessageGroupId: 'g' } });
  const [message] = await receive('orders.fifo', { MessageSystemAttributeNames: ['All'] });
  expect(message).toMatchObject({ Attributes: { MessageGroupId: 'g' } });
});

test('a message to a dead-letter queue carries its attributes', async () => {
  await createQueue(fauxqs, 'dlq', {});
  await sendToQueue(fauxqs, arn('dlq'), 'body', { ERROR_CODE: 'NO_RESOURCE' });
  expect(await receive('dlq', { MessageAttributeNames: ['All'] })).toMatchObject([
    { Body: 'body', MessageAttributes: { ERROR_CODE: { DataType: 'String', StringValue: 'NO_RESOURCE' } } },
  ]);
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
  await createQueue(fauxqs, 'small', { MaximumMessageSize: 1024 });
  await expect(deliver(arn('small'), 'x'.repeat(2_000))).rejects.toMatchObject({
    code: 'INVALID_PARAMETER',
    retryable: false,
  });
});

test('only SQS, SNS and Lambda can be delivered to', () => {
  expect(isDeliverable(arn('q'))).toBe(true);
  expect(isDeliverable('arn:aws:logs:us-east-1:000000000000:log-group:/events')).toBe(false);
});

test('a queue that is there already takes over new attributes and keeps its messages', async () => {
  await createQueue(fauxqs, 'kept', { VisibilityTimeout: 30 });
  await sendToQueue(fauxqs, arn('kept'), 'still here', {});
  await createQueue(fauxqs, 'kept', {
    VisibilityTimeout: 60,
    RedrivePolicy: { deadLetterTargetArn: arn('dlq'), maxReceiveCount: 3 },
  });
  const { QueueUrl } = await fauxqs.sqs('GetQueueUrl', { QueueName: 'kept' });
  const { Attributes } = await fauxqs.sqs('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] });
  expect(Attributes).toMatchObject({
    VisibilityTimeout: '60',
    RedrivePolicy: expect.stringContaining('"maxReceiveCount":3'),
  });
  expect(await receive('kept')).toMatchObject([{ Body: 'still here' }]);
});

test('an attribute out of range is an error', async () => {
  await expect(createQueue(fauxqs, 'bad', { VisibilityTimeout: 99_999 })).rejects.toThrow('VisibilityTimeout');
});
