import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SendMessageCommandInput } from '@aws-sdk/client-sqs';
import { describe, expect, test } from '@jest/globals';
import type { DocumentClient } from '@millrace/aws';
import { isEdited, readDeadLetter } from '@millrace/dead-letters';
import { compilePattern } from '@millrace/event-pattern';
import {
  defineEvent,
  type EmittableEvent,
  type EventEmitter,
  entryOfEnvelope,
  InMemoryEmitter,
  parseEnvelope,
} from '@millrace/events';
import { insertRecord, lambdaContext, RecordingClient, sampleEvent, streamEvent } from '@millrace/testing';
import type { AttributeValue, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { parse } from 'yaml';
import * as z from 'zod';
import {
  DynamoDbEventStore,
  InMemoryPayloadStore,
  outboxRow,
  type RefusedRow,
  type RelayDeadLetters,
  relay,
  SqsRelayDeadLetters,
} from './index.ts';

const Moved = defineEvent({
  name: 'Moved',
  version: 1,
  service: 'counter',
  category: 'domain',
  type: 'data',
  summary: 'A counter has another value.',
  data: z.object({ step: z.string(), text: z.string().optional() }),
  example: { step: '1' },
});

const moved = (step: string) => sampleEvent(Moved, { step });
const stepOf = (event: EmittableEvent) => JSON.parse(event.detail).data.step;

const outboxOf = (event: EmittableEvent): AttributeValue => ({
  M: Object.fromEntries(Object.entries(event.entry).map(([name, S]) => [name, { S }])),
});

/** A stream record of `a1`: event 1 of partition a, with the record's place in the batch as its sequence number. */
function batch(...steps: string[]): DynamoDBRecord[] {
  return steps.map((step, index) =>
    insertRecord(
      { pk: { S: step.slice(0, 1) }, sk: { S: `EVENT#${step}` }, outbox: outboxOf(moved(step)) },
      String(100 + index),
    ),
  );
}

function setUp(refuse: (step: string) => boolean | 'for good' = () => false) {
  const emitter = new InMemoryEmitter();
  emitter.refuse = (event) => refuse(stepOf(event));
  const buried: RefusedRow[] = [];
  const queue = { isDown: false };
  const deadLetters: RelayDeadLetters = {
    send: async (row) => {
      if (queue.isDown) throw new Error('SQS is down');
      buried.push(row);
    },
  };
  const handler = relay([Moved], { bus: emitter, deadLetters });
  const run = async (...records: DynamoDBRecord[]) =>
    (await handler(streamEvent(...records))).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  /** Lambda: starts again at the reported record, and comes with what has been written since when there is nothing left. */
  const retry = async (records: DynamoDBRecord[], tries: number) => {
    let left = records;
    for (let attempt = 0; left.length > 0 && attempt < tries; attempt += 1) {
      const [failed] = await run(...left);
      left =
        failed === undefined ? [] : left.slice(left.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed));
    }
    return left.length;
  };
  return {
    emitted: () => emitter.emitted.map(stepOf),
    calls: () => emitter.calls.map((call) => call.map(stepOf)),
    buried: () => buried.map(({ code, place }) => [place.sk.replace('EVENT#', ''), code]),
    handler,
    run,
    retry,
    emitter,
    queue,
  };
}

