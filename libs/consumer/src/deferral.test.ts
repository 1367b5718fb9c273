import { describe, expect, jest, test } from '@jest/globals';
import { TransientError, UnavailableError } from '@millrace/errors';
import type { EmittableEvent } from '@millrace/events';
import { metrics } from '@millrace/telemetry';
import {
  envelopeText,
  fifoRecord,
  lambdaContext,
  RecordingClient,
  sampleEvent,
  sqsEvent,
  sqsRecord,
} from '@millrace/testing';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { Knocked, settings } from '../fixtures/knocked.ts';
import { type ConsumeDependencies, consume, type RecordContext } from './index.ts';

interface Sent {
  QueueUrl: string;
  MessageBody: string;
  DelaySeconds?: number;
  MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
  MessageSystemAttributes?: Record<string, { DataType: string; StringValue: string }>;
}

const busy = () => {
  throw new UnavailableError('STORE_BUSY', 'busy');
};
const broken = () => {
  throw new TransientError('BROKEN', 'broken');
};

/** A consumer of `Knocked` on a standard queue, with a clock to move. */
function setUp(handle: (context: RecordContext) => void, dependencies: ConsumeDependencies = {}) {
  const sqs = new RecordingClient();
  let now = new Date('2026-03-01T00:00:00.000Z');
  const handler = consume(
    [Knocked],
    async (_, context) => handle(context),
    {},
    {
      sqs,
      settings,
      random: () => 1,
      now: () => now,
      ...dependencies,
    },
  );
  const sentTo = (url: string) => sqs.inputs<Sent>('SendMessageCommand').filter(({ QueueUrl }) => QueueUrl === url);
  return {
    run: (...records: SQSRecord[]) => handler(sqsEvent(...records), lambdaContext()),
    at: (time: string) => {
      now = new Date(time);
    },
    sqs,
    copies: () => sentTo(settings.queueUrl),
    deadLetters: () => sentTo(settings.deadLetterQueueUrl),
  };
}

/** A record as the queue hands it out: a message of the rule, or the copy that was sent last. */
function record(content: EmittableEvent | Sent, { receives = 1, sentAt = '2026-03-01T00:00:00.000Z' } = {}): SQSRecord {
  const attributes = {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: String(Date.parse(sentAt)),
    ApproximateFirstReceiveTimestamp: String(Date.parse(sentAt)),
    SenderId: 'AIDATEST',
  };
  if (!('MessageBody' in content)) return sqsRecord(envelopeText(content), { attributes });
  const { MessageBody, MessageAttributes, MessageSystemAttributes } = content;
  return sqsRecord(MessageBody, {
    attributes: { ...attributes, ...valuesOf(MessageSystemAttributes) },
    messageAttributes: Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType, StringValue }]) => [
        name,
        { dataType: DataType as 'String', stringValue: StringValue },
      ]),
    ),
  });
}

const valuesOf = (attributes: Sent['MessageAttributes'] = {}) =>
  Object.fromEntries(Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue]));
const failuresOf = ({ batchItemFailures }: SQSBatchResponse) => batchItemFailures.length;
const lastOf = (copies: Sent[]) => copies.at(-1) as Sent;

