import { describe, expect, test } from '@jest/globals';
import { defineEvent, derivedId, EmitFailedError, type EmittableEvent, InMemoryEmitter } from '@millrace/events';
import { personal, personId } from '@millrace/privacy/personal';
import { insertRecord, lambdaContext, sampleEvent, streamEvent } from '@millrace/testing';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import * as z from 'zod';
import { type RefusedRow, relay } from './index.ts';

const facts = { version: 1, service: 'counter', category: 'domain', type: 'data', summary: 'x' } as const;
const Moved = defineEvent({
  ...facts,
  name: 'Moved',
  data: z.object({ step: z.string(), by: personal(z.string()) }),
  example: { step: '1', by: 'Ada Example' },
  analytics: { fields: ['step'] },
});
const Stopped = defineEvent({
  ...facts,
  name: 'Stopped',
  data: z.object({ step: z.string() }),
  example: { step: '1' },
});

const stepOf = ({ detail }: EmittableEvent) => JSON.parse(detail).data.step;
const outboxOf = ({ entry }: EmittableEvent): AttributeValue => ({
  M: Object.fromEntries(Object.entries(entry).map(([name, S]) => [name, { S }])),
});
const record = (event: EmittableEvent, partition: string, sequenceNumber: number) =>
  insertRecord(
    { pk: { S: partition }, sk: { S: `OUTBOX#${sequenceNumber}` }, outbox: outboxOf(event) },
    String(sequenceNumber),
  );
/** A record for each step: event 1 of partition a is `a1`. */
const batch = (...steps: string[]): DynamoDBRecord[] =>
  steps.map((step, index) => record(sampleEvent(Moved, { step }), step.slice(0, 1), 100 + index));

function setUp() {
  const bus = new InMemoryEmitter();
  const analyticsBus = new InMemoryEmitter();
  const buried: RefusedRow[] = [];
  const queue = { isDown: false };
  const deadLetters = {
    send: async (row: RefusedRow) => {
      if (queue.isDown) throw new Error('SQS is down');
      buried.push(row);
    },
  };
  const start = () => relay([Moved, Stopped], { bus, analyticsBus, deadLetters });
  const handler = start();
  const run = async (records: DynamoDBRecord[], handle = handler) =>
    (await handle(streamEvent(...records))).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  return { bus, analyticsBus, buried, queue, run, start, handler };
}