describe('the relay', () => {
  test('emits what was stored, byte for byte', async () => {
    const { run, emitter } = setUp();
    const event = sampleEvent(Moved, { text: 'Grüße "quoted" \\ \u2028 😀' });

    expect(await run(insertRecord({ pk: { S: 'a' }, sk: { S: '1' }, outbox: outboxOf(event) }, '1'))).toEqual([]);

    expect(emitter.emitted.map((emitted) => emitted.entry)).toEqual([event.entry]);
  });

  test('ignores rows without an event, changes and removals', async () => {
    const { run, calls } = setUp();
    const [inserted] = batch('a1') as [DynamoDBRecord];
    const removed = { ...inserted, eventName: 'REMOVE', dynamodb: { Keys: inserted.dynamodb?.Keys } } as DynamoDBRecord;

    const failures = await run(
      insertRecord({ pk: { S: 'a' }, sk: { S: 'STATE' } }, '1'),
      insertRecord(inserted.dynamodb?.NewImage ?? {}, '2', 'MODIFY'),
      removed,
    );

    expect(failures).toEqual([]);
    expect(calls()).toEqual([]);
  });

  test('never puts two events of a partition into one call, and keeps their order', async () => {
    const { run, calls } = setUp();

    await run(...batch('a1', 'a2', 'b1', 'a3', 'c1', 'b2'));

    expect(calls()).toEqual([['a1', 'b1', 'c1'], ['a2', 'b2'], ['a3']]);
  });

  test('reports the first event that was not accepted, and emits none of the next wave', async () => {
    const { run, emitted } = setUp((step) => step === 'b1' || step === 'c1');

    const failures = await run(...batch('a1', 'a2', 'b1', 'b2', 'c1'));

    // a2 waits with b2: an outage is asked for no more than one wave.
    expect(emitted()).toEqual(['a1']);
    expect(failures).toEqual(['101']);
  });

  test('reports the lowest failure, although later records of the batch were accepted', async () => {
    const { run, emitted } = setUp((step) => step === 'a2');

    const failures = await run(...batch('a1', 'a2', 'b1', 'b2', 'c1'));

    expect(emitted()).toEqual(['a1', 'b1', 'c1', 'b2']);
    expect(failures).toEqual(['101']);
  });

  test('emits the neighbours of a row that has to wait once, however often the batch comes again', async () => {
    const steps = Array.from({ length: 100 }, (_, index) => `${'abcdefghij'[index % 10]}${Math.floor(index / 10)}`);
    const { retry, emitted } = setUp((step) => step === 'c0');

    expect(await retry(batch(...steps), 20)).toBe(98);
    // Those of the same partition wait with it.
    expect(emitted().toSorted()).toEqual(steps.filter((step) => !step.startsWith('c')).toSorted());
  });

  test('ends with each event emitted once and in order, when the outage is over', async () => {
    let refusals = 20;
    const { retry, emitted } = setUp((step) => step.startsWith('c') && refusals-- > 0);
    const steps = Array.from({ length: 100 }, (_, index) => `${'abcdefghij'[index % 10]}${index}`);

    expect(await retry(batch(...steps), 40)).toBe(0);
    expect(emitted().toSorted()).toEqual(steps.toSorted());
    for (const partition of 'abcdefghij') {
      const ofPartition = (step: string) => step.startsWith(partition);
      expect(emitted().filter(ofPartition)).toEqual(steps.filter(ofPartition));
    }
  });

  test('converges when Lambda starts again at the reported record, in order within each partition', async () => {
    let refusals = 3;
    const { retry, emitted } = setUp((step) => step.startsWith('b') && refusals-- > 0);

    expect(await retry(batch('a1', 'b1', 'a2', 'b2', 'a3'), 10)).toBe(0);

    expect(emitted().filter((step) => step.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(emitted().filter((step) => step.startsWith('b'))).toEqual(['b1', 'b2']);
  });

  test('takes a call that fails in an unknown way for the failure of each of its events', async () => {
    const emitter: EventEmitter = {
      emit: async () => {
        throw new Error('socket hang up');
      },
    };

    expect(await relay([Moved], { bus: emitter })(streamEvent(...batch('a1', 'b1')))).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }],
    });
  });

  test('answers before its function times out while the bus does not, and emits nothing again that is there', async () => {
    const { handler, emitter, emitted } = setUp();
    const { emit } = emitter;
    emitter.emit = async (events) =>
      events.some((event) => stepOf(event) === 'a2') ? new Promise(() => {}) : emit.call(emitter, events);
    const records = batch('a1', 'a2', 'b1');
    expect(await handler(streamEvent(...records), lambdaContext(520))).toEqual({
      batchItemFailures: [{ itemIdentifier: '101' }],
    });

    emitter.emit = emit;
    expect(await handler(streamEvent(...records.slice(1)), lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(emitted()).toEqual(['a1', 'b1', 'a2']);
  });

  test('begins nothing when there is no time left', async () => {
    const { handler, emitted } = setUp();
    expect(await handler(streamEvent(...batch('a1')), lambdaContext(500))).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }],
    });
    expect(emitted()).toEqual([]);
  });
});

describe('a row that the bus refuses for good', () => {
  test('is a dead letter at once, and holds no other row back: not even those of its partition', async () => {
    const { run, emitted, buried } = setUp((step) => step === 'b1' && 'for good');

    expect(await run(...batch('a1', 'b1', 'c1', 'b2', 'a2'))).toEqual([]);

    expect(buried()).toEqual([['b1', 'InvalidArgument']]);
    expect(emitted()).toEqual(['a1', 'c1', 'b2', 'a2']);
  });

  test('comes again while the queue cannot take it, and its neighbours do not', async () => {
    const { retry, emitted, buried, queue } = setUp((step) => step === 'b1' && 'for good');
    const records = batch('a1', 'b1', 'c1', 'b2');
    queue.isDown = true;

    expect(await retry(records, 20)).toBe(3);
    expect(emitted()).toEqual(['a1', 'c1', 'b2']);
    queue.isDown = false;
    expect(await retry(records.slice(1), 20)).toBe(0);
    expect(buried()).toEqual([['b1', 'InvalidArgument']]);
    expect(emitted()).toEqual(['a1', 'c1', 'b2']);
  });

  test('is tried again by a relay that has no dead-letter queue', async () => {
    const emitter = new InMemoryEmitter();
    emitter.refuse = () => 'for good';

    expect(await relay([Moved], { bus: emitter })(streamEvent(...batch('a1')))).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }],
    });
  });

  test('is said in the report, when the request asks for one', async () => {
    const { handler } = setUp((step) => (step === 'b1' ? 'for good' : step === 'c1'));
    const Records = batch('a1', 'b1', 'c1', 'c2');
    const [a1, b1, c1, c2] = Records.map(({ eventID }) => eventID);

    expect(await handler({ Records, report: true })).toEqual({
      batchItemFailures: [{ itemIdentifier: '102' }],
      outcomes: [
        { eventId: a1, outcome: 'emitted' },
        { eventId: b1, outcome: 'refused', code: 'InvalidArgument' },
        { eventId: c1, outcome: 'failed', code: 'InternalFailure' },
        { eventId: c2, outcome: 'failed' },
      ],
    });
  });
});

