import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import type { EmittableEvent } from '@millrace/events';
import { OrderCancelled, OrderConfirmed } from '@millrace/orders/events';
import { PaymentProcessed } from '@millrace/payments/events';
import {
  SlotAssigned,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotUnattended,
} from '@millrace/reservations/events';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { Shipments } from '../adapters/shipments.ts';

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let shipments: Shipments;
const handlers = new Map<string, Handler>();

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('fulfillment');
  Object.assign(process.env, { MILLRACE_TABLE: 'fulfillment', ...consumerVariables('fulfillment.test') });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  const onSlotProgress = (await import('./on-slot-progress.ts')).handler;
  for (const name of ['SlotAssigned', 'SlotCheckedIn', 'SlotCheckedOut', 'SlotCancelled', 'SlotUnattended']) {
    handlers.set(`${name}.v1`, onSlotProgress);
  }
  handlers.set('PaymentProcessed.v1', (await import('./on-payment-processed.ts')).handler);
  handlers.set('OrderConfirmed.v1', (await import('./on-order-confirmed.ts')).handler);
  handlers.set('OrderCancelled.v1', (await import('./on-order-cancelled.ts')).handler);
  shipments = new Shipments({ client: documentClient(), name: 'fulfillment' });
});
afterAll(() => dynamoDb.stop());

const { slotId } = SlotCheckedIn.example;

/** The events about one order that is picked up. */
function orderWithSlot(orderId: string = randomUUID()) {
  const reservation = { ...SlotCheckedIn.example.reservation, orderId };
  return {
    orderId,
    paid: sampleEvent(PaymentProcessed, { orderId, slotId }),
    confirmed: sampleEvent(OrderConfirmed, { orderId, slotId }),
    cancelled: sampleEvent(OrderCancelled, { orderId, slotId }),
    assigned: sampleEvent(SlotAssigned, { orderId, reservation }),
    assignedAfterCheckIn: sampleEvent(SlotAssigned, { orderId, reservation, status: 'CHECKED_IN' }),
    checkedIn: sampleEvent(SlotCheckedIn, { reservation }),
    checkedOut: sampleEvent(SlotCheckedOut, { reservation }),
    checkedOutByOrder: sampleEvent(SlotCheckedOut, { reservation, reason: 'ORDER_CANCELLED' }),
    unattended: sampleEvent(SlotUnattended, { reservation }),
    closed: sampleEvent(SlotCancelled, { reservation, reason: 'CLOSED' }),
    byHolder: sampleEvent(SlotCancelled, { reservation, reason: 'HOLDER' }),
    byOrder: sampleEvent(SlotCancelled, { reservation, reason: 'ORDER_CANCELLED' }),
  };
}

/** Delivers events one after the other, each twice. */
async function deliver(...events: EmittableEvent[]): Promise<void> {
  for (const event of events.flatMap((each) => [each, each])) {
    const answer = await handlers.get(event.detailType)?.(sqsEvent(envelopeText(event)), lambdaContext());
    expect(answer).toEqual({ batchItemFailures: [] });
  }
}

/** What the relay would emit about an order. */
async function told(orderId: string): Promise<string[]> {
  return (await storedEvents('fulfillment', orderId)).map(({ detailType }) => detailType);
}

test('an order with a slot lies ready and is handed over at check-in, without a parcel', async () => {
  const { orderId, paid, assigned, confirmed, checkedIn, checkedOut } = orderWithSlot();

  await deliver(assigned, paid, confirmed);
  expect(await shipments.find(orderId)).toMatchObject({ status: 'READY', pickUp: { slotId } });
  await deliver(checkedIn, checkedOut);

  expect(await told(orderId)).toEqual(['PickUpReady.v1', 'PickUpHandedOver.v1']);
  expect(await shipments.find(orderId)).toMatchObject({ status: 'HANDED_OVER' });
});

test('a check-in before the payment, or before the slot was assigned, hands over when it is ready', async () => {
  const [early, late] = [orderWithSlot(), orderWithSlot()];

  await deliver(early.checkedIn, early.paid, early.confirmed);
  await deliver(late.assignedAfterCheckIn, late.paid, late.confirmed);

  expect(await told(early.orderId)).toEqual(['PickUpReady.v1', 'PickUpHandedOver.v1']);
  expect(await told(late.orderId)).toEqual(['PickUpReady.v1', 'PickUpHandedOver.v1']);
});

test.each([
  ['UNATTENDED', 'unattended'],
  ['CLOSED', 'closed'],
  ['CANCELLED', 'byHolder'],
] as const)('a lost slot sends the goods: %s', async (reason, news) => {
  const order = orderWithSlot();

  await deliver(order.paid, order.confirmed, order[news]);

  expect(await told(order.orderId)).toEqual(
    expect.arrayContaining(['PickUpReady.v1', 'PickUpFailed.v1', 'ShipmentCreated.v1']),
  );
  const failed = (await storedEvents('fulfillment', order.orderId)).find(
    ({ detailType }) => detailType === 'PickUpFailed.v1',
  );
  expect(failed?.data).toEqual({ orderId: order.orderId, slotId, reason });
  expect(await shipments.find(order.orderId)).toMatchObject({ status: 'CREATED' });
});

test('a slot that is lost with its order sends nothing', async () => {
  const order = orderWithSlot();

  await deliver(order.paid, order.byOrder, order.cancelled);

  expect(await told(order.orderId)).toEqual(['PickUpReady.v1']);
  expect(await shipments.find(order.orderId)).toMatchObject({ status: 'CANCELLED' });
});

test('a customer who is checked out with an order that is not paid is sent nothing', async () => {
  const order = orderWithSlot();

  await deliver(order.checkedIn, order.checkedOutByOrder, order.cancelled, order.paid);

  expect(await told(order.orderId)).toEqual([]);
  expect(await shipments.find(order.orderId)).toMatchObject({ status: 'CANCELLED' });
});

test('a check-in and the end of the reservation at once lead to one outcome', async () => {
  const orders = Array.from({ length: 15 }, () => orderWithSlot());
  for (const { paid, confirmed } of orders) await deliver(paid, confirmed);

  await Promise.all(orders.flatMap(({ checkedIn, unattended }) => [deliver(checkedIn), deliver(unattended)]));

  for (const { orderId } of orders) {
    const ways = (await told(orderId)).filter((type) => /^(PickUpHandedOver|ShipmentCreated)/.test(type));
    expect(ways).toHaveLength(1);
  }
});