describe('a record whose dependency is unavailable', () => {
  test('is acknowledged when an exact copy waits in its own queue', async () => {
    const { run, copies, sqs } = setUp(busy);
    const received = record(sampleEvent(Knocked));
    received.attributes.AWSTraceHeader = 'Root=1-1;Reemission=1';

    expect(failuresOf(await run(received))).toBe(0);

    expect(copies()).toMatchObject([
      {
        MessageBody: received.body,
        MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-1;Reemission=1' } },
      },
    ]);
    expect(valuesOf(lastOf(copies()).MessageAttributes)).toEqual({
      Deferrals: '1',
      Failures: '0',
      FirstSentAt: '2026-03-01T00:00:00.000Z',
    });
    expect(sqs.sent).toHaveLength(1);
  });

  test('comes again after a delay that doubles, up to the 15 minutes of SQS, with full jitter', async () => {
    const { run, copies } = setUp(busy);
    const half = setUp(busy, { random: () => 0.5 });

    await run(record(sampleEvent(Knocked)));
    for (let deferrals = 1; deferrals < 11; deferrals += 1) await run(record(lastOf(copies())));
    await half.run(record(lastOf(copies())));

    expect(copies().map(({ DelaySeconds }) => DelaySeconds)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    expect(half.copies()[0]?.DelaySeconds).toBe(450);
  });

  test('waits as its error says: not sooner than a time, and then spread over an interval that grows up to four times', async () => {
    const down = () => {
      throw new UnavailableError('CIRCUIT_OPEN', 'down', { wait: { afterSeconds: 12.5, spreadSeconds: 30 } });
    };
    const { run, copies } = setUp(down);
    const shortest = setUp(down, { random: () => 0 });

    await run(record(sampleEvent(Knocked)));
    for (let deferrals = 1; deferrals < 6; deferrals += 1) await run(record(lastOf(copies())));
    await shortest.run(record(lastOf(copies())));

    expect(copies().map(({ DelaySeconds }) => DelaySeconds)).toEqual([43, 73, 133, 133, 133, 133]);
    expect(shortest.copies()[0]?.DelaySeconds).toBe(13);
  });

  test('has no failed attempt, however often it is deferred; real ones are carried along', async () => {
    const attempts: number[] = [];
    let fail = busy;
    const { run, at, copies, deadLetters } = setUp(({ attempt }) => {
      attempts.push(attempt);
      fail();
    });
    await run(record(sampleEvent(Knocked)));
    for (let deferrals = 1; deferrals < 20; deferrals += 1) await run(record(lastOf(copies())));

    // Fails twice, and is deferred at its third attempt.
    at('2026-03-01T01:00:00.000Z');
    const received = { sentAt: '2026-03-01T00:59:00.000Z' };
    const copy = lastOf(copies());
    await run(record(copy, { ...received, receives: 3 }));
    fail = broken;
    for (const receives of [1, 2, 3])
      await run(record(lastOf(copies()), { sentAt: '2026-03-01T02:00:00.000Z', receives }));

    expect(attempts).toEqual([...Array(20).fill(1), 3, 3, 4, 5]);
    expect(deadLetters()).toHaveLength(1);
    expect(valuesOf(deadLetters()[0]?.MessageAttributes)).toMatchObject({
      ErrorCode: 'BROKEN',
      FailureKind: 'exhausted',
      Attempts: '5',
      FirstFailedAt: '2026-03-01T00:59:00.000Z',
      LastFailedAt: '2026-03-01T01:00:00.000Z',
      ErrorMessage: 'broken (deferred 21 times since 2026-03-01T00:00:00.000Z)',
    });
    expect(Object.keys(deadLetters()[0]?.MessageAttributes ?? {}).length).toBeLessThanOrEqual(10);
  });

  test('becomes a dead letter with its reason when its retention is nearly over', async () => {
    const { run, at, copies, deadLetters } = setUp(busy);
    await run(record(sampleEvent(Knocked)));
    at('2026-03-04T22:59:00.000Z');
    await run(record(lastOf(copies()), { sentAt: '2026-03-04T22:50:00.000Z' }));
    expect(deadLetters()).toEqual([]);

    at('2026-03-04T23:01:00.000Z');
    expect(failuresOf(await run(record(lastOf(copies()), { sentAt: '2026-03-04T22:59:00.000Z' })))).toBe(0);

    expect(copies()).toHaveLength(2);
    expect(valuesOf(deadLetters()[0]?.MessageAttributes)).toMatchObject({
      ErrorCode: 'STORE_BUSY',
      FailureKind: 'exhausted',
      Attempts: '1',
      ErrorMessage: 'busy (deferred 2 times since 2026-03-01T00:00:00.000Z)',
    });
  });

  test('is retried like any other failure when its copy cannot be sent, and is acknowledged by no means', async () => {
    const sqs = new RecordingClient((name) => {
      if (name === 'SendMessageCommand') throw new Error('SQS is down');
      return {};
    });
    const { run } = setUp(busy, { sqs });

    expect(failuresOf(await run(record(sampleEvent(Knocked))))).toBe(1);
    expect(sqs.inputs('ChangeMessageVisibilityCommand')).toMatchObject([{ VisibilityTimeout: 2 }]);
  });

  test('starts anew when it comes back from the dead-letter queue with the attributes of a dead letter', async () => {
    const { run, deadLetters } = setUp(broken);
    const received = record(sampleEvent(Knocked), { receives: 5 });
    received.messageAttributes.FirstFailedAt = { dataType: 'String', stringValue: '2026-01-01T00:00:00.000Z' };
    received.messageAttributes.Failures = { dataType: 'Number', stringValue: '7' };

    await run(received);

    expect(valuesOf(deadLetters()[0]?.MessageAttributes)).toMatchObject({
      Attempts: '5',
      FirstFailedAt: '2026-03-01T00:00:00.000Z',
    });
  });

  test('keeps the attributes that it has, ten in all', async () => {
    const { run, copies } = setUp(busy);
    const received = record(sampleEvent(Knocked));
    for (let index = 0; index < 10; index += 1) {
      received.messageAttributes[`Own${index}`] = { dataType: 'String', stringValue: String(index) };
    }
    received.messageAttributes.Deferrals = { dataType: 'String', stringValue: 'many' };

    await run(received);

    const attributes = lastOf(copies()).MessageAttributes;
    expect(Object.keys(attributes)).toHaveLength(10);
    expect(attributes).toMatchObject({ Own0: { StringValue: '0' }, Deferrals: { StringValue: '1' } });
  });

  test('is made visible again on a FIFO queue, where a copy would fall behind its group: that counts', async () => {
    const { run, sqs, deadLetters } = setUp(busy);
    const received = fifoRecord(envelopeText(sampleEvent(Knocked)), 'group');
    const last = fifoRecord(envelopeText(sampleEvent(Knocked)), 'other', {});
    last.attributes.ApproximateReceiveCount = '5';

    expect(failuresOf(await run(received, last))).toBe(1);
    expect(sqs.inputs('ChangeMessageVisibilityCommand')).toMatchObject([{ VisibilityTimeout: 2 }]);
    expect(deadLetters()).toMatchObject([{ MessageBody: last.body }]);
  });

  test('counts as deferred, not as failed', async () => {
    const addMetric = jest.spyOn(metrics, 'addMetric');
    try {
      await setUp(busy).run(record(sampleEvent(Knocked)));
      expect(addMetric.mock.calls.map(([name]) => name)).toEqual(['EventDeferred']);
    } finally {
      addMetric.mockRestore();
    }
  });
});
