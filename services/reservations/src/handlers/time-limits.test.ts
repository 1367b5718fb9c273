import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { DeleteCommand, documentClient, httpTransport, processTransport, type Transport } from '@millrace/aws';
import { inboxKey } from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import { GRACE_MS } from '@millrace/timers';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import {
  ReservationTimeLimitReached,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotReserved,
  SlotUnattended,
} from '../../events/index.ts';
import { reservationDeadlinesIn, Slots } from '../adapters/slots.ts';
import { CHECK_IN_MS, type NewSlot } from '../domain/slot.ts';

type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let slots: Slots;
let setTimer: Consumer;
let onTimeLimitReached: Consumer;
let sweep: (event: unknown, context: Context) => Promise<{ ended: number }>;
const table = { client: undefined as unknown as ReturnType<typeof documentClient>, name: 'reservations' };

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('reservations');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'reservations',
    MILLRACE_SCHEDULE_GROUP: 'group',
    MILLRACE_SCHEDULE_ROLE_ARN: 'role',
    MILLRACE_SCHEDULE_BUS_ARN: 'bus',
    MILLRACE_SCHEDULE_DLQ_ARN: 'dlq',
    ...consumerVariables('reservations.test'),
  });
  setTimer = (await import('./set-timer.ts')).handler;
  onTimeLimitReached = (await import('./on-time-limit-reached.ts')).handler;
  sweep = (await import('./sweep-time-limits.ts')).handler;
  table.client = documentClient();
  slots = new Slots(table);
});
afterAll(() => dynamoDb.stop());

interface ScheduleRequest {
  kind: 'create' | 'delete';
  name: string;
  at?: string;
  input?: string;
}
const sent: ScheduleRequest[] = [];

/** Writes down what the Scheduler is asked. @param failing a schedule that it does not answer for */
function recordSchedules(failing?: string): void {
  const transport: Transport = async (request, limits) => {
    const { pathname } = new URL(request.path, 'https://scheduler');
    if (!pathname.startsWith('/schedules/')) return httpTransport(request, limits);
    const name = decodeURIComponent(pathname.split('/').at(-1) ?? '');
    if (name === failing) return { statusCode: 400, headers: {}, body: '{"__type":"ValidationException"}' };
    const { ScheduleExpression: at, Target } = JSON.parse(String(request.body) || '{}');
    sent.push(
      request.method === 'DELETE' ? { kind: 'delete', name } : { kind: 'create', name, at, input: Target.Input },
    );
    return { statusCode: 200, headers: {}, body: '{}' };
  };
  Object.assign(globalThis, { [processTransport]: transport });
}
beforeEach(() => {
  sent.length = 0;
  recordSchedules();
});
afterEach(() => {
  jest.restoreAllMocks();
  Object.assign(globalThis, { [processTransport]: undefined });
});

async function deliver(handler: Consumer, ...events: EmittableEvent[]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

const cause = { correlationId: 'correlation-1' };
const iso = (ms: number) => new Date(ms).toISOString();

/** A reserved slot whose holder had to check in by some time ago. */
async function reserved(overdueMs: number): Promise<NewSlot & { checkInBy: string }> {
  const start = Date.now() - overdueMs - CHECK_IN_MS;
  const slot = {
    slotId: randomUUID(),
    location: { id: 'mill-lane', name: 'Mill Lane', timeZone: 'Europe/Berlin' },
    date: '2026-01-15',
    startsAt: iso(start),
    endsAt: iso(start + 30 * 60_000),
  };
  const now = iso(start - 60_000);
  await slots.execute(slot.slotId, { type: 'CreateSlot', slot, now }, cause);
  const ids = { reservationId: randomUUID(), holder: 'ada', codeHash: 'hash' };
  await slots.execute(slot.slotId, { type: 'ReserveSlot', ...ids, now }, cause);
  return { ...slot, checkInBy: iso(start + CHECK_IN_MS) };
}

const statusOf = async (slotId: string) => (await slots.load(slotId)).status;
const reached = ({ slotId, checkInBy }: { slotId: string; checkInBy: string }) =>
  sampleEvent(ReservationTimeLimitReached, { slotId, deadline: checkInBy });
const unattended = async (slotId: string) =>
  (await storedEvents('reservations', slotId)).filter(({ detailType }) => detailType === 'SlotUnattended.v1').length;

async function deadlines(): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of reservationDeadlinesIn(table).overdue(new Date('9999-01-01'))) {
    ids.push(...page.map(({ id }) => id));
  }
  return ids;
}

