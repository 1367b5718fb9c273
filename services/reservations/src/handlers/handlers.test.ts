import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { DynamoDbEventStore } from '@millrace/event-store';
import type { HttpApiEvent } from '@millrace/http';
import { httpRequest, lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { Slots } from '../adapters/slots.ts';
import type { NewSlot } from '../domain/slot.ts';

type Endpoint = (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

const routes = {
  'POST /slots/{slotId}/reservation': './post-reservation.ts',
  'DELETE /slots/{slotId}/reservation': './delete-reservation.ts',
  'POST /slots/{slotId}/check-in': './post-check-in.ts',
  'POST /slots/{slotId}/check-out': './post-check-out.ts',
  'POST /slots/{slotId}/closure': './post-closure.ts',
  'DELETE /slots/{slotId}/closure': './delete-closure.ts',
  'GET /slots/{slotId}': './get-slot.ts',
} as const;
type Route = keyof typeof routes;

let dynamoDb: TestDynamoDb;
let slots: Slots;
const endpoints = new Map<string, Endpoint>();

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('reservations');
  await dynamoDb.createTable('reservations-idempotency', ['id']);
  Object.assign(process.env, {
    MILLRACE_TABLE: 'reservations',
    MILLRACE_IDEMPOTENCY_TABLE: 'reservations-idempotency',
    MILLRACE_RESERVATIONS_PER_HOUR: '20',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  for (const [route, file] of Object.entries(routes)) endpoints.set(route, (await import(file)).handler);
  slots = new Slots({ client: documentClient(), name: 'reservations' });
});
afterAll(() => dynamoDb.stop());

const START = Date.parse('2026-01-15T09:00:00.000Z');
const MINUTE = 60_000;
let location: string;
beforeEach(() => {
  location = `location-${randomUUID()}`;
  clock(-60);
});

const realTimers = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
  ...(['nextTick', 'queueMicrotask', 'hrtime', 'performance'] as const),
] as const;

/** Moves the clock to some minutes after the start of the first slot. */
function clock(minutes: number): void {
  // Date alone: everything else takes its time.
  jest.useFakeTimers({ now: START + minutes * MINUTE, doNotFake: [...realTimers] });
}
afterAll(() => {
  jest.useRealTimers();
});

/** Slots of one location, one after the other. */
async function created(count = 1, minutes = 30): Promise<NewSlot[]> {
  const planned = Array.from({ length: count }, (_, index) => ({
    slotId: randomUUID(),
    location: { id: location, name: 'Mill Lane', timeZone: 'Europe/Berlin' },
    date: '2026-01-15',
    startsAt: new Date(START + index * minutes * MINUTE).toISOString(),
    endsAt: new Date(START + (index + 1) * minutes * MINUTE).toISOString(),
  }));
  const now = new Date(START - 60 * MINUTE).toISOString();
  await Promise.all(
    planned.map((slot) => slots.execute(slot.slotId, { type: 'CreateSlot', slot, now }, { correlationId: 'c-1' })),
  );
  return planned;
}
const one = async () => (await created())[0]?.slotId ?? '';

async function send(route: Route, slotId: string, { sub = 'ada', body }: { sub?: string; body?: unknown } = {}) {
  const event = httpRequest(route, { path: { slotId }, claims: { sub }, ...(body !== undefined && { body }) });
  const answer = await endpoints.get(route)?.(event as HttpApiEvent, lambdaContext());
  return { status: answer?.statusCode, headers: answer?.headers, body: JSON.parse(answer?.body ?? '') };
}
const reserve = (slotId: string, sub = 'ada') => send('POST /slots/{slotId}/reservation', slotId, { sub });
const cancel = (slotId: string, sub = 'ada') => send('DELETE /slots/{slotId}/reservation', slotId, { sub });
const checkIn = (slotId: string, code: unknown, sub = 'ada') =>
  send('POST /slots/{slotId}/check-in', slotId, { sub, body: { code } });
const checkOut = (slotId: string, sub = 'ada') => send('POST /slots/{slotId}/check-out', slotId, { sub });
const close = (slotId: string) => send('POST /slots/{slotId}/closure', slotId, { sub: 'staff-1' });
const reopen = (slotId: string) => send('DELETE /slots/{slotId}/closure', slotId, { sub: 'staff-1' });
const get = (slotId: string, sub = 'ada') => send('GET /slots/{slotId}', slotId, { sub });
const emitted = async (slotId: string) =>
  (await storedEvents('reservations', slotId)).map(({ detailType }) => detailType);

describe('a reservation', () => {
  test('is made, checked in and checked out, and each step is told to the bus', async () => {
    const slotId = await one();

    const reserved = await reserve(slotId);
    expect(reserved).toMatchObject({
      status: 201,
      headers: { location: `/slots/${slotId}`, 'cache-control': 'no-store' },
      body: {
        slotId,
        status: 'RESERVED',
        checkInCode: expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/),
        reservation: { checkInBy: '2026-01-15T09:10:00.000Z' },
      },
    });
    clock(5);
    expect(await checkIn(slotId, reserved.body.checkInCode.toLowerCase())).toMatchObject({
      status: 200,
      body: { status: 'CHECKED_IN' },
    });
    clock(20);
    expect(await checkOut(slotId)).toMatchObject({ status: 200, body: { status: 'FREE' } });
    expect(await emitted(slotId)).toEqual([
      'SlotCreated.v1',
      'SlotReserved.v1',
      'SlotCheckedIn.v1',
      'SlotCheckedOut.v1',
    ]);
  });

  test('is shown to its holder alone', async () => {
    const slotId = await one();
    await reserve(slotId);
    expect((await get(slotId)).body).toMatchObject({
      status: 'RESERVED',
      reservation: { reservationId: expect.any(String) },
    });
    expect((await get(slotId, 'grace')).body).not.toHaveProperty('reservation');
    expect(JSON.stringify((await get(slotId)).body)).not.toContain('ode');
  });

  test('is cancelled by its holder, twice as well as once; then another customer gets the slot', async () => {
    const slotId = await one();
    await reserve(slotId);
    expect(await cancel(slotId, 'grace')).toMatchObject({ status: 404, body: { code: 'RESERVATION_NOT_FOUND' } });
    expect(await cancel(slotId)).toMatchObject({ status: 200, body: { status: 'FREE' } });
    expect(await cancel(slotId)).toMatchObject({ status: 200 });
    expect(await reserve(slotId, 'grace')).toMatchObject({ status: 201 });
  });

  test('gives another code to a holder who asks again, and only the last one is good', async () => {
    const slotId = await one();
    const first = await reserve(slotId);
    const second = await reserve(slotId);
    expect(second).toMatchObject({ status: 200, body: { reservation: first.body.reservation } });
    clock(0);
    expect(await checkIn(slotId, first.body.checkInCode)).toMatchObject({
      status: 403,
      body: { code: 'WRONG_CHECK_IN_CODE', errors: [{ field: '/code' }] },
    });
    expect(await checkIn(slotId, second.body.checkInCode)).toMatchObject({ status: 200 });
    expect(await emitted(slotId)).toEqual(['SlotCreated.v1', 'SlotReserved.v1', 'SlotCheckedIn.v1']);
  });

  test('that nobody checked in to is over ten minutes after the start, without any schedule', async () => {
    const slotId = await one();
    const { body } = await reserve(slotId);
    clock(10);
    expect((await get(slotId)).body).toMatchObject({ status: 'FREE' });
    expect(await checkIn(slotId, body.checkInCode)).toMatchObject({
      status: 409,
      body: { code: 'RESERVATION_UNATTENDED' },
    });
    expect(await reserve(slotId, 'grace')).toMatchObject({
      status: 201,
      body: { reservation: { checkInBy: '2026-01-15T09:20:00.000Z' } },
    });
    expect(await emitted(slotId)).toEqual([
      'SlotCreated.v1',
      'SlotReserved.v1',
      'SlotUnattended.v1',
      'SlotReserved.v1',
    ]);
  });
});

