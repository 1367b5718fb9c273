import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Fauxqs, startFauxqs } from '../fauxqs/fauxqs.ts';
import { QueueMetrics } from './queue-metrics.ts';

const awsUrl = 'http://127.0.0.1:4566';
let fauxqs: Fauxqs;
let metrics: QueueMetrics;

beforeAll(async () => {
  fauxqs = await startFauxqs({ awsUrl, region: 'us-east-1' });
  metrics = new QueueMetrics(fauxqs.store);
});
afterAll(() => fauxqs.stop());

let queues = 0;

/** A queue of its own, for which counting has begun. */
async function createQueue(attributes: Record<string, string> = {}, suffix = '') {
  queues += 1;
  const QueueName = `queue-${queues}${suffix}`;
  const { QueueUrl } = await fauxqs.sqs('CreateQueue', { QueueName, Attributes: attributes });
  const read = (metric: Parameters<QueueMetrics['read']>[1], later = 0) =>
    metrics.read(QueueName, metric, Date.now() + later * 1000);
  read('NumberOfMessagesSent');
  return {
    read,
    arn: `arn:aws:sqs:us-east-1:000000000000:${QueueName}`,
    send: (MessageBody: string, more: object = {}) => fauxqs.sqs('SendMessage', { QueueUrl, MessageBody, ...more }),
    receive: async (more: object = {}) => {
      const { Messages = [] } = await fauxqs.sqs('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, ...more });
      return Messages as Array<{ ReceiptHandle: string }>;
    },
    delete: (ReceiptHandle: string) => fauxqs.sqs('DeleteMessage', { QueueUrl, ReceiptHandle }),
    remove: () => fauxqs.sqs('DeleteQueue', { QueueUrl }),
    create: () => fauxqs.sqs('CreateQueue', { QueueName, Attributes: attributes }),
  };
}

const toDeadLetters = (arn: string, maxReceiveCount: number) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount }),
});

describe('how many messages there are', () => {
  test('visible ones, and those that are being handled', async () => {
    const queue = await createQueue({ VisibilityTimeout: '30' });
    await queue.send('a');
    await queue.send('b');
    expect(queue.read('ApproximateNumberOfMessagesVisible')).toBe(2);
    const [message] = await queue.receive({ MaxNumberOfMessages: 1 });
    expect(queue.read('ApproximateNumberOfMessagesVisible')).toBe(1);
    expect(queue.read('ApproximateNumberOfMessagesNotVisible')).toBe(1);
    await queue.delete(message?.ReceiptHandle ?? '');
    expect(queue.read('ApproximateNumberOfMessagesNotVisible')).toBe(0);
  });

  test('a message whose visibility timeout is over is visible although nobody has looked', async () => {
    const queue = await createQueue({ VisibilityTimeout: '30' });
    await queue.send('a');
    await queue.receive();
    expect(queue.read('ApproximateNumberOfMessagesVisible', 29)).toBe(0);
    expect(queue.read('ApproximateNumberOfMessagesVisible', 31)).toBe(1);
    expect(queue.read('ApproximateNumberOfMessagesNotVisible', 31)).toBe(0);
  });

  test('a delayed message is visible when its delay is over', async () => {
    const queue = await createQueue();
    await queue.send('a', { DelaySeconds: 10 });
    expect(queue.read('ApproximateNumberOfMessagesVisible')).toBe(0);
    expect(queue.read('ApproximateNumberOfMessagesDelayed')).toBe(1);
    expect(queue.read('ApproximateNumberOfMessagesVisible', 11)).toBe(1);
    expect(queue.read('ApproximateNumberOfMessagesDelayed', 11)).toBe(0);
  });

  test('those of all groups of a FIFO queue', async () => {
    const queue = await createQueue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' }, '.fifo');
    await queue.send('a', { MessageGroupId: '1' });
    await queue.send('b', { MessageGroupId: '2' });
    expect(queue.read('ApproximateNumberOfMessagesVisible')).toBe(2);
  });

  test('a queue that does not exist has no metrics', () => {
    expect(metrics.read('nothing', 'ApproximateNumberOfMessagesVisible', Date.now())).toBeUndefined();
    expect(metrics.read('nothing', 'NumberOfMessagesReceived', Date.now())).toBeUndefined();
  });
});

describe('what is counted', () => {
  test('sent, received and deleted messages', async () => {
    const queue = await createQueue({ VisibilityTimeout: '0' });
    await queue.send('a');
    const [message] = await queue.receive();
    await queue.receive();
    expect(queue.read('NumberOfMessagesSent')).toBe(1);
    expect(queue.read('NumberOfMessagesReceived')).toBe(2);
    const [again] = await queue.receive();
    await queue.delete(again?.ReceiptHandle ?? '');
    await queue.delete(message?.ReceiptHandle ?? '');
    expect(queue.read('NumberOfMessagesDeleted')).toBe(1);
  });

  test('goes on when the queue is deleted and another gets its name', async () => {
    const queue = await createQueue();
    await queue.send('a');
    await queue.remove();
    await queue.create();
    expect(queue.read('NumberOfMessagesSent')).toBe(1);
    await queue.send('b');
    await queue.receive();
    expect(queue.read('NumberOfMessagesSent')).toBe(2);
    expect(queue.read('NumberOfMessagesReceived')).toBe(1);
  });

  test('a message that is moved to a dead-letter queue was not sent to it', async () => {
    const dead = await createQueue();
    const queue = await createQueue({ VisibilityTimeout: '0', ...toDeadLetters(dead.arn, 1) });
    await queue.send('a');
    await queue.receive();
    await queue.receive();
    expect(dead.read('ApproximateNumberOfMessagesVisible')).toBe(1);
    expect(dead.read('NumberOfMessagesSent')).toBe(0);
  });
});

describe('the age of the oldest message', () => {
  test('counts waiting messages and those being handled', async () => {
    const queue = await createQueue();
    expect(queue.read('ApproximateAgeOfOldestMessage', 100)).toBe(0);
    await queue.send('a');
    expect(queue.read('ApproximateAgeOfOldestMessage', 100)).toBe(100);
    await queue.receive();
    expect(queue.read('ApproximateAgeOfOldestMessage', 100)).toBe(100);
  });

  test('passes over a message that has been received three times', async () => {
    const queue = await createQueue({ VisibilityTimeout: '0' });
    await queue.send('poison');
    await queue.receive();
    await queue.receive();
    expect(queue.read('ApproximateAgeOfOldestMessage', 100)).toBe(100);
    await queue.receive();
    expect(queue.read('ApproximateAgeOfOldestMessage', 100)).toBe(0);
  });

  test('begins anew in the dead-letter queue, and so do its receives', async () => {
    const dead = await createQueue({ VisibilityTimeout: '0' });
    const queue = await createQueue({ VisibilityTimeout: '0', ...toDeadLetters(dead.arn, 3) });
    await queue.send('poison');
    const [message] = fauxqs.store.getQueueByArn(queue.arn)?.messages ?? [];
    if (message) message.sentTimestamp -= 50_000;
    for (let receives = 0; receives <= 3; receives += 1) await queue.receive();
    await dead.receive();
    expect(dead.read('ApproximateAgeOfOldestMessage', 100)).toBe(100);
  });
});
