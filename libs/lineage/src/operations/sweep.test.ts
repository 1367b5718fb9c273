import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { commit, outboxRow, relay, StoredOutbox } from '@millrace/event-store';
import { InMemoryEmitter, parseEnvelope } from '@millrace/events';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { createLogTable } from '../../fixtures/test-table.ts';
import { EventLog } from '../event-log.ts';
import { type SweepOptions, sweep } from './sweep.ts';

const NOW = new Date('2026-01-31T12:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

/** A service with a table, a relay and a log. */
async function shop() {
  const table = `shop-${randomUUID()}`;
  await dynamoDb.createTable(table);
  await createLogTable(dynamoDb.client, `${table}-log`);
  const client = documentClient();
  const log = new EventLog(client, `${table}-log`);
  const emitter = new InMemoryEmitter();
  const buried: string[] = [];
  const handler = relay([], { bus: emitter, deadLetters: { send: async ({ place }) => void buried.push(place.sk) } });

  /** Stores an event; `emitted` puts it in the log, as its relay and the log's consumer would. */
  async function store(minutesAgo: number, { emitted = false, happened = minutesAgo, subject = randomUUID() } = {}) {
    const id = randomUUID();
    const event = sampleEvent(OrderPlaced, undefined, { id, subject, time: ago(happened) });
    await commit(client, [outboxRow(table, `ORDER#${subject}`, event, ago(minutesAgo))]);
    if (emitted) {
      const parsed = OrderPlaced.parse(parseEnvelope(envelopeText(event)));
      await log.record(parsed, { retentionDays: 7, now: () => NOW });
    }
    return id;
  }
  const run = (options: Partial<SweepOptions> = {}) =>
    sweep({
      outbox: new StoredOutbox(documentClient(), table),
      knownOf: (ids) => log.known(ids),
      dead: new Set(),
      isKept: ({ timestamp }, now) => now.getTime() - timestamp.getTime() < 7 * 24 * 60 * 60_000,
      emit: async (Records) =>
        (await handler({ Records: JSON.parse(JSON.stringify(Records)), report: true })).outcomes ?? [],
      windows: [{ from: ago(3 * 24 * 60), to: NOW }],
      grace: 5 * 60_000,
      now: NOW,
      ...options,
    });
  const emitted = () => emitter.emitted.map(({ event }) => (event as { metadata: { id: string } }).metadata.id);
  return { store, run, emitted, emitter, buried, log };
}

describe('a sweep', () => {
  test('emits what was stored and never emitted, and nothing else', async () => {
    const { store, run, emitted } = await shop();
    for (let index = 0; index < 150; index += 1) await store(60, { emitted: true });
    const missing = [await store(10), await store(6), await store(3 * 24 * 60 - 1)];
    await store(4); // its relay may be at work
    await store(3 * 24 * 60 + 1); // before --from

    const summary = await run();

    expect(summary).toMatchObject({ stored: 154, known: 150, missing: 3, young: 1, emitted: 3, refused: 0, failed: 0 });
    expect(summary.problem).toBeUndefined();
    expect(emitted().sort()).toEqual(missing.sort());
  });

  test('as a dry run says what it would emit', async () => {
    const { store, run, emitted } = await shop();
    const id = await store(10);
    const told: unknown[] = [];

    const summary = await run({ dryRun: true, onEvent: ({ eventId }, state) => told.push([eventId, state]) });

    expect(summary).toMatchObject({ missing: 1, emitted: 0 });
    expect(told).toEqual([[id, 'missing']]);
    expect(emitted()).toEqual([]);
  });

  test('leaves what the log does not keep, unless it is told to emit that, too', async () => {
    const { store, run, emitted } = await shop();
    const id = await store(60, { happened: 8 * 24 * 60 });

    expect(await run()).toMatchObject({ untold: 1, missing: 0, emitted: 0 });
    expect(await run({ emitUntold: true })).toMatchObject({ untold: 1, emitted: 1 });
    expect(emitted()).toEqual([id]);
  });

  test('never emits what consumers may not recognise any more', async () => {
    const { store, run, emitted } = await shop();
    await store(60, { happened: 29.5 * 24 * 60 });

    expect(await run({ emitUntold: true })).toMatchObject({ old: 1, emitted: 0 });
    expect(emitted()).toEqual([]);
  });

  test('leaves what is a dead letter of the relay', async () => {
    const { store, run, emitted } = await shop();
    const id = await store(60);

    expect(await run({ dead: new Set([id]) })).toMatchObject({ dead: 1, missing: 0, emitted: 0 });
    expect(emitted()).toEqual([]);
  });

  test('of several windows counts the events of each, and emits each once', async () => {
    const { store, run, emitted } = await shop();
    await store(60);
    await store(30);
    const window = (from: number, to: number) => ({ from: ago(from), to: ago(to) });

    const { inWindow } = await run({ windows: [window(61, 59), window(61, 29), window(10, 9)] });

    expect(inWindow).toEqual([1, 2, 0]);
    expect(emitted()).toHaveLength(2);
  });

  test('emits the events of an aggregate in their order', async () => {
    const { store, run, emitted } = await shop();
    const subject = randomUUID();
    const ids = [];
    for (const minutes of [40, 30, 20, 10]) ids.push(await store(minutes, { subject }));

    await run();

    expect(emitted()).toEqual(ids);
  });

  test('stops at the first event that the bus does not take, and says so', async () => {
    const { store, run, emitter } = await shop();
    for (let index = 0; index < 120; index += 1) await store(60);
    emitter.refuse = () => true;

    const summary = await run();

    expect(summary).toMatchObject({ missing: 120, emitted: 0, failed: 120 });
    expect(summary.problem).toBe('the bus did not take an event: InternalFailure');
    expect(emitter.calls).toHaveLength(1);
  });

  test('has what the bus refuses for good made a dead letter, and emits the rest', async () => {
    const { store, run, emitter, buried } = await shop();
    const [bad] = [await store(60), await store(50)];
    emitter.refuse = ({ detail }) => detail.includes(bad ?? '') && 'for good';

    expect(await run()).toMatchObject({ missing: 2, emitted: 1, refused: 1, failed: 0 });
    expect(buried).toEqual([`OUTBOX#${bad}`]);
  });

  test('beside another one does no harm: both emit the same ids', async () => {
    const { store, run, emitted } = await shop();
    const ids = [await store(60), await store(50)];

    await Promise.all([run(), run()]);

    expect([...new Set(emitted())].sort()).toEqual(ids.sort());
  });
});

test('the log knows which of many events it has', async () => {
  const { store, log } = await shop();
  const ids = [];
  for (let index = 0; index < 120; index += 1) ids.push(await store(60, { emitted: index % 2 === 0 }));

  expect(await log.known([...ids, ...ids])).toEqual(new Set(ids.filter((_, index) => index % 2 === 0)));
  expect(await log.known([])).toEqual(new Set());
});