describe('an outbox row that cannot be read', () => {
  const unreadable = (outbox: AttributeValue) => insertRecord({ pk: { S: 'x' }, sk: { S: 'EVENT#1' }, outbox }, '999');

  test.each([
    ['no map', { S: 'text' }],
    ['an empty map', { M: {} }],
    ['no detail', { M: { source: { S: 's' }, detailType: { S: 't' }, time: { S: 'now' } } }],
    ['a number for the source', { M: { ...outboxOf(moved('1')).M, source: { N: '1' } } }],
    ['a time that is none', { M: { ...outboxOf(moved('1')).M, time: { S: 'now' } } }],
  ])('(%s) is a dead letter, and holds no other row back', async (_, outbox) => {
    const { run, emitted, buried } = setUp();
    const [first, last] = batch('a1', 'b1') as [DynamoDBRecord, DynamoDBRecord];

    expect(await run(first, unreadable(outbox), last)).toEqual([]);
    expect(emitted()).toEqual(['a1', 'b1']);
    expect(buried()).toEqual([['1', 'OUTBOX_UNREADABLE']]);
  });

  test('does not hide an earlier failure', async () => {
    const { run } = setUp(() => true);

    expect(await run(...batch('a1'), unreadable({ M: {} }))).toEqual(['100']);
  });

  test('without a sequence number fails the whole batch, when it cannot be given up', async () => {
    const { run, queue } = setUp();
    queue.isDown = true;
    const record = unreadable({ M: {} });
    delete record.dynamodb?.SequenceNumber;

    expect(await run(record)).toEqual(['']);
  });
});

describe('a dead letter of a relay', () => {
  /** The letter of a refused row as an operator reads it. */
  async function letterOf(event: EmittableEvent, outbox = outboxOf(event)) {
    const emitter = new InMemoryEmitter();
    emitter.refuse = () => 'for good';
    const sqs = new RecordingClient();
    const deadLetters = new SqsRelayDeadLetters(sqs, {
      queueUrl: 'https://queue',
      consumer: 'counter.relay',
      now: () => new Date('2026-01-31T12:00:00Z'),
    });
    const record = insertRecord({ pk: { S: 'a' }, sk: { S: 'EVENT#1' }, outbox }, '1');
    expect(await relay([Moved], { bus: emitter, deadLetters })(streamEvent(record))).toEqual({ batchItemFailures: [] });
    const [input] = sqs.inputs<SendMessageCommandInput>('SendMessageCommand');
    expect(input?.QueueUrl).toBe('https://queue');
    return readDeadLetter({ Body: input?.MessageBody, MessageAttributes: input?.MessageAttributes });
  }

  test('holds the event, byte for byte, with the attributes of any dead letter', async () => {
    const event = sampleEvent(Moved, { text: 'Grüße "quoted" \\ \u2028 😀 1.0' });

    const { body, event: identity, attributes, reason } = await letterOf(event);

    expect(entryOfEnvelope(body).entry).toEqual(event.entry);
    expect(Moved.parse(parseEnvelope(body)).data).toMatchObject({ text: expect.stringContaining('Grüße') });
    expect(identity?.id).toBe(event.event.metadata.id);
    expect(reason).toEqual({
      code: 'InvalidArgument',
      message: 'EventBridge refused it: InvalidArgument',
      kind: 'permanent',
      consumer: 'counter.relay',
      attempts: 1,
      firstFailedAt: '2026-01-31T12:00:00.000Z',
      lastFailedAt: '2026-01-31T12:00:00.000Z',
      correlationId: event.event.metadata.correlationId,
    });
    expect(isEdited({ body, attributes })).toBe(false);
  });

  test.each([
    ['is no JSON', 'no JSON'],
    ['does not fit into a message', JSON.stringify({ metadata: {}, data: 'x'.repeat(1024 * 1024 - 3_000) })],
  ])('names the row when the event %s', async (_, detail) => {
    const event = moved('1');
    const { body, reason } = await letterOf(event, { M: { ...outboxOf(event).M, detail: { S: detail } } });

    expect(JSON.parse(body)).toEqual({ outboxRow: { table: 'test', pk: 'a', sk: 'EVENT#1' } });
    expect(reason.code).toBe('InvalidArgument');
  });
});

