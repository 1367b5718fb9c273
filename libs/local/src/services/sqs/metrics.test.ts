import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
describe('available cloudwatch metrics', () => {
  const reader = (sqs: SqsUnderTest, queue: string) => (metric: string) => sqs.sqs.metric(queue, metric);

  test('counts what is sent, received and deleted, with duplicate deletions and empty receives', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q');
    const metric = reader(sqs, 'q');
    for (const body of ['a', 'b']) await sqs.send(url, body);
    await sqs.receive(url, { MaxNumberOfMessages: 1, VisibilityTimeout: 0 });
    const [first] = await sqs.receive(url);
    if (!first) throw new Error('nothing');
    await sqs.delete(url, first);
    await sqs.delete(url, first);
    await sqs.receive(url);
    expect(metric('NumberOfMessagesSent')).toBe(2);
    expect(metric('SentMessageSize')).toBe(2);
    expect(metric('NumberOfMessagesReceived')).toBe(3);
    expect(metric('NumberOfMessagesDeleted')).toBe(2);
    expect(metric('NumberOfEmptyReceives')).toBe(1);
    expect(metric('Colour')).toBeUndefined();
    expect(sqs.sqs.metric('missing', 'NumberOfMessagesSent')).toBeUndefined();
  });

  test('a message that SQS moves to a dead-letter queue was not sent to it', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
    await sqs.send(url, 'x');
    await sqs.receive(url, { VisibilityTimeout: 0 });
    await sqs.receive(url);
    expect(sqs.sqs.metric('dlq', 'NumberOfMessagesSent')).toBe(0);
    expect(sqs.sqs.metric('dlq', 'ApproximateNumberOfMessagesVisible')).toBe(1);
    expect(sqs.sqs.metric('q', 'ApproximateNumberOfMessagesVisible')).toBe(0);
  });

  test('a message counts as visible once its delay or visibility timeout has ended, without a receive in between', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q');
    const metric = reader(sqs, 'q');
    await sqs.send(url, 'a');
    await sqs.receive(url);
    await sqs.send(url, 'b', { DelaySeconds: 10 });
    expect(metric('ApproximateNumberOfMessagesNotVisible')).toBe(1);
    expect(metric('ApproximateNumberOfMessagesDelayed')).toBe(1);
    await sqs.clock.seconds(30);
    expect(metric('ApproximateNumberOfMessagesVisible')).toBe(2);
    expect(metric('ApproximateNumberOfMessagesNotVisible')).toBe(0);
    expect(metric('ApproximateNumberOfMessagesDelayed')).toBe(0);
  });

  test('the age of the oldest leaves out a message of a standard queue that was received three times', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q');
    const age = () => reader(sqs, 'q')('ApproximateAgeOfOldestMessage');
    expect(age()).toBe(0);
    await sqs.send(url, 'poison');
    await sqs.clock.seconds(60);
    await sqs.send(url, 'other', { DelaySeconds: 900 });
    await sqs.clock.seconds(10);
    for (const expected of [70, 70, 10]) {
      await sqs.receive(url, { VisibilityTimeout: 0 });
      expect(age()).toBe(expected);
    }
  });

  test('in a FIFO queue it counts, for nothing is received before it', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    await sqs.sendInGroups(url, ['a-1']);
    await sqs.clock.seconds(60);
    for (let receives = 0; receives < 4; receives += 1) await sqs.receive(url, { VisibilityTimeout: 0 });
    expect(reader(sqs, 'q.fifo')('ApproximateAgeOfOldestMessage')).toBe(60);
  });

  test('in a dead-letter queue a message is as old as its stay there', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq', 5);
    await sqs.send(url, 'x');
    await sqs.clock.seconds(1000);
    for (let receives = 0; receives < 6; receives += 1) await sqs.receive(url, { VisibilityTimeout: 0 });
    await sqs.clock.seconds(7);
    expect(sqs.sqs.metric('dlq', 'ApproximateAgeOfOldestMessage')).toBe(7);
  });

  test('groups with messages in flight, and messages that were duplicates', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q.fifo');
    const metric = reader(sqs, 'q.fifo');
    await sqs.sendInGroups(url, ['a-1', 'a-2', 'b-1', 'b-1']);
    expect(metric('NumberOfDeduplicatedSentMessages')).toBe(1);
    const messages = await sqs.receive(url);
    expect(metric('ApproximateNumberOfGroupsWithInflightMessages')).toBe(2);
    for (const message of messages.slice(1)) await sqs.delete(url, message);
    expect(metric('ApproximateNumberOfGroupsWithInflightMessages')).toBe(1);
    await sqs.clock.seconds(30);
    expect(metric('ApproximateNumberOfGroupsWithInflightMessages')).toBe(0);
  });
});