describe('the schedules of a reservation', () => {
  const reservation = (checkInBy: string) => ({
    reservation: { ...SlotReserved.example.reservation, reservationId: randomUUID(), checkInBy },
  });
  const inAnHour = iso(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000);

  test('the first is at its time limit, and check-in takes the end of the slot for it', async () => {
    const data = { ...reservation(inAnHour), endsAt: inAnHour };
    const { reservationId } = data.reservation;
    expect(await deliver(setTimer, sampleEvent(SlotReserved, data))).toBe(0);
    expect(sent).toMatchObject([
      { kind: 'create', name: `${reservationId}.check-in`, at: `at(${inAnHour.slice(0, 19)})` },
    ]);
    expect(JSON.parse(sent[0]?.input ?? '').data).toEqual({
      slotId: SlotReserved.example.slotId,
      reservationId,
      deadline: inAnHour,
    });
    expect(sent[0]?.input).not.toContain('customer-1');

    expect(await deliver(setTimer, sampleEvent(SlotCheckedIn, data))).toBe(0);
    expect(sent.slice(1)).toMatchObject([
      { kind: 'delete', name: `${reservationId}.check-in` },
      { kind: 'create', name: `${reservationId}.check-out` },
    ]);
    expect(await deliver(setTimer, sampleEvent(SlotCheckedOut, data))).toBe(0);
    expect(sent.slice(3)).toEqual([{ kind: 'delete', name: `${reservationId}.check-out` }]);
  });

  test.each([
    ['cancellation', SlotCancelled],
    ['end', SlotUnattended],
  ] as const)('is removed by its %s', async (_, contract) => {
    const data = reservation(inAnHour);
    expect(await deliver(setTimer, sampleEvent(contract as typeof SlotUnattended, data))).toBe(0);
    expect(sent).toEqual([{ kind: 'delete', name: `${data.reservation.reservationId}.check-in` }]);
  });

  test('is not made for a reservation that ends in the same batch', async () => {
    const data = reservation(inAnHour);
    expect(await deliver(setTimer, sampleEvent(SlotReserved, data), sampleEvent(SlotCancelled, data))).toBe(0);
    expect(sent.map(({ kind }) => kind)).toEqual(['delete']);
  });

  test('that cannot be made fails its own message alone, and is made when that comes again', async () => {
    const [bad, good] = [reservation(inAnHour), reservation(inAnHour)];
    recordSchedules(`${bad.reservation.reservationId}.check-in`);
    const failed = sampleEvent(SlotReserved, bad);
    expect(await deliver(setTimer, failed, sampleEvent(SlotReserved, good))).toBe(1);
    expect(sent.map(({ name }) => name)).toEqual([`${good.reservation.reservationId}.check-in`]);

    recordSchedules();
    expect(await deliver(setTimer, failed)).toBe(0);
    expect(sent.at(-1)).toMatchObject({ kind: 'create', name: `${bad.reservation.reservationId}.check-in` });
  });

  test('are the same again after a crash before the mark', async () => {
    const event = sampleEvent(SlotCheckedIn, { ...reservation(inAnHour), endsAt: inAnHour });
    expect(await deliver(setTimer, event)).toBe(0);
    const first = sent.splice(0).map(({ kind, name }) => ({ kind, name }));
    const key = inboxKey({ consumer: 'reservations.test', eventId: event.event.metadata.id });
    await table.client.send(
      new DeleteCommand({ TableName: table.name, Key: key, ConditionExpression: 'attribute_exists(pk)' }),
    );

    expect(await deliver(setTimer, event)).toBe(0);

    expect(sent).toMatchObject(first);
  });
});