describe('a closed slot', () => {
  test('cancels its reservation, cannot be reserved, and can be opened again', async () => {
    const slotId = await one();
    await reserve(slotId);
    expect(await close(slotId)).toMatchObject({ status: 200, body: { status: 'CLOSED' } });
    expect(await reserve(slotId)).toMatchObject({ status: 409, body: { code: 'SLOT_CLOSED', alternatives: [] } });
    expect(await reopen(slotId)).toMatchObject({ status: 200, body: { status: 'FREE' } });
    expect(await reserve(slotId)).toMatchObject({ status: 201 });
    expect(
      (await storedEvents('reservations', slotId)).map(({ detailType, data }) => [
        detailType,
        data.status,
        data.reason,
      ]),
    ).toEqual([
      ['SlotCreated.v1', 'FREE', undefined],
      ['SlotReserved.v1', 'RESERVED', undefined],
      ['SlotCancelled.v1', 'FREE', 'CLOSED'],
      ['SlotClosed.v1', 'CLOSED', undefined],
      ['SlotReopened.v1', 'FREE', undefined],
      ['SlotReserved.v1', 'RESERVED', undefined],
    ]);
  });
});

describe('the check-in code', () => {
  test('is not stored, and no event has a trace of it', async () => {
    const slotId = await one();
    const { checkInCode } = (await reserve(slotId)).body;
    const store = new DynamoDbEventStore(documentClient(), 'reservations');
    const stored = JSON.stringify((await store.load(`SLOT#${slotId}`)).events);
    expect(stored).toContain('codeHash');
    for (const part of [checkInCode, checkInCode.replaceAll('-', '')]) expect(stored).not.toContain(part);
    const events = JSON.stringify(await storedEvents('reservations', slotId));
    expect(events).toContain('SlotReserved.v1');
    expect(events).not.toMatch(/code/i);
  });
});

