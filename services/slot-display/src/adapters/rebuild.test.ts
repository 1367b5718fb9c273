import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { DynamoDbEventStore, EmittedEvents } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { Pointers, ProjectionReader, ProjectionTable, Projector, rebuild } from '@millrace/projections';
import { SlotClosed, SlotCreated, SlotReserved } from '@millrace/reservations/events';
import { sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { dayOf, slotsByDay } from '../../projections/slots-by-day.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('slots');
  await dynamoDb.createTable('projections');
});
afterAll(() => dynamoDb.stop());

test('a rebuild from the event store of reservations, while events come, ends with the newest of each slot', async () => {
  const client = documentClient();
  const table = new ProjectionTable(client, 'projections');
  const projector = new Projector(table, [slotsByDay]);
  const read = async () => {
    const { location, date } = SlotCreated.example;
    const { rows } = await new ProjectionReader(table).query(slotsByDay, dayOf(location.id, date));
    return Object.fromEntries(rows.map(({ row }) => [row.slotId, row.status]));
  };
  const tell = (emitted: ReturnType<typeof storyOf>, index: number) =>
    projector.handle(emitted[index]?.event.event as Event);
  const [first, second] = [storyOf(randomUUID()), storyOf(randomUUID())];
  for (const story of [first, second]) {
    const events = story.map(({ event }) => event);
    const stored = events.map((emit) => ({
      ...{ id: randomUUID(), event: { type: 'Told' }, time: new Date(), correlationId: 'c-1', emit },
    }));
    await new DynamoDbEventStore(client, 'slots').append(`SLOT#${story[0]?.slotId}`, 0, stored);
  }

  // What was told before the display was there is missing from it.
  await tell(first, 1);
  const building = { version: 2, segments: 1, checkpoints: {}, scanned: 0 };
  await new Pointers(table).replace('slots-by-day', { live: 1, building }, undefined);
  await tell(second, 2);
  await rebuild({ emitted: new EmittedEvents(client, 'slots'), table, projection: slotsByDay });
  await tell(first, 1);

  expect(await read()).toEqual({ [first[0]?.slotId ?? '']: 'CLOSED', [second[0]?.slotId ?? '']: 'CLOSED' });
});

/** The events of a slot that is made, reserved and closed. */
function storyOf(slotId: string) {
  const context = (sequence: number) => ({ subject: slotId, sequence });
  return [
    sampleEvent(SlotCreated, { slotId }, context(1)),
    sampleEvent(SlotReserved, { slotId }, context(2)),
    sampleEvent(SlotClosed, { slotId }, context(3)),
  ].map((event) => ({ slotId, event }));
}