describe('the relay and the analytics bus', () => {
  test('puts the variants of all events of a batch there in one call, after the events', async () => {
    const { bus, analyticsBus, run } = setUp();
    const order: string[] = [];
    for (const [name, emitter] of Object.entries({ bus, analyticsBus })) {
      const { emit } = emitter;
      emitter.emit = async (events) => {
        order.push(name);
        return emit.call(emitter, events);
      };
    }

    expect(await run(batch('a1', 'a2', 'b1', 'a3'))).toEqual([]);

    expect(order).toEqual(['bus', 'bus', 'bus', 'analyticsBus']);
    expect(analyticsBus.emitted.map(stepOf)).toEqual(['a1', 'a2', 'b1', 'a3']);
    expect(analyticsBus.emitted.map(({ detail }) => detail).join()).not.toContain('Ada');
  });

  test('has no variant of an event whose contract declares none, and then makes no call', async () => {
    const { bus, analyticsBus, run } = setUp();
    expect(await run([record(sampleEvent(Stopped), 'a', 1)])).toEqual([]);
    expect(bus.emitted).toHaveLength(1);
    expect(analyticsBus.calls).toEqual([]);
  });

  test('counts a record as done only when its variant is there, and puts the event only once meanwhile', async () => {
    const { bus, analyticsBus, run } = setUp();
    const records = batch('a1', 'b1', 'c1');
    analyticsBus.refuse = (variant) => stepOf(variant) === 'b1';

    expect(await run(records)).toEqual(['101']);
    expect(await run(records.slice(1))).toEqual(['101']);
    analyticsBus.refuse = () => false;
    expect(await run(records.slice(1))).toEqual([]);

    expect(bus.emitted.map(stepOf)).toEqual(['a1', 'b1', 'c1']);
    expect(analyticsBus.emitted.map(stepOf)).toEqual(['a1', 'c1', 'b1']);
  });

  test('repeats both with the same ids when it ended between the two', async () => {
    const { bus, analyticsBus, run, start } = setUp();
    const records = batch('a1');
    const { emit } = analyticsBus;
    analyticsBus.emit = async (events) => {
      await emit.call(analyticsBus, events);
      throw new Error('The container is gone');
    };
    expect(await run(records)).toEqual(['100']);
    analyticsBus.emit = emit;

    expect(await run(records, start())).toEqual([]); // another container, which remembers nothing

    const idsOf = (events: EmittableEvent[]) => events.map(({ detail }) => JSON.parse(detail).metadata.id);
    const [id] = idsOf(bus.emitted);
    expect(idsOf(bus.emitted)).toEqual([id, id]);
    expect(idsOf(analyticsBus.emitted)).toEqual(Array(2).fill(derivedId(['analytics-variant', id])));
  });

  test('has no variant of an event that is not on the domain bus', async () => {
    const { bus, analyticsBus, run } = setUp();
    bus.refuse = (event) => (stepOf(event) === 'b1' ? 'for good' : stepOf(event) === 'c1');
    expect(await run(batch('a1', 'b1', 'c1'))).toEqual(['102']);
    expect(analyticsBus.emitted.map(stepOf)).toEqual(['a1']);
  });

  test('buries a variant that the bus refuses for good: its event is there, and no other waits', async () => {
    const { bus, analyticsBus, buried, run, handler } = setUp();
    analyticsBus.refuse = (variant) => (stepOf(variant) === 'a1' ? 'for good' : false);

    const records = batch('a1', 'a2');
    expect(await run(records)).toEqual([]);

    expect(bus.emitted.map(stepOf)).toEqual(['a1', 'a2']);
    expect(analyticsBus.emitted.map(stepOf)).toEqual(['a2']);
    expect(buried).toMatchObject([
      {
        code: 'ANALYTICS_VARIANT_REFUSED',
        message: 'The event is on the domain bus, but EventBridge refused its analytics variant: InvalidArgument',
        place: { pk: 'a', sk: 'OUTBOX#100' },
      },
    ]);
    const { outcomes } = await handler({ ...streamEvent(...records), report: true });
    expect(outcomes).toMatchObject([{ outcome: 'refused', code: 'ANALYTICS_VARIANT_REFUSED' }, { outcome: 'emitted' }]);
  });

  test('answers before its function times out while that bus does not, and puts no event again', async () => {
    const { bus, analyticsBus, handler } = setUp();
    const records = [record(sampleEvent(Stopped), 'b', 99), ...batch('a1', 'a2')];
    const { emit } = analyticsBus;
    analyticsBus.emit = () => new Promise(() => {});
    expect(await handler(streamEvent(...records), lambdaContext(520))).toEqual({
      batchItemFailures: [{ itemIdentifier: '100' }], // that of b has no variant
    });

    analyticsBus.emit = emit;
    expect(await handler(streamEvent(...records.slice(1)), lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(bus.emitted).toHaveLength(3);
    expect(analyticsBus.emitted.map(stepOf)).toEqual(['a1', 'a2']);
  });

  test('buries variants that it may not put at all: analytics must not stop a shop', async () => {
    const { bus, analyticsBus, buried, run } = setUp();
    analyticsBus.emit = async (events) => {
      const refused = { errorCode: 'AccessDeniedException', errorMessage: 'no' };
      throw new EmitFailedError(
        events.map((event) => ({ event, ...refused })),
        events.length,
      );
    };
    expect(await run(batch('a1', 'b1'))).toEqual([]);
    expect(bus.emitted.map(stepOf)).toEqual(['a1', 'b1']);
    expect(buried.map(({ code }) => code)).toEqual(Array(2).fill('ANALYTICS_VARIANT_REFUSED'));
  });

  describe('with ids of persons that leave as pseudonyms', () => {
    const Seen = defineEvent({
      ...facts,
      name: 'Seen',
      data: z.object({ step: z.string(), by: personId(z.string()) }),
      example: { step: 'a1', by: 'person-1' },
      analytics: { fields: ['step'], pseudonyms: ['by'] },
    });
    const seen = (step: string, sequenceNumber = 1) =>
      record(sampleEvent(Seen, { step }), step.slice(0, 1), sequenceNumber);
    const moved = (step: string) => record(sampleEvent(Moved, { step }), step.slice(0, 1), 9);

    function setUpSeen() {
      const { bus, analyticsBus, buried } = setUp();
      const key: { error: Error | undefined; asked: number } = { error: undefined, asked: 0 };
      const handler = relay([Seen, Moved], {
        ...{ bus, analyticsBus },
        deadLetters: { send: async (row) => void buried.push(row) },
        pseudonyms: async () => {
          key.asked += 1;
          if (key.error) throw key.error;
          return (id) => id.toUpperCase();
        },
      });
      const run = async (...records: DynamoDBRecord[]) =>
        (await handler(streamEvent(...records))).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
      return { bus, analyticsBus, buried, key, run };
    }

    test('their variants have the pseudonym, and the others ask for no key', async () => {
      const { analyticsBus, key, run } = setUpSeen();
      expect(await run(moved('b1'))).toEqual([]);
      expect(key.asked).toBe(0);
      expect(await run(seen('a1'))).toEqual([]);
      expect(analyticsBus.emitted.map(({ detail }) => JSON.parse(detail).data)).toEqual([
        { step: 'b1' },
        { step: 'a1', by: 'PERSON-1' },
      ]);
    });

    test('does not start without the key', () => {
      const [bus, analyticsBus] = [new InMemoryEmitter(), new InMemoryEmitter()];
      expect(() => relay([Seen], { bus, analyticsBus })).toThrow(/^MILLRACE_PSEUDONYM_KEY_ARN must be /);
      expect(() => relay([Moved], { bus, analyticsBus })).not.toThrow();
    });

    test('waits while the key cannot be reached, and puts no event again', async () => {
      const { bus, analyticsBus, buried, key, run } = setUpSeen();
      const records = [seen('a1'), moved('b1')];
      key.error = new Error('KMS is down');
      expect(await run(...records)).toEqual(['1']);
      expect(analyticsBus.emitted.map(stepOf)).toEqual(['b1']);
      key.error = undefined;
      expect(await run(...records)).toEqual([]);
      expect(bus.emitted.map(stepOf)).toEqual(['a1', 'b1']);
      expect(analyticsBus.emitted.map(stepOf)).toEqual(['b1', 'a1']);
      expect(buried).toEqual([]);
    });

    test('answers before its function times out while KMS does not, and puts no event again', async () => {
      const { bus, analyticsBus } = setUp();
      const key = { isSilent: true };
      const pseudonyms = () => (key.isSilent ? new Promise<never>(() => {}) : Promise.resolve((id: string) => id));
      const handler = relay([Seen], { bus, analyticsBus, pseudonyms });
      const event = streamEvent(seen('a1'));
      expect(await handler(event, lambdaContext(520))).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] });
      key.isSilent = false;
      expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [] });
      expect(bus.calls).toHaveLength(1);
      expect(analyticsBus.emitted.map(stepOf)).toEqual(['a1']);
    });

    test('buries the variants when the key is refused: analytics must not stop a shop', async () => {
      const { bus, analyticsBus, buried, key, run } = setUpSeen();
      key.error = Object.assign(new Error('… person-1 …'), { name: 'AccessDeniedException' });
      expect(await run(seen('a1'), seen('a2', 2))).toEqual([]);
      expect(bus.emitted.map(stepOf)).toEqual(['a1', 'a2']);
      expect(analyticsBus.emitted).toEqual([]);
      expect(buried.map(({ code }) => code)).toEqual(Array(2).fill('ANALYTICS_VARIANT_REFUSED'));
      expect(buried[0]?.message).toMatch(/pseudonyms: AccessDeniedException$/);
    });
  });

  test('buries a stored event that has no variant by its contract, without a word of its data', async () => {
    const { buried, run } = setUp();
    const event = sampleEvent(Moved, { step: 'a1' });
    const odd = Moved.restore({ ...event.entry, detail: event.detail.replace('"a1"', '{"secret":"Ada"}') });
    expect(await run([record(odd, 'a', 1)])).toEqual([]);
    expect(buried).toMatchObject([{ code: 'ANALYTICS_VARIANT_FAILED' }]);
    expect(buried[0]?.message).toContain('data.step');
    expect(buried[0]?.message).not.toContain('Ada');
  });

  test('tries a variant again while the dead-letter queue does not take it, and not its event', async () => {
    const { bus, analyticsBus, buried, queue, run } = setUp();
    const records = batch('a1');
    analyticsBus.refuse = () => 'for good';
    queue.isDown = true;
    expect(await run(records)).toEqual(['100']);
    queue.isDown = false;
    expect(await run(records)).toEqual([]);
    expect(bus.emitted).toHaveLength(1);
    expect(buried).toHaveLength(1);
  });
});
