import { createHash } from 'node:crypto';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { DuplicateEventError, PermanentError, TransientError } from '@millrace/errors';
import { defineEvent, type EmittableEvent } from '@millrace/events';
import { logger, metrics } from '@millrace/telemetry';
import {
  envelopeText,
  fifoRecord,
  lambdaContext,
  RecordingClient,
  sampleEvent,
  sqsEvent,
  sqsRecord,
} from '@millrace/testing';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { Knocked, settings } from '../fixtures/knocked.ts';
import {
  type ConsumeDependencies,
  type ConsumeOptions,
  consume,
  type EffectMarks,
  type RecordContext,
} from './index.ts';

const Rang = defineEvent({
  name: 'Rang',
  version: 1,
  service: 'door',
  category: 'domain',
  type: 'data',
  summary: 'Someone rang the bell.',
  data: z.object({ times: z.int() }),
  example: { times: 2 },
});

type Handle = (visitor: string, context: RecordContext) => Promise<void>;

interface DeadLetter {
  QueueUrl: string;
  MessageBody: string;
  MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
  MessageGroupId?: string;
  MessageDeduplicationId?: string;
}

/** A consumer of `Knocked` with a recording SQS. */
function setUp(handle: Handle, options: ConsumeOptions = {}, dependencies: ConsumeDependencies = {}) {
  const sqs = new RecordingClient();
  const handled: string[] = [];
  const handler = consume(
    [Knocked],
    async (event, context) => {
      await handle(event.data.visitor, context);
      handled.push(event.data.visitor);
    },
    options,
    {
      ...{ sqs, settings, random: () => 1, now: () => new Date('2026-03-01T00:00:10.000Z') },
      ...dependencies,
    },
  );
  return {
    handler,
    handled,
    sqs,
    deadLetters: () =>
      sqs.inputs<DeadLetter>('SendMessageCommand').filter(({ QueueUrl }) => QueueUrl !== settings.queueUrl),
    delays: () => sqs.inputs<{ ReceiptHandle: string; VisibilityTimeout: number }>('ChangeMessageVisibilityCommand'),
    run: (...records: SQSRecord[]) => handler(sqsEvent(...records), lambdaContext()),
  };
}

const succeed: Handle = async () => {};
const marksOf = (runOnce: EffectMarks['runOnce']): EffectMarks => ({ runOnce, recordHandled: async () => {} });
const knock = (visitor: string) => sampleEvent(Knocked, { visitor });

function record(
  content: string | EmittableEvent,
  overrides: Partial<SQSRecord> & { attempt?: number } = {},
): SQSRecord {
  const { attempt = 1, ...rest } = overrides;
  const made = sqsRecord(typeof content === 'string' ? content : envelopeText(content), rest);
  made.attributes.ApproximateReceiveCount = String(attempt);
  return made;
}

const failuresOf = (response: SQSBatchResponse) =>
  response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

