import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { DynamoDbEventStore, EmittedEvents } from '@millrace/event-store';
import { defineEvent, type EmittableEvent, type Event } from '@millrace/events';
import { sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as z from 'zod';
import { ParcelArrived } from '../fixtures/sample-projections.ts';
import { defineProjection, type Projection, ProjectionReader, ProjectionTable, Projector, rebuild } from './index.ts';

const ParcelArrivedV2 = defineEvent({
  name: 'ParcelArrived',
  version: 2,
  service: 'parcels',
  category: 'domain',
  type: 'data',
  summary: 'A parcel is where it was to go, weighed to the gram.',
  data: z.object({ city: z.string(), grams: z.int() }),
  example: { city: 'Berlin', grams: 2000 },
  upcasts: { from: ParcelArrived, data: ({ city, weight }) => ({ city, grams: weight * 1000 }) },
});

const grams = defineProjection({
  name: 'grams',
  events: [ParcelArrivedV2],
  late: 'apply',
  keyOf: ({ data }) => ({ partition: data.city, sort: 'GRAMS' }),
  evolve: (row: { grams: number } | undefined, { data }) => ({ grams: (row?.grams ?? 0) + data.grams }),
});

const kilograms = defineProjection({
  name: 'kilograms',
  events: [ParcelArrived],
  late: 'apply',
  keyOf: ({ data }) => ({ partition: data.city, sort: 'KILOGRAMS' }),
  evolve: (row: { weight: number } | undefined, { data }) => ({ weight: (row?.weight ?? 0) + data.weight }),
});

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

async function setUp() {
  const client = documentClient();
  const name = `parcels-${randomUUID()}`;
  await dynamoDb.createTable(name);
  await dynamoDb.createTable(`${name}-projections`);
  const store = new DynamoDbEventStore<{ type: string }>(client, name);
  const emitted = new EmittedEvents(client, name);
  const table = new ProjectionTable(client, `${name}-projections`);
  const reader = new ProjectionReader(table);
  return {
    emitted,
    table,
    projector: new Projector(table, [grams, kilograms], { emitted, streamOf: (subject) => subject }),
    rowsOf: async (projection: Projection) => (await reader.query(projection, 'Berlin')).rows.map(({ row }) => row),
    /** Stores what a service emitted over the years, each for a parcel of its own. */
    store: async (...events: EmittableEvent<Event>[]) => {
      for (const emit of events) {
        const stored = { id: randomUUID(), event: { type: 'Told' }, time: new Date(), correlationId: 'c', emit };
        await store.append(emit.event.metadata.subject, 0, [stored]);
      }
    },
  };
}

const parcel = () => ({ subject: randomUUID(), sequence: 1 });

test('a projection of the newer version is rebuilt from events of both, as they were stored', async () => {
  const { emitted, table, store, rowsOf } = await setUp();
  await store(
    sampleEvent(ParcelArrived, { weight: 2 }, parcel()),
    sampleEvent(ParcelArrivedV2, { grams: 700 }, parcel()),
    sampleEvent(ParcelArrived, { weight: 3 }, parcel()),
  );

  const summary = await rebuild({ emitted, table, projection: grams, leaseTimes: { beatEvery: 20, deadAfter: 200 } });

  expect(summary).toMatchObject({ outcome: 'complete', events: 3 });
  expect(await rowsOf(grams)).toEqual([{ grams: 5700 }]);
});

test('live, each projection gets an event in its own version, whichever its consumer has parsed it as', async () => {
  const { projector, rowsOf } = await setUp();
  const { event } = sampleEvent(ParcelArrived, { weight: 2 }, parcel());

  expect(await projector.handle(event)).toBe(true);
  expect(await projector.handle(event)).toBe(false);
  expect(await projector.handle(ParcelArrivedV2.upcast(event))).toBe(false);

  expect(await rowsOf(grams)).toEqual([{ grams: 2000 }]);
  expect(await rowsOf(kilograms)).toEqual([{ weight: 2 }]);
});