describe('a large event', () => {
  const random = (bytes: number) => randomBytes(bytes).toString('base64');
  const large = sampleEvent(Moved, { text: random(500_000) });

  /** An attribute as a stream record shows it. */
  function attributeOf(value: unknown): AttributeValue {
    if (typeof value === 'string') return { S: value };
    if (typeof value === 'number') return { N: String(value) };
    if (ArrayBuffer.isView(value)) return { B: Buffer.from(value as Uint8Array).toString('base64') };
    return { M: Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, attributeOf(item)])) };
  }

  const recordOf = (outbox: unknown) =>
    insertRecord({ pk: { S: 'a' }, sk: { S: 'EVENT#1' }, outbox: attributeOf(outbox) }, '100');

  /** The stream record of a large event whose content is in a payload store. */
  async function claimed() {
    const payloads = new InMemoryPayloadStore();
    const client = new RecordingClient();
    const store = new DynamoDbEventStore(client as unknown as DocumentClient, 'counters', { payloads });
    const event = { id: 'event-1', event: { type: 'Moved' }, time: new Date(), correlationId: 'correlation-1' };
    await store.append('a', 0, [{ ...event, emit: large }]);
    const [input] = client.inputs<{ Item: { outbox: unknown } }>('PutCommand');
    return { payloads, record: recordOf(input?.Item.outbox) };
  }

  const compressed = () => {
    const event = sampleEvent(Moved, { text: 'Grüße '.repeat(20_000) });
    return { event, record: recordOf(outboxRow('counters', 'a', event, new Date()).write.Put?.Item?.outbox) };
  };

  test('is emitted from its compressed copy, byte for byte', async () => {
    const { run, emitter } = setUp();
    const { event, record } = compressed();

    expect(await run(record)).toEqual([]);
    expect(emitter.emitted.map(({ entry }) => entry)).toEqual([event.entry]);
  });

  test('is emitted from the payload store, byte for byte', async () => {
    const { emitter } = setUp();
    const { payloads, record } = await claimed();

    expect(await relay([Moved], { bus: emitter, payloads })(streamEvent(record))).toEqual({ batchItemFailures: [] });
    expect(emitter.emitted.map(({ entry }) => entry)).toEqual([large.entry]);
  });

  test('is a dead letter when its content is not there', async () => {
    const { emitter, run, buried } = setUp();
    const { record } = await claimed();

    expect(await run(record)).toEqual([]);
    expect(buried()).toEqual([['1', 'PAYLOAD_STORE_MISSING']]);
    expect(emitter.emitted).toEqual([]);
  });

  test('waits, with all that follows, while the payload store does not answer', async () => {
    const { emitter } = setUp();
    const { payloads, record } = await claimed();
    payloads.get = async () => {
      throw new Error('S3 is down');
    };

    expect(
      await relay([Moved], { bus: emitter, payloads })(streamEvent(...batch('b1'), record, ...batch('c1'))),
    ).toEqual({
      batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber }],
    });
    expect(emitter.emitted.map(stepOf)).toEqual(['b1']);
  });

  test('wakes the relay: the filter of its mapping lets every form of an outbox pass', async () => {
    const file = readFileSync(new URL('../../../serverless.outbox.yml', import.meta.url), 'utf8');
    const [{ stream }] = parse(file, { logLevel: 'error' }).relayEvents;
    const wakes = compilePattern(JSON.stringify(stream.filterPatterns[0]));

    for (const record of [...batch('a1'), compressed().record, (await claimed()).record]) {
      expect(wakes(JSON.parse(JSON.stringify(record)))).toBe(true);
    }
  });
});

describe('what is no stream event', () => {
  test('is not acknowledged', async () => {
    await expect(relay([], { bus: new InMemoryEmitter() })({} as DynamoDBStreamEvent)).rejects.toThrow(TypeError);
  });

  test('nor does a relay start without its bus, or without its dead-letter queue', () => {
    expect(() => relay([])).toThrow(/^MILLRACE_EVENT_BUS must be /);
    process.env.MILLRACE_EVENT_BUS = 'bus';
    expect(() => relay([])).toThrow(/^MILLRACE_RELAY_DLQ_URL must be /);
    delete process.env.MILLRACE_EVENT_BUS;
  });
});
