import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import type { EmittableEvent } from '@millrace/events';
import { OrderCancelled, OrderPlaced } from '@millrace/orders/events';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { Slots } from '../adapters/slots.ts';

type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let slots: Slots;
let onOrderPlaced: Consumer;
let onOrderCancelled: Consumer;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('reservations');
  Object.assign(process.env, { MILLRACE_TABLE: 'reservations', ...consumerVariables('reservations.test') });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  onOrderPlaced = (await import('./on-order-placed.ts')).handler;
  onOrderCancelled = (await import('./on-order-cancelled.ts')).handler;
  slots = new Slots({ client: documentClient(), name: 'reservations' });
});
afterAll(() => dynamoDb.stop());

const HOUR = 3_600_000;
const cause = { correlationId: 'c-1' };
const now = () => new Date().toISOString();

/** A slot of tomorrow, which a customer has reserved unless there is none. */
async function slotOf(holder?: string): Promise<string> {
  const slotId = randomUUID();
  const start = Date.now() + 24 * HOUR;
  const slot = {
    ...{ slotId, location: { id: `location-${slotId}`, name: 'Mill Lane', timeZone: 'Europe/Berlin' } },
    date: new Date(start).toISOString().slice(0, 10),
    startsAt: new Date(start).toISOString(),
    endsAt: new Date(start + HOUR).toISOString(),
  };
  await slots.execute(slotId, { type: 'CreateSlot', slot, now: now() }, cause);
  if (holder !== undefined) await reserve(slotId, holder);
  return slotId;
}

async function reserve(slotId: string, holder: string): Promise<void> {
  const ids = { reservationId: randomUUID(), holder, codeHash: 'hash' };
  await slots.execute(slotId, { type: 'ReserveSlot', ...ids, now: now() }, cause);
}

/** The events of an order that names a slot. */
function orderOf(customerId: string, slotId: string, orderId: string = randomUUID()) {
  const customer = { ...OrderPlaced.example.customer, id: customerId };
  const data = { orderId, slotId, customer };
  return { orderId, placed: sampleEvent(OrderPlaced, data), cancelled: sampleEvent(OrderCancelled, data) };
}

async function deliver(handler: Consumer, ...events: EmittableEvent[]): Promise<void> {
  const answer = await handler(sqsEvent(...events.map(envelopeText)), lambdaContext());
  expect(answer).toEqual({ batchItemFailures: [] });
}

/** What the relay would emit about a slot or an order. */
async function told(subject: string) {
  const events = await storedEvents('reservations', subject);
  return events.map(({ detailType, data }) => ({ detailType, data: data as Record<string, unknown> }));
}
const typesOf = async (slotId: string) => (await told(slotId)).map(({ detailType }) => detailType);

describe('an order that names a slot', () => {
  test('gets it from its holder, once, however often it is told', async () => {
    const slotId = await slotOf('ada');
    const { orderId, placed } = orderOf('ada', slotId);

    await deliver(onOrderPlaced, placed, placed);
    await deliver(onOrderPlaced, placed);
    // The same order by another event, as the archive may tell it.
    await deliver(onOrderPlaced, orderOf('ada', slotId, orderId).placed);

    expect(await typesOf(slotId)).toEqual(['SlotCreated.v1', 'SlotReserved.v1', 'SlotAssigned.v1']);
    expect((await told(slotId)).at(-1)?.data).toMatchObject({ orderId, reservation: { orderId, holder: 'ada' } });
    expect(JSON.stringify(await told(slotId))).not.toMatch(/hash|example\.com/);
    expect((await slots.load(slotId)).reservation).toMatchObject({ orderId });
  });

  test.each([
    ['of another customer', 'RESERVATION_NOT_FOUND', () => slotOf('grace')],
    ['that is free', 'RESERVATION_NOT_FOUND', () => slotOf()],
    ['that does not exist', 'SLOT_NOT_FOUND', async () => randomUUID()],
  ])('%s is refused with the reason, once', async (_, reason, given) => {
    const slotId = await given();
    const { orderId, placed } = orderOf('ada', slotId);

    await deliver(onOrderPlaced, placed, placed);
    await deliver(onOrderPlaced, placed);

    expect(await told(orderId)).toEqual([
      { detailType: 'SlotAssignmentRefused.v1', data: { orderId, slotId, reason } },
    ]);
    expect(await typesOf(slotId)).not.toContain('SlotAssigned.v1');
  });

  test('of two orders that name one slot at once, one gets it and the other is refused', async () => {
    const slotId = await slotOf('ada');
    const [first, second] = [orderOf('ada', slotId), orderOf('ada', slotId)];

    await Promise.all([deliver(onOrderPlaced, first.placed), deliver(onOrderPlaced, second.placed)]);

    const { orderId } = (await slots.load(slotId)).reservation ?? {};
    const loser = orderId === first.orderId ? second.orderId : first.orderId;
    expect([first.orderId, second.orderId]).toContain(orderId);
    expect(await told(loser)).toMatchObject([{ data: { reason: 'SLOT_HAS_ORDER' } }]);
  });
});

