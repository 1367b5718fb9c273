import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import type { Table } from '@millrace/event-store';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { type SlotOrder, SlotOrders } from './slot-orders.ts';
import { Slots } from './slots.ts';

let dynamoDb: TestDynamoDb;
let table: Table;
let slots: Slots;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('reservations');
  table = { client: documentClient(), name: 'reservations' };
  slots = new Slots(table);
});
afterAll(() => dynamoDb.stop());

const HOUR = 3_600_000;
const cause = { correlationId: 'c-1' };
const inbox = () => ({ consumer: 'reservations.test', eventId: randomUUID() });
const now = () => new Date().toISOString();

/** A free slot of tomorrow, and an order of Ada's that names it. */
async function given(): Promise<SlotOrder & { slotId: string }> {
  const slotId = randomUUID();
  const startsAt = new Date(Date.now() + 24 * HOUR).toISOString();
  const endsAt = new Date(Date.now() + 25 * HOUR).toISOString();
  const location = { id: `location-${slotId}`, name: 'Mill Lane', timeZone: 'Europe/Berlin' };
  const slot = { slotId, location, date: startsAt.slice(0, 10), startsAt, endsAt };
  await slots.execute(slotId, { type: 'CreateSlot', slot, now: now() }, cause);
  return { orderId: randomUUID(), slotId, holder: 'ada' };
}

async function reserve(slotId: string): Promise<void> {
  const ids = { reservationId: randomUUID(), holder: 'ada', codeHash: 'hash' };
  await slots.execute(slotId, { type: 'ReserveSlot', ...ids, now: now() }, cause);
}

/** The orders as a container has them for which something else happens just before it writes. */
function interruptedBy(interruption: () => Promise<void>): SlotOrders {
  let pending: (() => Promise<void>) | undefined = interruption;
  const send: typeof table.client.send = async (command) => {
    if (/^(TransactWriteItems|PutItem)$/.test(command.operation)) {
      const interrupt = pending;
      pending = undefined;
      await interrupt?.();
    }
    return table.client.send(command);
  };
  return new SlotOrders({ client: { ...table.client, send }, name: table.name });
}

test('a cancellation that finds no slot to free frees the one that the order gets meanwhile', async () => {
  const order = await given();
  const meanwhile = async () => {
    await reserve(order.slotId);
    await new SlotOrders(table).assign(order, cause, inbox());
  };

  await interruptedBy(meanwhile).release(order, cause, inbox());

  expect(await slots.load(order.slotId)).toMatchObject({ status: 'FREE', ended: { outcome: 'CANCELLED' } });
});

test('an order that is about to get its slot gets none when it is cancelled meanwhile', async () => {
  const order = await given();
  await reserve(order.slotId);
  const other = new SlotOrders(table);
  const meanwhile = () => other.release({ ...order, slotId: randomUUID() }, cause, inbox());

  await interruptedBy(meanwhile).assign(order, cause, inbox());

  const { status, reservation } = await slots.load(order.slotId);
  expect(status).toBe('RESERVED');
  expect(reservation).not.toHaveProperty('orderId');
});

test('of a refusal and a cancellation at once the first one is the answer', async () => {
  const order = await given();
  const meanwhile = () => new SlotOrders(table).release(order, cause, inbox());
  await interruptedBy(meanwhile).assign(order, cause, inbox());

  // A slot that is reserved afterwards is no concern of the order's.
  await reserve(order.slotId);
  await new SlotOrders(table).release(order, cause, inbox());
  expect((await slots.load(order.slotId)).status).toBe('RESERVED');
});