/** A promise to settle from outside, and the moment somebody waits for it. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('an event past the deduplication window', () => {
  const now = () => new Date('2026-03-01T00:00:00Z');
  const daysOld = (days: number) =>
    envelopeText(sampleEvent(Knocked, {}, { time: new Date(now().getTime() - days * 24 * 60 * 60 * 1000) }));

  test.each([
    ['inbox', 'inbox' as const],
    ['idempotency', marksOf((_key, _context, effect) => effect())],
  ])('is a dead letter where %s marks tell what was handled', async (_, deduplication) => {
    const consumer = setUp(succeed, { deduplication }, { now });

    expect(failuresOf(await consumer.run(record(daysOld(28.9)), record(daysOld(31))))).toEqual([]);

    expect(consumer.handled).toHaveLength(1);
    expect(consumer.deadLetters().map(({ MessageAttributes }) => MessageAttributes)).toMatchObject([
      { ErrorCode: { StringValue: 'EVENT_TOO_OLD' }, FailureKind: { StringValue: 'permanent' } },
    ]);
  });

  test('is handled by a consumer whose own marks never expire, from a replay as well', async () => {
    const replays = { ...settings, replays: 'handle' as const };
    const consumer = setUp(succeed, { deduplication: 'permanent' }, { now, settings: replays });

    await consumer.run(record(daysOld(31)), record(daysOld(31).replace('"detail":', '"replay-name":"r","detail":')));

    expect(consumer.handled).toHaveLength(2);
    expect(consumer.deadLetters()).toEqual([]);
  });
});

describe('a batch', () => {
  test('of ten with two bad records: the transient one alone comes again, the permanent one is in the dead-letter queue', async () => {
    const records = Array.from({ length: 10 }, (_, index) => record(knock(`visitor ${index}`)));
    const consumer = setUp(async (visitor) => {
      if (visitor === 'visitor 3') throw new TransientError('BUSY', 'later');
      if (visitor === 'visitor 7') throw new PermanentError('UNWELCOME', 'never');
    });

    const response = await consumer.run(...records);

    expect(failuresOf(response)).toEqual([records[3]?.messageId]);
    expect(consumer.handled).toHaveLength(8);
    expect(consumer.deadLetters().map(({ MessageBody }) => MessageBody)).toEqual([records[7]?.body]);
    expect(consumer.delays().map(({ ReceiptHandle }) => ReceiptHandle)).toEqual([records[3]?.receiptHandle]);
  });

  test.each([
    ['a key that DynamoDB never takes', { name: 'ValidationException' }, 'permanent'],
    ['a text that is none', { name: 'SerializationException' }, 'permanent'],
    [
      'a transaction with such a write',
      { name: 'TransactionCanceledException', CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError' }] },
      'permanent',
    ],
    [
      'a transaction that was throttled',
      { name: 'TransactionCanceledException', CancellationReasons: [{ Code: 'ThrottlingError' }] },
      undefined,
    ],
  ])('with a record that fails for %s', async (_, error, kind) => {
    const consumer = setUp(async () => {
      throw Object.assign(new Error('refused'), { $fault: 'client' }, error);
    });

    await consumer.run(record(knock('ada')));

    const kinds = consumer
      .deadLetters()
      .map(({ MessageAttributes = {} }) => MessageAttributes.FailureKind?.StringValue);
    expect(kinds).toEqual(kind === undefined ? [] : [kind]);
  });

  test('of successes has no failures', async () => {
    const consumer = setUp(succeed);

    expect(await consumer.run(record(knock('ada')), record(knock('bob')))).toEqual({ batchItemFailures: [] });
    expect(consumer.handled).toEqual(['ada', 'bob']);
    expect(consumer.sqs.sent).toEqual([]);
  });

  test('runs no more records at once than the limit, and all of them in the end', async () => {
    let running = 0;
    let most = 0;
    const consumer = setUp(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      },
      { concurrency: 3 },
    );

    await consumer.run(...Array.from({ length: 10 }, (_, index) => record(knock(String(index)))));

    expect(most).toBe(3);
    expect(consumer.handled).toHaveLength(10);
  });

  test('of several contracts gives each event its type', async () => {
    const seen: unknown[] = [];
    const handler = consume(
      [Knocked, Rang],
      async (event) => {
        seen.push(event.detailType === 'Rang.v1' ? event.data.times : event.data.visitor);
      },
      {},
      { sqs: new RecordingClient(), settings },
    );

    await handler(sqsEvent(envelopeText(sampleEvent(Rang)), envelopeText(sampleEvent(Knocked))), lambdaContext());

    expect(seen).toEqual([2, 'ada']);
  });

  test('that is not an SQS event fails as a whole', async () => {
    const { handler } = setUp(succeed);

    for (const event of [{}, { Records: null }, { Records: {} }, null, undefined]) {
      await expect(handler(event as unknown as SQSEvent, lambdaContext())).rejects.toThrow(/SQS event with Records/);
    }
  });

  test('with malformed records is not acknowledged', async () => {
    const { handler, handled } = setUp(succeed);
    const sound = record(knock('ada'));
    const { attributes: _, ...withoutAttributes } = record(knock('bob'));
    const { eventSourceARN: __, ...withoutSource } = record(knock('eve'));

    const partly = await handler({ Records: [withoutAttributes as SQSRecord, sound] }, lambdaContext());
    const wholly = await handler({ Records: [withoutSource as SQSRecord, sound] }, lambdaContext());

    expect(failuresOf(partly)).toContain(withoutAttributes.messageId);
    expect(failuresOf(wholly)).toContain(withoutSource.messageId);
    expect(handled).not.toContain('eve');
    await expect(handler({ Records: [null as unknown as SQSRecord] }, lambdaContext())).rejects.toThrow();
  });
});

describe('an event that can never succeed goes to the dead-letter queue at once', () => {
  const foreign = envelopeText(knock('ada')).replace('"source":"millrace.door"', '"source":"millrace.window"');
  const invalid = envelopeText(knock('ada')).replace('"visitor":"ada"', '"visitor":17');

  const contradicting = envelopeText(knock('ada')).replace('"service":"door"', '"service":"window"');

  test.each([
    ['malformed JSON', '{"source":', 'MALFORMED_EVENT', undefined],
    ['JSON that is not an event', '{"hello":1}', 'MALFORMED_EVENT', undefined],
    ['an unknown detail-type', envelopeText(sampleEvent(Rang)), 'UNEXPECTED_EVENT', undefined],
    ['a foreign source', foreign, 'UNEXPECTED_EVENT', undefined],
    ['an envelope that its metadata contradict', contradicting, 'ENVELOPE_MISMATCH', undefined],
    ['a schema violation', invalid, 'SCHEMA_VIOLATION', undefined],
    ['a handler that says so', envelopeText(knock('ada')), 'UNWELCOME', 'correlation'],
  ])('%s', async (_, body, code, correlation) => {
    const consumer = setUp(async () => {
      throw new PermanentError('UNWELCOME', 'never');
    });

    const response = await consumer.run(record(body));

    expect(response).toEqual({ batchItemFailures: [] });
    const [letter] = consumer.deadLetters();
    expect(letter).toMatchObject({ QueueUrl: settings.deadLetterQueueUrl, MessageBody: body });
    expect(letter?.MessageAttributes).toMatchObject({
      ErrorCode: { DataType: 'String', StringValue: code },
      FailureKind: { StringValue: 'permanent' },
    });
    expect(letter?.MessageAttributes.CorrelationId).toEqual(correlation && expect.anything());
  });

  test('with attributes that say why, who, how often and when', async () => {
    const event = knock('ada');
    const consumer = setUp(async () => {
      throw new PermanentError('UNWELCOME', 'never\nagain\u0000');
    });
    const received = record(event, { attempt: 2 });
    received.attributes.ApproximateFirstReceiveTimestamp = String(Date.UTC(2026, 2, 1));

    await consumer.run(received);

    const attributes = consumer.deadLetters()[0]?.MessageAttributes ?? {};
    expect(
      Object.fromEntries(Object.entries(attributes).map(([name, { StringValue }]) => [name, StringValue])),
    ).toEqual({
      ErrorCode: 'UNWELCOME',
      ErrorMessage: 'never again ',
      FailureKind: 'permanent',
      Consumer: 'butler.onKnocked',
      Attempts: '2',
      FirstFailedAt: '2026-03-01T00:00:00.000Z',
      LastFailedAt: '2026-03-01T00:00:10.000Z',
      CorrelationId: event.event.metadata.correlationId,
      EventDigest: createHash('sha256').update(received.body).digest('base64url'),
    });
  });

  test.each<[string, string, unknown]>([
    [
      'a schema violation',
      envelopeText(knock('Ludmila')).replace('"visitor":"Ludmila"', '"visitor":{"Ludmila":1}'),
      undefined,
    ],
    ['malformed JSON', '{"visitor":"Ludmila"', undefined],
    ['a stranger', envelopeText(knock('Ludmila')).replace('Knocked.v1', 'Mrs Ludmila'), undefined],
    ['a contradiction', envelopeText(knock('Ludmila')).replace('"name":"Knocked"', '"name":"Mrs Ludmila"'), undefined],
    ['a parser', envelopeText(knock('Ludmila')), new SyntaxError('Unexpected token L in "Ludmila"')],
    ['something that is not an error', envelopeText(knock('Ludmila')), 'Ludmila'],
    [
      'an error of AWS',
      envelopeText(knock('Ludmila')),
      Object.assign(new Error("Value 'Ludmila' at 'name'"), {
        name: 'ValidationException',
        $metadata: {},
        $fault: 'client',
      }),
    ],
  ])('with a reason and log lines that say nothing of what is in it: %s', async (_, body, thrown) => {
    const lines: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      jest.spyOn(stream, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
    }
    const level = logger.getLevelName();
    logger.setLogLevel('DEBUG');
    const consumer = setUp(async () => {
      throw thrown;
    });

    await consumer.run(record(body, { attempt: 5 }));
    jest.restoreAllMocks();
    logger.setLogLevel(level);

    const [letter] = consumer.deadLetters();
    expect(letter?.MessageBody).toBe(body);
    expect(letter?.MessageAttributes.ErrorMessage?.StringValue).toMatch(/.{10}/);
    expect(JSON.stringify(letter?.MessageAttributes)).not.toContain('Ludmila');
    expect(lines.join()).toContain('Event goes to the dead-letter queue');
    expect(lines.join()).not.toContain('Ludmila');
  });

  test('whose first failure is its last when it is the first attempt', async () => {
    const consumer = setUp(succeed);

    await consumer.run(record('no event'));

    expect(consumer.deadLetters()[0]?.MessageAttributes).toMatchObject({
      FirstFailedAt: { StringValue: '2026-03-01T00:00:10.000Z' },
      LastFailedAt: { StringValue: '2026-03-01T00:00:10.000Z' },
    });
  });

  test('with as much of its reason as fits beside a body of nearly 1 MiB', async () => {
    const body = 'x'.repeat(1024 * 1024 - 100);
    const consumer = setUp(succeed);

    expect(await consumer.run(record(body))).toEqual({ batchItemFailures: [] });

    const attributes = Object.entries(consumer.deadLetters()[0]?.MessageAttributes ?? {});
    const bytes = attributes.reduce(
      (sum, [name, { DataType, StringValue }]) => sum + (name + DataType + StringValue).length,
      0,
    );
    expect(attributes.map(([name]) => name)).toContain('ErrorCode');
    expect(bytes).toBeLessThanOrEqual(100);
  });

  test('with a reason that SQS accepts, however long and whatever is in it', async () => {
    const consumer = setUp(async () => {
      throw new PermanentError('UNWELCOME', `${'x'.repeat(999)}😀 and more`);
    });

    await consumer.run(record(knock('ada')));

    const reason = consumer.deadLetters()[0]?.MessageAttributes.ErrorMessage?.StringValue ?? '';
    expect(reason).toHaveLength(1000);
    expect(reason.isWellFormed()).toBe(true);
  });

  test('and is acknowledged only after SQS has the copy', async () => {
    const { opened, open } = gate();
    const sqs = new RecordingClient(() => opened);
    const { run } = setUp(succeed, {}, { sqs });
    let answered = false;

    const running = run(record('no event')).then((response) => {
      answered = true;
      return response;
    });
    await new Promise((resolve) => setImmediate(resolve));

    expect(sqs.inputs('SendMessageCommand')).toHaveLength(1);
    expect(answered).toBe(false);
    open();
    expect(await running).toEqual({ batchItemFailures: [] });
  });

  test('and is reported as failed when it cannot be put there', async () => {
    const received = record('no event');
    const { run } = setUp(
      succeed,
      {},
      {
        sqs: new RecordingClient(() => {
          throw new Error('SQS is down');
        }),
      },
    );

    expect(failuresOf(await run(received))).toEqual([received.messageId]);
  });
});

describe('an event that may succeed later', () => {
  const fails: Handle = async () => {
    throw new Error('not now');
  };

  test.each([
    [1, 1, 2],
    [2, 1, 4],
    [3, 1, 8],
    [4, 0.5, 8],
    [4, 0, 0],
    [1, 0.01, 1],
  ])('comes again after attempt %i with jitter %d in %i seconds', async (attempt, random, seconds) => {
    const { run, delays, deadLetters } = setUp(fails, {}, { random: () => random });
    const received = record(knock('ada'), { attempt });

    expect(failuresOf(await run(received))).toEqual([received.messageId]);
    expect(delays()).toEqual([
      { QueueUrl: settings.queueUrl, ReceiptHandle: received.receiptHandle, VisibilityTimeout: seconds },
    ]);
    expect(deadLetters()).toEqual([]);
  });

  test("waits at most as long as the queue's setting allows", async () => {
    const { run, delays } = setUp(
      fails,
      {},
      { settings: { ...settings, maxReceiveCount: 50, maxRetryDelaySeconds: 90 } },
    );

    await run(record(knock('ada'), { attempt: 40 }));

    expect(delays()[0]?.VisibilityTimeout).toBe(90);
  });

  test('comes again even when the delay cannot be set', async () => {
    const sqs = new RecordingClient(() => {
      throw new Error('SQS is down');
    });
    const received = record(knock('ada'));

    expect(failuresOf(await setUp(fails, {}, { sqs }).run(received))).toEqual([received.messageId]);
  });

  test.each([5, 6])('goes to the dead-letter queue with its reason at attempt %i of 5', async (attempt) => {
    const { run, delays, deadLetters } = setUp(async () => {
      throw new TypeError('x is undefined');
    });

    expect(await run(record(knock('ada'), { attempt }))).toEqual({ batchItemFailures: [] });
    expect(delays()).toEqual([]);
    expect(deadLetters()[0]?.MessageAttributes).toMatchObject({
      ErrorCode: { StringValue: 'TypeError' },
      ErrorMessage: { StringValue: 'x is undefined' },
      FailureKind: { StringValue: 'exhausted' },
      Attempts: { StringValue: String(attempt) },
    });
  });

  test('may have failed with anything at all', async () => {
    for (const thrown of [undefined, null, 'text', 17, {}]) {
      const received = record(knock('ada'));
      const { run } = setUp(async () => {
        throw thrown;
      });

      expect(failuresOf(await run(received))).toEqual([received.messageId]);
    }
  });
});

describe('an event that was handled before', () => {
  test('is acknowledged and leaves no trace', async () => {
    const consumer = setUp(async () => {
      throw new DuplicateEventError('butler.onKnocked', 'event-1');
    });

    expect(await consumer.run(record(knock('ada'), { attempt: 5 }))).toEqual({ batchItemFailures: [] });
    expect(consumer.sqs.sent).toEqual([]);
  });
});

describe('what a handler is given', () => {
  test('identity, cause, trace and attempt', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const event = sampleEvent(Knocked, {}, { id: 'event-1', correlationId: 'correlation-1', traceparent });
    let given: RecordContext | undefined;
    const { run } = setUp(async (_, context) => {
      given = context;
    });

    await run(record(event, { attempt: 3, messageId: 'another id' }));

    expect(given).toMatchObject({
      inbox: { consumer: 'butler.onKnocked', eventId: 'event-1' },
      cause: { correlationId: 'correlation-1', causationId: 'event-1' },
      attempt: 3,
    });
    expect(given?.cause.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(given?.cause.traceparent).not.toBe(traceparent);
  });

  test('a logger with the identity of its own event, never of its neighbour', async () => {
    const lines: Record<string, unknown>[] = [];
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(JSON.parse(String(line)));
      return true;
    });
    const { run } = setUp(async (visitor, { logger }) => {
      logger.setLogLevel('INFO');
      await new Promise((resolve) => setImmediate(resolve));
      logger.info(visitor);
    });

    await run(
      record(sampleEvent(Knocked, { visitor: 'ada' }, { id: '1', correlationId: 'a' })),
      record(sampleEvent(Knocked, { visitor: 'bob' }, { id: '2', correlationId: 'b' })),
    );
    write.mockRestore();

    expect(lines).toMatchObject([
      { message: 'ada', event_id: '1', correlation_id: 'a', event_type: 'Knocked.v1' },
      { message: 'bob', event_id: '2', correlation_id: 'b', event_type: 'Knocked.v1' },
    ]);
  });
});

describe('a FIFO queue', () => {
  const inGroup = (visitor: string, group: string) => fifoRecord(envelopeText(knock(visitor)), group);

  test('runs a group in order and different groups side by side', async () => {
    const started: string[] = [];
    const { opened, open } = gate();
    const { run, handled } = setUp(async (visitor) => {
      started.push(visitor);
      if (visitor === 'a1') await opened;
      if (visitor === 'b2') open();
    });

    const response = await run(inGroup('a1', 'a'), inGroup('a2', 'a'), inGroup('b1', 'b'), inGroup('b2', 'b'));

    expect(response).toEqual({ batchItemFailures: [] });
    expect(started).toEqual(['a1', 'b1', 'b2', 'a2']);
    expect(handled).toEqual(['b1', 'b2', 'a1', 'a2']);
  });

  test('stops a group at its first failure, and no other group', async () => {
    const { run, handled, delays } = setUp(async (visitor) => {
      if (visitor === 'a2') throw new Error('not now');
    });
    const records = ['a1', 'a2', 'b1', 'a3', 'b2', 'a4'].map((visitor) => inGroup(visitor, visitor.slice(0, 1)));

    const response = await run(...records);

    expect(failuresOf(response)).toEqual([records[1], records[3], records[5]].map((failed) => failed?.messageId));
    expect(handled.sort()).toEqual(['a1', 'b1', 'b2']);
    // The group comes again when the failed message does: no other one keeps it locked.
    expect(delays().map(({ ReceiptHandle, VisibilityTimeout }) => [ReceiptHandle, VisibilityTimeout])).toEqual([
      [records[1]?.receiptHandle, 2],
      [records[3]?.receiptHandle, 0],
      [records[5]?.receiptHandle, 0],
    ]);
  });

  test('goes on behind an event that went to the dead-letter queue, which keeps its group', async () => {
    const deadLetterQueueUrl = 'http://127.0.0.1/dlq.fifo';
    const { run, handled, deadLetters } = setUp(succeed, {}, { settings: { ...settings, deadLetterQueueUrl } });
    const poison = fifoRecord('no event', 'a');

    const response = await run(poison, inGroup('a2', 'a'));

    expect(response).toEqual({ batchItemFailures: [] });
    expect(handled).toEqual(['a2']);
    expect(deadLetters()[0]).toMatchObject({
      MessageGroupId: 'a',
      // The event's own would be dropped by SQS when it dies again within five minutes.
      MessageDeduplicationId: poison.messageId,
    });
  });

  test('a standard queue with fair-queue groups is not held up by a failure', async () => {
    const { run, handled } = setUp(async (visitor) => {
      if (visitor === 'a1') throw new Error('not now');
    });
    const [first, second] = ['a1', 'a2'].map((visitor) => record(knock(visitor))) as [SQSRecord, SQSRecord];
    first.attributes.MessageGroupId = 'a';
    second.attributes.MessageGroupId = 'a';

    expect(failuresOf(await run(first, second))).toEqual([first.messageId]);
    expect(handled).toEqual(['a2']);
  });
});

describe('an event of a replay', () => {
  const replayed = (visitor: string, id = 'event-1', replay = 'replay-1') =>
    envelopeText(sampleEvent(Knocked, { visitor }, { id })).replace('"detail":', `"replay-name":"${replay}","detail":`);
  const given: RecordContext[] = [];
  const remember: Handle = async (_, context) => {
    given.push(context);
  };
  const inMode = (replays: 'ignore' | 'handle' | 'rebuild') => ({ settings: { ...settings, replays } });
  afterEach(() => {
    given.length = 0;
  });

  test('is acknowledged like a duplicate, whatever it holds', async () => {
    const { run, handled, sqs } = setUp(succeed);

    expect(await run(record(replayed('ada')), record(replayed('ada').replace('Knocked', 'Rang')))).toEqual({
      batchItemFailures: [],
    });

    expect(handled).toEqual([]);
    expect(sqs.sent).toEqual([]);
  });

  test('is handled under its own id where replays are to be handled', async () => {
    const { run } = setUp(remember, {}, inMode('handle'));

    await run(record(replayed('ada')), record(knock('bob')));

    expect(given[0]).toMatchObject({
      replay: 'replay-1',
      inbox: { consumer: 'butler.onKnocked', eventId: 'event-1' },
    });
    expect(given[1]).not.toHaveProperty('replay');
  });

  test('is a dead letter when it is so old that its marks may be gone, but in a rebuild it is handled', async () => {
    const context = { id: 'event-1', time: new Date('2026-01-01T00:00:00Z') };
    const old = envelopeText(sampleEvent(Knocked, {}, context)).replace('"detail":', '"replay-name":"r","detail":');

    const handling = setUp(succeed, {}, inMode('handle'));
    await handling.run(record(old));
    const rebuilding = setUp(succeed, {}, inMode('rebuild'));
    await rebuilding.run(record(old));

    expect(handling.handled).toEqual([]);
    expect(handling.deadLetters()[0]?.MessageAttributes.ErrorCode?.StringValue).toBe('EVENT_TOO_OLD');
    expect(rebuilding.handled).toEqual(['ada']);
  });

  test('is handled once for each replay in a rebuild, and the live one for itself', async () => {
    const { run } = setUp(remember, {}, inMode('rebuild'));

    await run(record(replayed('ada', 'e', 'first')), record(replayed('ada', 'e', 'second')), record(knock('ada')));

    expect(given.map(({ inbox }) => inbox.consumer)).toEqual([
      'butler.onKnocked#first',
      'butler.onKnocked#second',
      'butler.onKnocked',
    ]);
  });

  test('has no effects in a rebuild, and those it has not had yet where replays are handled', async () => {
    const effects: string[] = [];
    const run = async (replays: 'handle' | 'rebuild') => {
      const deduplication = marksOf(async (key, _, effect) => {
        effects.push(key);
        await effect();
      });
      const handle: Handle = async (_, { once }) => once('mail', async () => {});
      const consumer = setUp(handle, { deduplication }, inMode(replays));
      await consumer.run(record(replayed('ada')));
      return consumer.handled;
    };

    expect(await run('rebuild')).toEqual(['ada']);
    expect(effects).toEqual([]);
    expect(await run('handle')).toEqual(['ada']);
    expect(effects).toEqual(['butler.onKnocked#event-1#mail']);
  });
});

describe('shortly before the timeout of the function', () => {
  test('a record at its last attempt goes to the dead-letter queue with its reason', async () => {
    const { handler, deadLetters } = setUp(succeed, { reserveMs: 500 });
    const [last, earlier] = [record(knock('ada'), { attempt: 5 }), record(knock('bob'), { attempt: 4 })];

    const response = await handler(sqsEvent(last, earlier), lambdaContext(500));

    expect(failuresOf(response)).toEqual([earlier.messageId]);
    expect(deadLetters()).toMatchObject([
      {
        MessageBody: last.body,
        MessageAttributes: { ErrorCode: { StringValue: 'TIME_UP' }, FailureKind: { StringValue: 'exhausted' } },
      },
    ]);
  });

  test('no record is started and all are reported', async () => {
    const { handler, handled } = setUp(succeed, { reserveMs: 500 });
    const records = [record(knock('ada')), record(knock('bob'))];

    const response = await handler(sqsEvent(...records), lambdaContext(500));

    expect(failuresOf(response)).toEqual(records.map(({ messageId }) => messageId));
    expect(handled).toEqual([]);
  });

  test('what has not started yet is left, what is done is acknowledged', async () => {
    let remaining = 10_000;
    const { handler, handled } = setUp(
      async (visitor) => {
        if (visitor === 'bob') remaining = 400;
      },
      { concurrency: 1 },
    );
    const records = ['ada', 'bob', 'eve'].map((visitor) => record(knock(visitor)));

    const response = await handler(
      sqsEvent(...records),
      lambdaContext(() => remaining),
    );

    expect(handled).toEqual(['ada', 'bob']);
    expect(failuresOf(response)).toEqual([records[2]?.messageId]);
  });

  test('a record that hangs is reported, what is done is acknowledged, and nothing is started any more', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const started: string[] = [];
      const { handler, handled } = setUp(
        async (visitor) => {
          started.push(visitor);
          if (visitor === 'hangs') await new Promise(() => {});
        },
        { concurrency: 2, reserveMs: 500 },
      );
      const hanging = fifoRecord(envelopeText(knock('hangs')), 'a');
      const behind = fifoRecord(envelopeText(knock('behind')), 'a');
      const done = fifoRecord(envelopeText(knock('done')), 'b');

      // The context's clock stands still: only the timer tells that the time is up.
      const running = handler(sqsEvent(hanging, behind, done), lambdaContext(3_000));
      await jest.advanceTimersByTimeAsync(2_499);
      expect(handled).toEqual(['done']);
      await jest.advanceTimersByTimeAsync(1);
      const response = await running;

      expect(failuresOf(response)).toEqual([hanging.messageId, behind.messageId]);
      expect(started).toEqual(['hangs', 'done']);
    } finally {
      jest.useRealTimers();
    }
  });

  test('starts no record of another group either when the timer is a moment early', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const started: string[] = [];
      const { handler } = setUp(
        async (visitor) => {
          started.push(visitor);
          await new Promise(() => {});
        },
        { concurrency: 1, reserveMs: 0 },
      );
      const records = [record(knock('hangs')), record(knock('waits'))];

      const running = handler(sqsEvent(...records), lambdaContext(1_000));
      await jest.advanceTimersByTimeAsync(1_000);

      expect(failuresOf(await running)).toEqual(records.map(({ messageId }) => messageId));
      expect(started).toEqual(['hangs']);
    } finally {
      jest.useRealTimers();
    }
  });

  test('what is given up and ends all the same counts when it comes again, and once', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const addMetric = jest.spyOn(metrics, 'addMetric');
    const counted = () => addMetric.mock.calls.map(([name]) => name).filter((name) => name !== 'EventFailed');
    try {
      const slow = gate();
      const done = new Set<string>();
      const { handler, run } = setUp(async (visitor) => {
        if (done.has(visitor)) throw new DuplicateEventError('butler.onKnocked', visitor);
        if (visitor === 'slow') await slow.opened;
        done.add(visitor);
      });
      const late = record(knock('slow'));

      const running = handler(sqsEvent(late, record(knock('quick'))), lambdaContext(3_000));
      await jest.advanceTimersByTimeAsync(2_500);
      expect(failuresOf(await running)).toEqual([late.messageId]);
      slow.open();
      await jest.advanceTimersByTimeAsync(1);
      expect(counted()).toEqual(['EventHandled']);

      await run(late);
      expect(counted()).toEqual(['EventHandled', 'EventDuplicate']);
    } finally {
      addMetric.mockRestore();
      jest.useRealTimers();
    }
  });

  test('leaves no timer behind when all is done in time', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      await setUp(succeed).run(record(knock('ada')));

      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('de-duplication by an idempotency table', () => {
  test('runs an effect under the key of consumer, event and step, with the context of the invocation', async () => {
    const keys: string[] = [];
    const contexts: string[] = [];
    const deduplication = marksOf(async (key, context, effect) => {
      keys.push(key);
      contexts.push(context.awsRequestId);
      if (keys.filter((other) => other === key).length === 1) await effect();
    });
    const greeted: string[] = [];
    const greet: Handle = (visitor, { once }) =>
      once('greeting', async () => {
        greeted.push(visitor);
      });
    const { handler } = setUp(greet, { deduplication });
    const event = sampleEvent(Knocked, {}, { id: 'event-1' });
    const context = lambdaContext();

    const response = await handler(sqsEvent(record(event), record(event)), context);

    expect(response).toEqual({ batchItemFailures: [] });
    expect(greeted).toEqual(['ada']);
    expect(keys).toEqual(['butler.onKnocked#event-1#greeting', 'butler.onKnocked#event-1#greeting']);
    expect(contexts).toEqual([context.awsRequestId, context.awsRequestId]);
  });
});