describe('a cancelled order', () => {
  test('frees its slot, once', async () => {
    const slotId = await slotOf('ada');
    const { orderId, placed, cancelled } = orderOf('ada', slotId);
    await deliver(onOrderPlaced, placed);

    await deliver(onOrderCancelled, cancelled, cancelled);
    await deliver(onOrderCancelled, cancelled);

    const last = (await told(slotId)).at(-1);
    expect(last).toMatchObject({
      detailType: 'SlotCancelled.v1',
      data: { status: 'FREE', reason: 'ORDER_CANCELLED', reservation: { orderId } },
    });
    expect((await slots.load(slotId)).status).toBe('FREE');
  });

  test('that was cancelled before it was heard of ends the same, and takes nothing that is reserved later', async () => {
    const slotId = await slotOf('ada');
    const { placed, cancelled } = orderOf('ada', slotId);

    await deliver(onOrderCancelled, cancelled);
    expect(await typesOf(slotId)).toEqual([
      ...['SlotCreated.v1', 'SlotReserved.v1', 'SlotAssigned.v1', 'SlotCancelled.v1'],
    ]);

    await reserve(slotId, 'ada');
    await deliver(onOrderPlaced, placed);
    const { status, reservation } = await slots.load(slotId);
    expect(status).toBe('RESERVED');
    expect(reservation).not.toHaveProperty('orderId');
  });

  test('whose slot was not its own leaves it alone, in either order', async () => {
    const slotId = await slotOf('grace');
    const [inOrder, outOfOrder] = [orderOf('eve', slotId), orderOf('eve', slotId)];

    await deliver(onOrderPlaced, inOrder.placed);
    await deliver(onOrderCancelled, inOrder.cancelled);
    await deliver(onOrderCancelled, outOfOrder.cancelled);
    await deliver(onOrderPlaced, outOfOrder.placed);

    expect(await typesOf(slotId)).toEqual(['SlotCreated.v1', 'SlotReserved.v1']);
    // Nobody waits for an answer to an order that has ended.
    expect(await told(outOfOrder.orderId)).toEqual([]);
  });

  test('that was refused leaves a slot alone that its customer has reserved since', async () => {
    const slotId = await slotOf();
    const { placed, cancelled } = orderOf('ada', slotId);
    await deliver(onOrderPlaced, placed);
    await reserve(slotId, 'ada');

    await deliver(onOrderCancelled, cancelled);

    expect((await slots.load(slotId)).status).toBe('RESERVED');
  });

  test('at the same moment as it is placed never keeps its slot', async () => {
    const pairs = await Promise.all(
      Array.from({ length: 15 }, async () => {
        const slotId = await slotOf('ada');
        return { slotId, ...orderOf('ada', slotId) };
      }),
    );

    await Promise.all(
      pairs.flatMap(({ placed, cancelled }) => [deliver(onOrderPlaced, placed), deliver(onOrderCancelled, cancelled)]),
    );

    for (const { slotId } of pairs) {
      expect((await slots.load(slotId)).status).toBe('FREE');
      expect((await typesOf(slotId)).slice(-2)).toEqual(['SlotAssigned.v1', 'SlotCancelled.v1']);
    }
  });
});

test('an order without a slot that comes past the filter changes nothing', async () => {
  const { slotId: _, ...data } = { ...OrderPlaced.example, slotId: undefined, orderId: randomUUID() };
  await deliver(onOrderPlaced, sampleEvent(OrderPlaced, data));
  await deliver(onOrderCancelled, sampleEvent(OrderCancelled, data));

  expect(await told(data.orderId)).toEqual([]);
});

test('a cancellation that names another slot than the order frees none', async () => {
  const slotId = await slotOf('ada');
  const { orderId, placed } = orderOf('ada', slotId);
  await deliver(onOrderPlaced, placed);

  await deliver(onOrderCancelled, orderOf('ada', randomUUID(), orderId).cancelled);

  expect((await slots.load(slotId)).status).toBe('RESERVED');
});
