import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient, PutCommand } from '@millrace/aws';
import { type EmittableEvent, InMemoryEmitter } from '@millrace/events';
import { sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { type Counted, CounterMoved, counted } from '../fixtures/event-store-conformance.ts';
import { commit, DynamoDbEventStore, outboxRow, relay, StoredOutbox, type StoredRow } from './index.ts';

const table = 'counters';
const at = (time: string) => new Date(`2026-01-31T${time}Z`);
const moved = () => sampleEvent(CounterMoved, undefined, { time: at('11:00:00') });
const events = { stream: moved(), large: moved(), row: moved(), byHand: moved(), early: moved(), late: moved() };

let dynamoDb: TestDynamoDb;
let outbox: StoredOutbox;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(table);
  const client = documentClient();
  outbox = new StoredOutbox(client, table);
  const storeAt = (now: Date) => new DynamoDbEventStore<Counted>(client, table, { now: () => now });
  await storeAt(at('12:00:00')).append('stream', 0, [counted(1, { emit: events.stream }), counted(1)]);
  await storeAt(at('11:59:59')).append('early', 0, [counted(1, { emit: events.early })]);
  await storeAt(at('12:10:01')).append('late', 0, [counted(1, { emit: events.late })]);
  await commit(client, [outboxRow(table, 'state', events.row, at('12:05:00'))]);
  events.large = sampleEvent(CounterMoved, undefined, {
    time: at('11:00:00'),
    tags: { random: randomBytes(6_000).toString('base64') },
  } as never);
  await commit(client, [outboxRow(table, 'state', events.large, at('12:10:00'))]);
  const byHand = { ...events.byHand.entry, time: '2026-01-31T12:07:00.000Z' };
  await client.send(new PutCommand({ TableName: table, Item: { pk: 'hand', sk: 'made', outbox: byHand } }));
});
afterAll(() => dynamoDb.stop());

const idOf = (event: EmittableEvent) => (event.event as { metadata: { id: string } }).metadata.id;

async function scanned(): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  for await (const page of outbox.scan({ from: at('12:00:00'), to: at('12:10:00') })) rows.push(...page.rows);
  return rows;
}

test('a scan finds what was stored within a window, whatever form it has, and when', async () => {
  const found = (await scanned()).map(({ eventId, storedAt, detailType }) => [
    eventId,
    storedAt.toISOString(),
    detailType,
  ]);

  expect(found.sort()).toEqual(
    [
      [idOf(events.stream), '2026-01-31T12:00:00.000Z', 'CounterMoved.v1'],
      [idOf(events.row), '2026-01-31T12:05:00.000Z', 'CounterMoved.v1'],
      [idOf(events.byHand), '2026-01-31T12:07:00.000Z', 'CounterMoved.v1'],
      [idOf(events.large), '2026-01-31T12:10:00.000Z', 'CounterMoved.v1'],
    ].sort(),
  );
});

test('its records are what the relay takes: each event is emitted byte for byte', async () => {
  const emitter = new InMemoryEmitter();
  const rows = await scanned();

  const { outcomes } = await relay([], { bus: emitter })({
    Records: JSON.parse(JSON.stringify(rows.map(({ record }) => record))),
    report: true,
  });

  expect(outcomes).toEqual(rows.map(({ record }) => ({ eventId: record.eventID, outcome: 'emitted' })));
  const details = [events.stream, events.row, events.byHand, events.large].map(({ detail }) => detail);
  expect(emitter.emitted.map(({ detail }) => detail).sort()).toEqual(details.sort());
});

test('a row is found by its key, and not when it has no event', async () => {
  expect((await outbox.row({ pk: 'state', sk: `OUTBOX#${idOf(events.row)}` }))?.eventId).toBe(idOf(events.row));
  expect(await outbox.row({ pk: 'stream', sk: 'EVENT#0000000002' })).toBeUndefined();
  expect(await outbox.row({ pk: 'nobody', sk: 'OUTBOX#1' })).toBeUndefined();
});
