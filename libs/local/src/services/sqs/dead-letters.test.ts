import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
describe('dead letter queues', () => {
  test('a message goes to the dead-letter queue when its receives exceed maxReceiveCount', async () => {
    await using sqs = new SqsUnderTest();
    const dead = await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq', 2);
    const sentAt = sqs.clock.now();
    const { MessageId } = await sqs.send(url, 'x', {
      MessageAttributes: { k: { DataType: 'String', StringValue: 'v' } },
    });
    for (const count of ['1', '2']) {
      await sqs.clock.seconds(10);
      const { Attributes } = await sqs.receiveOne(url, { VisibilityTimeout: 0 });
      expect(Attributes?.ApproximateReceiveCount).toBe(count);
    }
    expect(await sqs.counts(dead)).toBe('0/0/0');
    expect(await sqs.bodies(url)).toEqual([]);
    expect(await sqs.receiveOne(dead)).toMatchObject({
      MessageId,
      MessageAttributes: { k: { DataType: 'String', StringValue: 'v' } },
      Attributes: {
        ApproximateReceiveCount: '3',
        DeadLetterQueueSourceArn: sqs.arn('q'),
        SentTimestamp: String(sentAt),
        ApproximateFirstReceiveTimestamp: String(sentAt + 10_000),
      },
    });
  });

  test('a dead-letter queue may have one of its own: it counts the receives from itself', async () => {
    await using sqs = new SqsUnderTest();
    const last = await sqs.create('last');
    const dead = await sqs.createWithDeadLetterQueue('dlq', 'last');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
    await sqs.send(url, 'x');
    for (const queue of [url, dead]) {
      expect(await sqs.bodies(queue, { VisibilityTimeout: 0 })).toEqual(['x']);
      expect(await sqs.bodies(queue)).toEqual([]);
    }
    expect((await sqs.receiveOne(last)).Attributes).toMatchObject({
      ApproximateReceiveCount: '3',
      DeadLetterQueueSourceArn: sqs.arn('dlq'),
    });
  });

  test('moving makes room: the receive that moves messages returns those behind them', async () => {
    await using sqs = new SqsUnderTest();
    const dead = await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
    for (const body of ['a', 'b']) await sqs.send(url, body);
    await sqs.receive(url, { VisibilityTimeout: 0 });
    await sqs.send(url, 'c');
    expect(await sqs.bodies(url, { MaxNumberOfMessages: 1 })).toEqual(['c']);
    expect(await sqs.bodies(dead)).toEqual(['a', 'b']);
  });

  test('in a standard queue the retention goes on from the first sending, in a FIFO queue it begins anew', async () => {
    await using sqs = new SqsUnderTest();
    for (const suffix of ['', '.fifo']) {
      const dead = await sqs.create(`dlq${suffix}`, { MessageRetentionPeriod: '100' });
      const url = await sqs.createWithDeadLetterQueue(`q${suffix}`, `dlq${suffix}`);
      await sqs.send(url, 'x', suffix === '' ? {} : { MessageGroupId: 'g', MessageDeduplicationId: 'd' });
      await sqs.clock.seconds(60);
      await sqs.receiveOne(url, { VisibilityTimeout: 0 });
      await sqs.receive(url);
      expect(await sqs.counts(dead)).toBe('1/0/0');
      await sqs.clock.seconds(60);
      expect(await sqs.counts(dead)).toBe(suffix === '' ? '0/0/0' : '1/0/0');
    }
  });

  test('a FIFO message keeps its group; its id takes the place of its deduplication id', async () => {
    await using sqs = new SqsUnderTest();
    const dead = await sqs.create('dlq.fifo');
    const url = await sqs.createWithDeadLetterQueue('q.fifo', 'dlq.fifo');
    const { MessageId } = await sqs.send(url, 'x', { MessageGroupId: 'g', MessageDeduplicationId: 'd' });
    await sqs.receiveOne(url, { VisibilityTimeout: 0 });
    expect(await sqs.bodies(url)).toEqual([]);
    expect((await sqs.receiveOne(dead)).Attributes).toMatchObject({
      MessageGroupId: 'g',
      MessageDeduplicationId: MessageId,
    });
  });

  test('a long poll of the dead-letter queue gets the message at once', async () => {
    await using sqs = new SqsUnderTest();
    const dead = await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
    await sqs.send(url, 'x');
    await sqs.receiveOne(url, { VisibilityTimeout: 0 });
    const waiting = sqs.bodies(dead, { WaitTimeSeconds: 20 });
    await sqs.receive(url);
    expect(await waiting).toEqual(['x']);
  });

  test('a message is not lost when its dead-letter queue has been deleted', async () => {
    await using sqs = new SqsUnderTest();
    const dead = await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
    await sqs.send(url, 'x');
    await sqs.receiveOne(url, { VisibilityTimeout: 0 });
    await sqs.api.call('DeleteQueue', { QueueUrl: dead });
    expect(await sqs.bodies(url)).toEqual(['x']);
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
describe('SetQueueAttributes', () => {
  test.each([
    ['{', 'InvalidParameterValue'],
    ['{"maxReceiveCount": 1}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN"}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN", "maxReceiveCount": 0}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN", "maxReceiveCount": 1001}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN", "maxReceiveCount": 1.5}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN-missing", "maxReceiveCount": 1}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN.fifo", "maxReceiveCount": 1}', 'InvalidParameterValue'],
    ['{"deadLetterTargetArn": "ARN", "maxReceiveCount": "1000"}', 'accepted'],
  ])('RedrivePolicy %s is %s', async (template, expected) => {
    await using sqs = new SqsUnderTest();
    await sqs.create('dlq');
    await sqs.create('dlq.fifo');
    const RedrivePolicy = template.replace('ARN', sqs.arn('dlq'));
    expect(await sqs.codeOf('CreateQueue', { QueueName: 'q', Attributes: { RedrivePolicy } })).toBe(expected);
    const QueueUrl = await sqs.create('other');
    expect(await sqs.codeOf('SetQueueAttributes', { QueueUrl, Attributes: { RedrivePolicy } })).toBe(expected);
  });

  test('RedriveAllowPolicy says which queues may have this one as their dead-letter queue', async () => {
    await using sqs = new SqsUnderTest();
    const byQueue = { redrivePermission: 'byQueue', sourceQueueArns: [sqs.arn('friend')] };
    await sqs.create('dlq', { RedriveAllowPolicy: byQueue });
    await sqs.create('closed', { RedriveAllowPolicy: { redrivePermission: 'denyAll' } });
    const create = (QueueName: string, dlq: string) => {
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: sqs.arn(dlq), maxReceiveCount: 1 });
      return sqs.codeOf('CreateQueue', { QueueName, Attributes: { RedrivePolicy } });
    };
    expect(await create('friend', 'dlq')).toBe('accepted');
    expect(await create('stranger', 'dlq')).toBe('InvalidParameterValue');
    expect(await create('anyone', 'closed')).toBe('InvalidParameterValue');
  });

  test.each([
    '{',
    '{"redrivePermission": "allowSome"}',
    '{"redrivePermission": "byQueue"}',
    '{"redrivePermission": "byQueue", "sourceQueueArns": []}',
    '{"redrivePermission": "byQueue", "sourceQueueArns": ["orders"]}',
    '{"redrivePermission": "denyAll", "sourceQueueArns": []}',
    JSON.stringify({
      redrivePermission: 'byQueue',
      sourceQueueArns: Array(11).fill('arn:aws:sqs:us-east-1:000000000000:q'),
    }),
  ])('RedriveAllowPolicy %s is refused', async (RedriveAllowPolicy) => {
    await using sqs = new SqsUnderTest();
    const input = { QueueName: 'q', Attributes: { RedriveAllowPolicy } };
    expect(await sqs.codeOf('CreateQueue', input)).toBe('InvalidParameterValue');
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html
describe('ListDeadLetterSourceQueues', () => {
  test('lists the queues that have this one as their dead-letter queue, page by page', async () => {
    await using sqs = new SqsUnderTest();
    const QueueUrl = await sqs.create('dlq');
    const urls = [await sqs.createWithDeadLetterQueue('a', 'dlq'), await sqs.createWithDeadLetterQueue('b', 'dlq')];
    expect(await sqs.api.call('ListDeadLetterSourceQueues', { QueueUrl })).toEqual({ queueUrls: urls });
    const first = await sqs.api.call('ListDeadLetterSourceQueues', { QueueUrl, MaxResults: 1 });
    expect(first.queueUrls).toEqual(urls.slice(0, 1));
    const { NextToken } = first;
    expect(await sqs.api.call('ListDeadLetterSourceQueues', { QueueUrl, MaxResults: 1, NextToken })).toEqual({
      queueUrls: urls.slice(1),
    });
  });
});

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
describe('StartMessageMoveTask', () => {
  /** A queue whose messages have failed, and its dead-letter queue that holds them. */
  const withDeadLetters = async (sqs: SqsUnderTest, name: string, bodies: string[]) => {
    const dead = await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue(name, 'dlq');
    for (const body of bodies) await sqs.send(url, body);
    await sqs.receive(url, { VisibilityTimeout: 0 });
    await sqs.receive(url);
    return { url, dead };
  };
  const start = (sqs: SqsUnderTest, more: object = {}) =>
    sqs.api.call('StartMessageMoveTask', { SourceArn: sqs.arn('dlq'), ...more });
  const latest = async (sqs: SqsUnderTest) => {
    const { Results } = await sqs.api.call('ListMessageMoveTasks', { SourceArn: sqs.arn('dlq') });
    return Results[0];
  };

  test('moves messages back to the queues that they failed in, as new ones', async () => {
    await using sqs = new SqsUnderTest();
    const { url, dead } = await withDeadLetters(sqs, 'q', ['a', 'b']);
    const other = await withDeadLetters(sqs, 'other', ['c']);
    const [{ MessageId } = { MessageId: '' }] = await sqs.receive(dead, { VisibilityTimeout: 0 });
    await sqs.clock.seconds(10);
    await start(sqs);
    await sqs.clock.seconds(1);
    expect(await latest(sqs)).toMatchObject({
      Status: 'COMPLETED',
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
      SourceArn: sqs.arn('dlq'),
    });
    expect(await sqs.counts(dead)).toBe('0/0/0');
    const [a, b] = await sqs.receive(url);
    expect([a?.Body, b?.Body]).toEqual(['a', 'b']);
    expect(a?.MessageId).not.toBe(MessageId);
    expect(a?.Attributes).toMatchObject({ ApproximateReceiveCount: '1' });
    expect(a?.Attributes).not.toHaveProperty('DeadLetterQueueSourceArn');
    expect(Number(a?.Attributes?.SentTimestamp)).toBe(sqs.clock.now() - 1000);
    expect(await sqs.bodies(other.url)).toEqual(['c']);
  });

  test('fails at a message that a consumer sent to the dead-letter queue itself: its source is not known', async () => {
    await using sqs = new SqsUnderTest();
    const { dead } = await withDeadLetters(sqs, 'q', []);
    await sqs.send(dead, 'sent by hand');
    await start(sqs);
    await sqs.clock.seconds(1);
    expect(await latest(sqs)).toMatchObject({ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' });
    expect(await sqs.bodies(dead)).toEqual(['sent by hand']);
  });

  test('with a destination it moves those as well', async () => {
    await using sqs = new SqsUnderTest();
    const { dead } = await withDeadLetters(sqs, 'q', ['a']);
    await sqs.send(dead, 'sent by hand');
    const destination = await sqs.create('destination');
    await start(sqs, { DestinationArn: sqs.arn('destination') });
    await sqs.clock.seconds(1);
    expect(await latest(sqs)).toMatchObject({ Status: 'COMPLETED', DestinationArn: sqs.arn('destination') });
    expect(await sqs.bodies(destination)).toEqual(['a', 'sent by hand']);
  });

  test('MaxNumberOfMessagesPerSecond slows it down; it can be cancelled, and keeps what is moved', async () => {
    await using sqs = new SqsUnderTest();
    const { url, dead } = await withDeadLetters(sqs, 'q', ['a', 'b', 'c', 'd', 'e']);
    const { TaskHandle } = await start(sqs, { MaxNumberOfMessagesPerSecond: 2 });
    expect(await sqs.codeOf('StartMessageMoveTask', { SourceArn: sqs.arn('dlq') })).toBe('InvalidParameterValue');
    await sqs.clock.seconds(1);
    expect(await latest(sqs)).toMatchObject({ Status: 'RUNNING', TaskHandle, ApproximateNumberOfMessagesMoved: 3 });
    const cancelled = await sqs.api.call('CancelMessageMoveTask', { TaskHandle });
    expect(cancelled).toEqual({ ApproximateNumberOfMessagesMoved: 3 });
    await sqs.clock.seconds(10);
    expect(await latest(sqs)).toMatchObject({ Status: 'CANCELLED' });
    expect(await latest(sqs)).not.toHaveProperty('TaskHandle');
    expect(await sqs.counts(dead)).toBe('2/0/0');
    expect(await sqs.counts(url)).toBe('3/0/0');
    expect(await sqs.codeOf('CancelMessageMoveTask', { TaskHandle })).toBe('InvalidParameterValue');
  });

  test('a long poll of the destination gets the messages that are moved', async () => {
    await using sqs = new SqsUnderTest();
    const { url } = await withDeadLetters(sqs, 'q', ['a']);
    const waiting = sqs.bodies(url, { WaitTimeSeconds: 20 });
    await turn();
    await start(sqs);
    await sqs.clock.advance(1);
    expect(await waiting).toEqual(['a']);
  });

  test.each([
    [{ SourceArn: 'arn:aws:sqs:us-east-1:000000000000:q' }, 'InvalidParameterValue'],
    [{ SourceArn: 'arn:aws:sqs:us-east-1:000000000000:missing' }, 'ResourceNotFoundException'],
    [{ DestinationArn: 'arn:aws:sqs:us-east-1:000000000000:missing' }, 'ResourceNotFoundException'],
    [{ DestinationArn: 'arn:aws:sqs:us-east-1:000000000000:dlq' }, 'InvalidParameterValue'],
    [{ DestinationArn: 'arn:aws:sqs:us-east-1:000000000000:q.fifo' }, 'InvalidParameterValue'],
    [{ MaxNumberOfMessagesPerSecond: 0 }, 'InvalidParameterValue'],
    [{ MaxNumberOfMessagesPerSecond: 501 }, 'InvalidParameterValue'],
  ])('%j is refused with %s', async (change, code) => {
    await using sqs = new SqsUnderTest();
    await withDeadLetters(sqs, 'q', []);
    await sqs.create('q.fifo');
    expect(await sqs.codeOf('StartMessageMoveTask', { SourceArn: sqs.arn('dlq'), ...change })).toBe(code);
  });
});
