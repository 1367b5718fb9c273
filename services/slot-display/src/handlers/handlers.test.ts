import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import type { HttpApiEvent } from '@millrace/http';
import { SlotCancelled, SlotClosed, SlotCreated, SlotReserved } from '@millrace/reservations/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as fc from 'fast-check';

let dynamoDb: TestDynamoDb;
let getSlots: (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
let projectSlots: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('projections');
  Object.assign(process.env, {
    MILLRACE_PROJECTIONS_TABLE: 'projections',
    ...consumerVariables('slot-display.projectSlots'),
  });
  getSlots = (await import('./get-slots.ts')).handler;
  projectSlots = (await import('./project-slots.ts')).handler;
});
afterAll(() => dynamoDb.stop());

const route = 'GET /locations/{locationId}/slots';
async function get(locationId: string, query: Record<string, string> = { date: '2099-01-15' }) {
  const { statusCode, body } = await getSlots(httpRequest(route, { path: { locationId }, query }), lambdaContext());
  return { status: statusCode, body: JSON.parse(body ?? '') };
}
async function deliver(...events: EmittableEvent[]): Promise<number> {
  return (await projectSlots(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

/** The events of a slot that is made, reserved, cancelled, reserved again and closed, each with the state after it. */
function story(locationId: string, hour: number) {
  const slotId = randomUUID();
  const slot = {
    slotId,
    location: { id: locationId, name: 'Mill Lane', timeZone: 'Europe/Berlin' },
    date: '2099-01-15',
    startsAt: `2099-01-15T${String(hour).padStart(2, '0')}:00:00.000Z`,
    endsAt: `2099-01-15T${String(hour).padStart(2, '0')}:30:00.000Z`,
  };
  const context = (sequence: number) => ({ subject: slotId, sequence });
  return {
    slot,
    events: [
      sampleEvent(SlotCreated, { ...slot, status: 'FREE' }, context(1)),
      sampleEvent(SlotReserved, { ...slot, status: 'RESERVED' }, context(2)),
      sampleEvent(SlotCancelled, { ...slot, status: 'FREE' }, context(3)),
      sampleEvent(SlotReserved, { ...slot, status: 'RESERVED' }, context(4)),
      sampleEvent(SlotClosed, { ...slot, status: 'CLOSED' }, context(5)),
    ] as const,
  };
}
const newLocation = () => `location-${randomUUID()}`;

describe('the slots of a day', () => {
  test('are shown in the order of time, without who has them', async () => {
    const id = newLocation();
    const [late, early] = [story(id, 12), story(id, 9)];
    expect(await deliver(late.events[0], early.events[0], early.events[1])).toBe(0);

    const { status, body } = await get(id);

    expect(status).toBe(200);
    const shown = ({ slot: { slotId, startsAt, endsAt } }: typeof late, status: string) => ({
      slotId,
      startsAt,
      endsAt,
      status,
    });
    expect(body).toEqual({
      location: { id, name: 'Mill Lane', timeZone: 'Europe/Berlin' },
      date: '2099-01-15',
      slots: [shown(early, 'RESERVED'), shown(late, 'FREE')],
    });
    expect(JSON.stringify(body)).not.toContain('customer-1');
    expect((await get(id, { date: '2099-01-16' })).body.slots).toEqual([]);
  });

  test('have the location as its newest slot names it, in whatever order they come', async () => {
    const id = newLocation();
    const createdAt = (time: string, name: string) => {
      const { slot } = story(id, 9);
      const context = { subject: slot.slotId, sequence: 1, time: new Date(time) };
      return sampleEvent(SlotCreated, { ...slot, location: { ...slot.location, name } }, context);
    };
    await deliver(createdAt('2026-01-16T09:30:00.000Z', 'Mill Square'));
    await deliver(createdAt('2026-01-15T09:30:00.000Z', 'Mill Lane'));
    expect((await get(id)).body.location.name).toBe('Mill Square');
    await deliver(createdAt('2026-01-17T09:30:00.000Z', 'Mill Bridge'));
    expect((await get(id)).body.location.name).toBe('Mill Bridge');
  });

  test('that have ended are not free', async () => {
    const id = newLocation();
    const slot = { ...SlotCreated.example, slotId: randomUUID(), location: { ...SlotCreated.example.location, id } };
    await deliver(sampleEvent(SlotCreated, slot, { subject: slot.slotId, sequence: 1 }));
    expect((await get(id, { date: slot.date })).body.slots).toMatchObject([{ status: 'ENDED' }]);
  });

  test('are as the newest event says, in whatever order and however often events come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 0, 1, 1, 2, 3, 3, 4], { minLength: 1 }),
        fc.integer({ min: 1, max: 4 }),
        async (order, batch) => {
          const id = newLocation();
          const { events } = story(id, 9);
          // Without SlotCreated the location is not known.
          const all = [...order, 0].flatMap((index) => events[index] ?? []);
          for (let start = 0; start < all.length; start += batch) {
            expect(await deliver(...all.slice(start, start + batch))).toBe(0);
          }
          const statuses = ['FREE', 'RESERVED', 'FREE', 'RESERVED', 'CLOSED'];
          expect((await get(id)).body.slots).toMatchObject([{ status: statuses[Math.max(...order)] }]);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('a bad request', () => {
  test.each([
    [{}, 'date'],
    [{ date: '' }, 'date'],
    [{ date: '2026-02-30' }, 'date'],
    [{ date: 'today' }, 'date'],
    [{ date: '2026-01-15T00:00:00Z' }, 'date'],
    [{ date: '2026-01-15', status: 'FREE' }, 'status'],
  ])('with the query %j is a 400 that names the field', async (query, field) => {
    expect(await get('berlin-mitte', query)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', errors: [{ field }] },
    });
  });

  test.each(['', 'Berlin', 'a b', '..', 'x'.repeat(65), 'LOCATIONS', 'a#2026-01-15', '💥'])(
    'about the location %j is a 400 that names it',
    async (id) => {
      expect(await get(id)).toMatchObject({ status: 400, body: { errors: [{ field: 'locationId' }] } });
    },
  );

  test('about a location that does not exist is a 404 that names it', async () => {
    expect(await get(newLocation())).toMatchObject({
      status: 404,
      body: { code: 'LOCATION_NOT_FOUND', errors: [{ field: 'locationId' }] },
    });
  });
});

test('the fixture of npx sls invoke local is a request that the handler takes', async () => {
  const event = JSON.parse(readFileSync(new URL('../../fixtures/get-slots.json', import.meta.url), 'utf8'));
  expect(await getSlots(event, lambdaContext())).toMatchObject({ statusCode: 404 });
});
