import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { SqsUnderTest } from '../../../fixtures/sqs/sqs-under-test.ts';
import { AwsError } from '../../core/aws-error.ts';
import { textAttribute } from '../../core/delivery.ts';

const never = new AbortController().signal;

describe('a queue as the source of an event source mapping', () => {
  test('has all attributes of messages, in the form of the event of a function', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q', { VisibilityTimeout: '45' });
    const { MessageId } = await sqs.send(url, 'x', {
      MessageAttributes: { k: { DataType: 'Binary', BinaryValue: 'AAE=' } },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } },
    });
    const source = sqs.sqs.source(sqs.arn('q'));
    expect([source.queueArn, source.region, source.visibilityTimeoutSeconds]).toEqual([sqs.arn('q'), 'us-east-1', 45]);
    const messages = await source.receive({ max: 10, waitSeconds: 0, signal: never });
    expect(messages).toEqual([
      {
        messageId: MessageId,
        receiptHandle: expect.any(String),
        body: 'x',
        md5OfBody: '9dd4e461268c8034f5c8564e155c67a6',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: String(sqs.clock.now()),
          SenderId: '000000000000',
          ApproximateFirstReceiveTimestamp: String(sqs.clock.now()),
          AWSTraceHeader: 'Root=1',
        },
        messageAttributes: { k: { dataType: 'Binary', binaryValue: 'AAE=' } },
      },
    ]);
    await source.deleteBatch([...messages.map(({ receiptHandle }) => receiptHandle), 'expired']);
    expect(await sqs.counts(url)).toBe('0/0/0');
  });

  test('waits without a timer until a message comes, and finds all that was sent with it', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('q');
    const source = sqs.sqs.source(sqs.arn('q'));
    const waiting = source.receive({ max: 10, waitSeconds: Number.POSITIVE_INFINITY, signal: never });
    await turn();
    expect(sqs.clock.pending).toBe(0);
    await sqs.sqs.deliver(sqs.arn('q'), 'first');
    await Promise.resolve();
    await sqs.sqs.deliver(sqs.arn('q'), 'second');
    expect((await waiting).map(({ body }) => body)).toEqual(['first', 'second']);
  });

  test('an abort ends the wait', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('q');
    const abort = new AbortController();
    const options = { max: 10, waitSeconds: Number.POSITIVE_INFINITY, signal: abort.signal };
    const waiting = sqs.sqs.source(sqs.arn('q')).receive(options);
    abort.abort();
    expect(await waiting).toEqual([]);
  });

  test('a receiver without permission gets nothing, and a queue that is missing is said to be', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q');
    await sqs.send(url, 'x');
    const source = sqs.sqs.source(sqs.arn('q'), () => {
      throw new AwsError('AccessDenied', 'no', 403);
    });
    await expect(source.receive({ max: 10, waitSeconds: 0, signal: never })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    expect(await sqs.counts(url)).toBe('1/0/0');
    expect(() => sqs.sqs.source(sqs.arn('missing'))).toThrow('does not exist');
  });

  test('the end of the service ends all waits', async () => {
    const sqs = new SqsUnderTest();
    await sqs.create('q');
    const waiting = sqs.sqs.source(sqs.arn('q')).receive({ max: 1, waitSeconds: 20, signal: never });
    await sqs[Symbol.asyncDispose]();
    expect(await waiting).toEqual([]);
    expect(sqs.clock.pending).toBe(0);
  });
});

describe('a message that another service delivers', () => {
  test('is in the queue when the call returns', async () => {
    await using sqs = new SqsUnderTest();
    const url = await sqs.create('q');
    const kept = sqs.sqs.deliver(sqs.arn('q'), 'x', {
      messageAttributes: { RULE_ARN: textAttribute('arn') },
      traceHeader: 'Root=1',
    });
    expect(sqs.sqs.metric('q', 'ApproximateNumberOfMessagesVisible')).toBe(1);
    await kept;
    expect(await sqs.receiveOne(url)).toMatchObject({
      MessageAttributes: { RULE_ARN: { DataType: 'String', StringValue: 'arn' } },
      Attributes: { AWSTraceHeader: 'Root=1' },
    });
  });

  test('is refused with the error that SQS has for it', async () => {
    await using sqs = new SqsUnderTest();
    await sqs.create('q.fifo');
    const deliver = (name: string) => () => sqs.sqs.deliver(sqs.arn(name), 'x');
    expect(deliver('missing')).toThrow(expect.objectContaining({ code: 'QueueDoesNotExist' }));
    expect(deliver('q.fifo')).toThrow(expect.objectContaining({ code: 'MissingRequiredParameterException' }));
  });
});

describe('standard queues that are shuffled on purpose', () => {
  const run = async (seed: number): Promise<string[]> => {
    await using sqs = new SqsUnderTest({ shuffle: { seed, duplicates: 0.2 } });
    const url = await sqs.create('q');
    for (let number = 0; number < 100; number += 1) await sqs.send(url, String(number));
    const received: string[] = [];
    for (let messages = await sqs.receive(url); messages.length > 0; messages = await sqs.receive(url)) {
      for (const message of messages) {
        received.push(message.Body);
        await sqs.delete(url, message);
      }
    }
    return received;
  };

  test('reorder and duplicate, lose nothing, and do the same for the same seed', async () => {
    const received = await run(1);
    const sorted = Array.from({ length: 100 }, (_, number) => String(number));
    expect(new Set(received)).toEqual(new Set(sorted));
    expect(received.length).toBeGreaterThan(100);
    expect([...new Set(received)]).not.toEqual(sorted);
    expect(await run(1)).toEqual(received);
    expect(await run(2)).not.toEqual(received);
  });

  test('send nothing to the dead-letter queue that a consumer has deleted', async () => {
    await using sqs = new SqsUnderTest({ shuffle: { seed: 1, duplicates: 1 } });
    await sqs.create('dlq');
    const url = await sqs.createWithDeadLetterQueue('q', 'dlq');
    await sqs.send(url, 'x');
    const first = await sqs.receiveOne(url);
    await sqs.delete(url, first);
    const duplicate = await sqs.receiveOne(url);
    expect([duplicate.Body, duplicate.Attributes?.ApproximateReceiveCount]).toEqual(['x', '1']);
    await sqs.delete(url, duplicate);
    expect(await sqs.receive(url)).toEqual([]);
    expect(await sqs.counts('dlq')).toBe('0/0/0');
  });
});
