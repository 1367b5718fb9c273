import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from '@jest/globals';
import { defineEvent, type EmittableEvent, type EventEmitter, InMemoryEmitter } from '@millrace/events';
import { compilePattern } from '@millrace/local/event-pattern';
import { insertRecord, RecordingClient, sampleEvent, streamEvent } from '@millrace/testing';
import type { AttributeValue, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { parse } from 'yaml';
import * as z from 'zod';
import { DynamoDbEventStore, InMemoryPayloadStore, outboxRow, relay } from './index.ts';

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

function setUp(refuse: (step: string) => boolean = () => false) {
  const emitter = new InMemoryEmitter();
  emitter.refuse = (event) => refuse(stepOf(event));
  return {
    emitted: () => emitter.emitted.map(stepOf),
    calls: () => emitter.calls.map((call) => call.map(stepOf)),
    run: async (...records: DynamoDBRecord[]) =>
      (await relay(emitter)(streamEvent(...records))).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    emitter,
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

  test('reports the first event that was not accepted, and emits no later one of its wave’s successors', async () => {
    const { run, emitted } = setUp((step) => step === 'b1' || step === 'c1');

    const failures = await run(...batch('a1', 'a2', 'b1', 'b2', 'c1'));

    // a2 waits with b2: Lambda starts again at a2, the first record that is not proved emitted.
    expect(emitted()).toEqual(['a1']);
    expect(failures).toEqual(['101']);
  });

  test('reports the lowest failure, although later records of the batch were accepted', async () => {
    const { run, emitted } = setUp((step) => step === 'a2');

    const failures = await run(...batch('a1', 'a2', 'b1', 'b2', 'c1'));

    expect(emitted()).toEqual(['a1', 'b1', 'c1', 'b2']);
    expect(failures).toEqual(['101']);
  });

  test('converges when Lambda starts again at the reported record, in order within each partition', async () => {
    let refusals = 3;
    const { run, emitted } = setUp((step) => step.startsWith('b') && refusals-- > 0);
    const records = batch('a1', 'b1', 'a2', 'b2', 'a3');

    for (let left = records, turns = 0; left.length > 0 && turns < 10; turns += 1) {
      const [failed] = await run(...left);
      left =
        failed === undefined ? [] : left.slice(left.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === failed));
    }

    const firsts = [...new Set(emitted())];
    expect(firsts.filter((step) => step.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(firsts.filter((step) => step.startsWith('b'))).toEqual(['b1', 'b2']);
  });

  test('takes a call that fails in an unknown way for the failure of each of its events', async () => {
    const emitter: EventEmitter = {
      emit: async () => {
        throw new Error('socket hang up');
      },
    };

    expect(await relay(emitter)(streamEvent(...batch('a1', 'b1')))).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }],
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
  ])('(%s) is reported after everything before it is emitted, and nothing after it', async (_, outbox) => {
    const { run, emitted } = setUp();
    const [first, last] = batch('a1', 'b1') as [DynamoDBRecord, DynamoDBRecord];

    expect(await run(first, unreadable(outbox), last)).toEqual(['999']);
    expect(emitted()).toEqual(['a1']);
  });

  test('does not hide an earlier failure', async () => {
    const { run } = setUp(() => true);

    expect(await run(...batch('a1'), unreadable({ M: {} }))).toEqual(['100']);
  });

  test('without a sequence number fails the whole batch', async () => {
    const { run } = setUp();
    const record = unreadable({ M: {} });
    delete record.dynamodb?.SequenceNumber;

    expect(await run(record)).toEqual(['']);
  });
});

describe('a large event', () => {
  const random = (bytes: number) => randomBytes(bytes).toString('base64');
  const large = sampleEvent(Moved, { text: random(500_000) });

  /** An attribute as a stream record shows it. */
  function attributeOf(value: unknown): AttributeValue {
    if (typeof value === 'string') return { S: value };
    if (ArrayBuffer.isView(value)) return { B: Buffer.from(value as Uint8Array).toString('base64') };
    return { M: Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, attributeOf(item)])) };
  }

  const recordOf = (outbox: unknown) =>
    insertRecord({ pk: { S: 'a' }, sk: { S: 'EVENT#1' }, outbox: attributeOf(outbox) }, '100');

  /** The stream record of a large event whose content is in a payload store. */
  async function claimed() {
    const payloads = new InMemoryPayloadStore();
    const client = new RecordingClient();
    const store = new DynamoDbEventStore(client as unknown as DynamoDBDocumentClient, 'counters', { payloads });
    const event = { id: 'event-1', event: { type: 'Moved' }, time: new Date(), correlationId: 'correlation-1' };
    await store.append('a', 0, [{ ...event, emit: large }]);
    const [input] = client.inputs<{ TransactItems: { Put: { Item: { outbox: unknown } } }[] }>('TransactWriteCommand');
    return { payloads, record: recordOf(input?.TransactItems[0]?.Put.Item.outbox) };
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

    expect(await relay(emitter, payloads)(streamEvent(record))).toEqual({ batchItemFailures: [] });
    expect(emitter.emitted.map(({ entry }) => entry)).toEqual([large.entry]);
  });

  test('is reported and not emitted when its content cannot be had', async () => {
    const { emitter, run } = setUp();
    const { payloads, record } = await claimed();
    payloads.objects.clear();

    expect(await relay(emitter, payloads)(streamEvent(record))).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }],
    });
    expect(await run(record)).toEqual(['100']);
    expect(emitter.emitted).toEqual([]);
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
    await expect(relay(new InMemoryEmitter())({} as DynamoDBStreamEvent)).rejects.toThrow(TypeError);
  });

  test('nor does a relay start without its bus', () => {
    expect(() => relay()).toThrow(/^MILLRACE_EVENT_BUS must be /);
  });
});
