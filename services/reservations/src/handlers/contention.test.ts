import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import type { HttpApiEvent } from '@millrace/http';
import { httpRequest, lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { Slots } from '../adapters/slots.ts';
import type { NewSlot } from '../domain/slot.ts';

const HALF_HOUR = 30 * 60_000;

let dynamoDb: TestDynamoDb;
let slots: Slots;
let postReservation: (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('reservations');
  await dynamoDb.createTable('reservations-idempotency', ['id']);
  Object.assign(process.env, {
    MILLRACE_TABLE: 'reservations',
    MILLRACE_IDEMPOTENCY_TABLE: 'reservations-idempotency',
    MILLRACE_RESERVATIONS_PER_HOUR: '20',
  });
  postReservation = (await import('./post-reservation.ts')).handler;
  slots = new Slots({ client: documentClient(), name: 'reservations' });
});
afterAll(() => dynamoDb.stop());

async function created(count: number): Promise<NewSlot[]> {
  const start = Date.now() + HALF_HOUR;
  const now = new Date().toISOString();
  const planned = Array.from({ length: count }, (_, index) => ({
    slotId: randomUUID(),
    location: { id: 'mill-lane', name: 'Mill Lane', timeZone: 'Europe/Berlin' },
    date: now.slice(0, 10),
    startsAt: new Date(start + index * HALF_HOUR).toISOString(),
    endsAt: new Date(start + (index + 1) * HALF_HOUR).toISOString(),
  }));
  for (const slot of planned) {
    await slots.execute(slot.slotId, { type: 'CreateSlot', slot, now }, { correlationId: 'correlation-1' });
  }
  return planned;
}

async function reserve(slotId: string, sub: string) {
  const event = httpRequest('POST /slots/{slotId}/reservation', { path: { slotId }, claims: { sub } });
  const { statusCode: status, body = '' } = await postReservation(event, lambdaContext());
  return { status, body: JSON.parse(body) };
}

test('500 customers, fifty at a time, for 100 slots: 100 get one each, and the others are told what is free until nothing is', async () => {
  const day = await created(100);
  const ids = day.map(({ slotId }) => slotId);
  const isKnown = new Set(ids);
  const got: string[] = [];
  const turnedAway: unknown[] = [];
  /** Five at a time want the same slot. Whoever is told of others takes one of them, until there are none. */
  const reserveAny = async (customer: number): Promise<unknown> => {
    let wanted = ids[Math.floor(customer / 5)] ?? '';
    for (;;) {
      const { status, body } = await reserve(wanted, `customer-${customer}`);
      if (status === 201) return got.push(body.slotId);
      if (status === 503) continue; // too busy to decide in time: a customer asks again, as Retry-After says
      expect([status, body.code]).toEqual([409, 'SLOT_TAKEN']);
      const alternatives = body.alternatives.map(({ slotId }: NewSlot) => slotId);
      expect(alternatives.every((slotId: string) => isKnown.has(slotId) && slotId !== wanted)).toBe(true);
      if (alternatives.length === 0) return turnedAway.push(body);
      wanted = alternatives[customer % alternatives.length];
    }
  };
  // As many containers as this process has connections to the database.
  const waiting = Array.from({ length: 500 }, (_, customer) => customer).values();
  const container = async () => {
    for (const customer of waiting) await reserveAny(customer);
  };
  await Promise.all(Array.from({ length: 50 }, container));

  expect([got.length, new Set(got).size, turnedAway.length]).toEqual([100, 100, 400]);
  const holders = await Promise.all(ids.map(async (slotId) => (await slots.load(slotId)).reservation?.holder));
  expect(new Set(holders).size).toBe(100);
  expect(holders).not.toContain(undefined);
}, 300_000);