describe('a time limit that is reached', () => {
  test('frees the slot, once, however often it comes', async () => {
    const slot = await reserved(1_000);
    expect(await deadlines()).toContain(slot.slotId);
    expect(await deliver(onTimeLimitReached, reached(slot))).toBe(0);
    expect(await deliver(onTimeLimitReached, reached(slot), reached(slot))).toBe(0);
    expect([await statusOf(slot.slotId), await unattended(slot.slotId)]).toEqual(['FREE', 1]);
    expect(await deadlines()).not.toContain(slot.slotId);
  });

  test('frees the slot once when the sweep ends it at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => reserved(GRACE_MS + 1_000)));
    const [failed] = await Promise.all([
      deliver(onTimeLimitReached, ...all.map(reached)),
      sweep({}, lambdaContext(60_000)),
    ]);
    expect(failed).toBe(0);
    for (const { slotId } of all) expect([await statusOf(slotId), await unattended(slotId)]).toEqual(['FREE', 1]);
  });

  test('too early waits', async () => {
    const slot = await reserved(-60_000);
    expect(await deliver(onTimeLimitReached, reached(slot))).toBe(1);
    expect(await statusOf(slot.slotId)).toBe('RESERVED');
  });

  test('after check-in changes nothing, and the end of the slot checks out', async () => {
    const slot = await reserved(1_000);
    await slots.execute(slot.slotId, { type: 'CheckIn', holder: 'ada', codeHash: 'hash', now: slot.startsAt }, cause);
    expect(await deliver(onTimeLimitReached, reached(slot))).toBe(0);
    expect(await statusOf(slot.slotId)).toBe('CHECKED_IN');
    expect(await deadlines()).toContain(slot.slotId);
  });
});

test('a check-in that does not move the time limit keeps its row: the slot ends within ten minutes', async () => {
  const slot = await reserved(-CHECK_IN_MS);
  const ending = { ...slot, slotId: randomUUID(), endsAt: iso(Date.parse(slot.startsAt) + CHECK_IN_MS) };
  const [ids, now] = [{ reservationId: randomUUID(), holder: 'ada', codeHash: 'hash' }, slot.startsAt];
  await slots.execute(ending.slotId, { type: 'CreateSlot', slot: ending, now }, cause);
  await slots.execute(ending.slotId, { type: 'ReserveSlot', ...ids, now }, cause);
  await slots.execute(ending.slotId, { type: 'CheckIn', holder: 'ada', codeHash: 'hash', now }, cause);
  expect((await deadlines()).filter((id) => id === ending.slotId)).toHaveLength(1);

  await slots.execute(ending.slotId, { type: 'ReachTimeLimit', deadline: ending.endsAt, now: ending.endsAt }, cause);
  expect((await slots.load(ending.slotId)).ended?.outcome).toBe('CHECKED_OUT');
  expect(await deadlines()).not.toContain(ending.slotId);
});

describe('the sweep', () => {
  test('ends what is overdue and has no schedule, and leaves the rest to its schedule', async () => {
    const [late, recent] = [await reserved(GRACE_MS + 1_000), await reserved(1_000)];
    const attended = await reserved(GRACE_MS + 30 * 60_000);
    const checkIn = { type: 'CheckIn', holder: 'ada', codeHash: 'hash', now: attended.startsAt } as const;
    await slots.execute(attended.slotId, checkIn, cause);

    expect(await sweep({}, lambdaContext(60_000))).toEqual({ ended: 2 });

    expect(await statusOf(late.slotId)).toBe('FREE');
    expect(await statusOf(recent.slotId)).toBe('RESERVED');
    expect((await slots.load(attended.slotId)).ended?.outcome).toBe('CHECKED_OUT');
    expect(await sweep({}, lambdaContext(60_000))).toEqual({ ended: 0 });
  });

  test('fails when a reservation cannot be ended, and says which', async () => {
    const slot = await reserved(GRACE_MS + 1_000);
    const execute = jest.spyOn(Slots.prototype, 'execute').mockRejectedValue(new Error('no table'));
    await expect(sweep({}, lambdaContext(60_000))).rejects.toThrow('1 overdue reservations could not be ended');
    execute.mockRestore();
    expect(await sweep({}, lambdaContext(60_000))).toEqual({ ended: 1 });
    expect(await statusOf(slot.slotId)).toBe('FREE');
  });
});