describe('what another customer has', () => {
  test('is refused with the free slots that are nearest, in the order of time', async () => {
    const day = await created(12);
    const [wanted] = day.slice(6);
    const taken = [2, 5, 6, 8];
    for (const index of taken) await reserve(day[index]?.slotId ?? '', 'grace');

    const { status, body } = await reserve(wanted?.slotId ?? '');

    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'SLOT_TAKEN', title: 'Conflict', errors: [{ field: 'slotId' }] });
    const near = [3, 4, 7, 9, 10].map((index) => day[index]);
    expect(body.alternatives).toEqual(
      near.map((slot) => ({ slotId: slot?.slotId, startsAt: slot?.startsAt, endsAt: slot?.endsAt })),
    );
  });

  test('names no slots that are over, those of other locations, or the slot itself', async () => {
    const [first, second, third] = await created(3);
    location = `location-${randomUUID()}`;
    await created(3);
    clock(31);
    await reserve(second?.slotId ?? '', 'grace');
    const { body } = await reserve(second?.slotId ?? '');
    expect(body.alternatives.map(({ slotId }: NewSlot) => slotId)).toEqual([third?.slotId]);
    expect(await reserve(first?.slotId ?? '')).toMatchObject({
      status: 409,
      body: { code: 'SLOT_ENDED', alternatives: [{ slotId: third?.slotId }] },
    });
  });

  test('finds the next free slots behind many that have ended', async () => {
    const day = await created(40, 5);
    clock(36 * 5);
    const { body } = await reserve(day[0]?.slotId ?? '');
    expect(body.code).toBe('SLOT_ENDED');
    expect(body.alternatives.map(({ slotId }: NewSlot) => slotId)).toEqual(day.slice(36).map(({ slotId }) => slotId));
  });
});

describe('a bad request', () => {
  const codes = [
    undefined,
    null,
    '',
    7,
    {},
    [],
    'abc',
    '7Q4M-2XNP-9TRU',
    '7Q4M2XNP9TRD',
    ' 7Q4M-2XNP-9TRD',
    'x'.repeat(5_000),
  ];

  test.each(codes)('check-in with the code %j is a 400 that names it', async (code) => {
    expect(await checkIn(await one(), code)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', errors: [{ field: '/code' }] },
    });
  });

  test.each(Object.keys(routes) as Route[])(
    '%s names a slot id that is none, and says of one that does not exist that it does not',
    async (route) => {
      const body = route.endsWith('check-in') ? { code: '7Q4M-2XNP-9TRD' } : undefined;
      for (const slotId of ['7', '', '../etc', '%00', `${randomUUID()}x`, '💥']) {
        expect(await send(route, slotId, { body })).toMatchObject({
          status: 400,
          body: { errors: [{ field: 'slotId' }] },
        });
      }
      expect(await send(route, randomUUID(), { body })).toMatchObject({
        status: 404,
        body: { code: 'SLOT_NOT_FOUND', errors: [{ field: 'slotId' }] },
      });
    },
  );

  test('with a body where none is wanted is refused', async () => {
    expect(await send('POST /slots/{slotId}/reservation', await one(), { body: { holder: 'grace' } })).toMatchObject({
      status: 400,
      body: { errors: [{ field: '/holder' }] },
    });
  });

  test('with an id in capital letters is about the same slot', async () => {
    const slotId = await one();
    expect((await get(slotId.toUpperCase())).body.slotId).toBe(slotId);
  });
});

test('the fixture of npx sls invoke local is a request that the handler takes', async () => {
  const event = JSON.parse(readFileSync(new URL('../../fixtures/get-slot.json', import.meta.url), 'utf8'));
  expect(await endpoints.get('GET /slots/{slotId}')?.(event, lambdaContext())).toMatchObject({ statusCode: 404 });
});

describe('the quota of reservations', () => {
  test('is one customer’s alone, and counts refused requests and repeated ones', async () => {
    const [mine = '', taken = ''] = (await created(2)).map(({ slotId }) => slotId);
    const customer = `customer-${randomUUID()}`;
    await reserve(taken, 'grace');

    const answers = [];
    for (let count = 0; count < 10; count += 1) {
      answers.push(await reserve(mine, customer), await reserve(taken, customer));
    }
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      ...Array.from({ length: 9 }, () => 200),
      201,
      ...Array.from({ length: 10 }, () => 409),
    ]);

    const refused = await reserve(mine, customer);
    expect(refused).toMatchObject({ status: 429, body: { code: 'QUOTA_EXCEEDED' } });
    expect(Number(refused.headers?.['retry-after'])).toBeGreaterThan(0);
    // The slot that it has stays its own, and others are not concerned.
    expect((await cancel(mine, customer)).status).toBe(200);
    expect((await reserve(mine, 'alan')).status).toBe(201);
  });
});
