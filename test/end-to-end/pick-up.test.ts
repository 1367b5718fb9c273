import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';
import { type OrderView, orderOf, Shop } from './shop.ts';
import { CODE, slotOf, slotsIn } from './slots.ts';
import { type System, startSystem } from './system.ts';

/** From the start of a slot to its end as unattended, in minutes. */
const LATE = 10;

let system: System;
let aws: Aws;
let ada: Shop;
beforeAll(async () => {
  system = await startSystem();
  aws = new Aws(system);
  ada = new Shop(system);
}, 120_000);
afterAll(() => system?.stop());

/** Waits until an order looks like this. */
function orderThatIs(orderId: string, expected: object): Promise<OrderView> {
  return eventually(
    async () => {
      const order = await ada.order(orderId);
      expect(order).toMatchObject(expected);
      return order;
    },
    { deadlineMs: 120_000 },
  );
}

/** Waits until a slot looks like this, past the API. */
function slotThatIs(slotId: string, expected: object) {
  return eventually(async () => expect(await slotsIn(system).load(slotId)).toMatchObject(expected), {
    deadlineMs: 120_000,
  });
}

/** Waits for a mail of this subject, and returns its text. Mails may come twice. */
function mailTo(recipient: string, subject: string): Promise<string> {
  return eventually(
    async () => {
      const mail = (await ada.messagesTo(recipient)).find((message) => message.subject?.includes(subject));
      expect(mail).toBeDefined();
      return mail?.text ?? '';
    },
    { deadlineMs: 120_000 },
  );
}

const reservation = (slotId: string) => `/slots/${slotId}/reservation`;

test('an order with a slot is paid, lies ready, and is handed over at check-in', async () => {
  const { slotId, location } = await slotOf(system, { startsIn: -1 });
  const reserved = await ada.request('POST', reservation(slotId));
  expect(reserved.status).toBe(201);
  const sku = await ada.stocked(5);
  const order = orderOf(sku, 2, { slotId });

  const orderId = await ada.place(order);

  const ready = await orderThatIs(orderId, { status: 'CONFIRMED', pickUp: { slotId, status: 'READY', location } });
  expect(ready).not.toHaveProperty('trackingNumber');
  expect((await ada.request('GET', `/slots/${slotId}`)).body.reservation).toMatchObject({ orderId });
  expect(await mailTo(order.customer.email, 'is confirmed')).toContain(`Pick it up at ${location.name}`);
  await eventually(async () => expect(await ada.stock(sku)).toEqual({ available: 3, reserved: 0, shipped: 2 }), {
    deadlineMs: 60_000,
  });

  const checkIn = await ada.request('POST', `/slots/${slotId}/check-in`, { code: reserved.body.checkInCode });
  expect(checkIn.status).toBe(200);

  await orderThatIs(orderId, { status: 'CONFIRMED', pickUp: { status: 'HANDED_OVER' } });
  await eventually(async () => {
    const { orders } = (await ada.request('GET', '/orders?limit=100')).body;
    expect(orders.find((each) => each.orderId === orderId)).toMatchObject({ pickUp: 'HANDED_OVER' });
  });
}, 300_000);

test('a check-in before the order is paid hands it over when it is ready', async () => {
  const { slotId } = await slotOf(system, { startsIn: -1, holder: ada.customerId });
  const resume = await aws.pause('payments', 'onStockReserved');
  let orderId: string;
  try {
    orderId = await ada.place(orderOf(await ada.stocked(5), 1, { slotId }));
    await slotThatIs(slotId, { reservation: { orderId } });
    expect((await ada.request('POST', `/slots/${slotId}/check-in`, { code: CODE })).status).toBe(200);
  } finally {
    await resume();
  }

  await orderThatIs(orderId, { status: 'CONFIRMED', pickUp: { status: 'HANDED_OVER' } });
}, 300_000);

test('a cancelled order frees its slot', async () => {
  const { slotId } = await slotOf(system, { holder: ada.customerId });
  const orderId = await ada.place(orderOf(await ada.stocked(5), 1, { slotId, paymentToken: 'tok_declined' }));

  await orderThatIs(orderId, { status: 'CANCELLED', cancellation: { reason: 'PAYMENT_FAILED' } });
  await slotThatIs(slotId, { status: 'FREE', ended: { outcome: 'CANCELLED', reservation: { orderId } } });
  // Another customer can have it.
  expect((await new Shop(system).request('POST', reservation(slotId))).status).toBe(201);
}, 300_000);

test('an order whose slot is not its customer’s is cancelled, and the customer hears why', async () => {
  const taken = await slotOf(system, { holder: `customer-${randomUUID()}` });
  const sku = await ada.stocked(5);
  for (const slotId of [taken.slotId, randomUUID()]) {
    const order = orderOf(sku, 2, { slotId });
    const orderId = await ada.place(order);

    const { cancellation } = await orderThatIs(orderId, { cancellation: { reason: 'SLOT_REFUSED' } });
    expect(await mailTo(order.customer.email, 'is cancelled')).toContain(String(cancellation?.detail));
  }
  await eventually(async () => expect(await ada.stock(sku)).toMatchObject({ available: 5, reserved: 0 }), {
    deadlineMs: 60_000,
  });
  await slotThatIs(taken.slotId, { status: 'RESERVED' });
}, 300_000);

test('two orders that name one slot: one gets it, and the other is cancelled and leaves it alone', async () => {
  const { slotId } = await slotOf(system, { holder: ada.customerId });
  const sku = await ada.stocked(5);
  const orderIds = await Promise.all([1, 2].map(() => ada.place(orderOf(sku, 1, { slotId }))));

  const statuses = await eventually(
    async () => {
      const orders = await Promise.all(orderIds.map((orderId) => ada.order(orderId)));
      expect(orders.map(({ status }) => status).toSorted()).toEqual(['CANCELLED', 'CONFIRMED']);
      return orders;
    },
    { deadlineMs: 120_000 },
  );
  const winner = statuses.find(({ status }) => status === 'CONFIRMED')?.orderId;
  await slotThatIs(slotId, { status: 'RESERVED', reservation: { orderId: winner } });
}, 300_000);

test('a slot that nobody attended: the order is sent, and its customer is told where it goes', async () => {
  const order = orderOf(await ada.stocked(5), 1);
  // In forty seconds it is ten minutes since its start: time enough to pay.
  const { slotId } = await slotOf(system, { startsIn: -LATE + 40 / 60, holder: ada.customerId });
  const orderId = await ada.place({ ...order, slotId });
  await slotThatIs(slotId, { reservation: { orderId } });

  const sent = await orderThatIs(orderId, {
    status: 'CONFIRMED',
    pickUp: { status: 'SWITCHED_TO_DELIVERY', reason: 'UNATTENDED' },
    trackingNumber: expect.any(String),
  });
  expect(sent.timeline.map(({ event }) => event)).toContain('OrderSwitchedToDelivery');
  expect(await mailTo(order.customer.email, 'We send you your order')).toContain('you did not check in in time');
}, 300_000);

test('a slot that staff closes: the order is sent, and its customer is told why', async () => {
  const { slotId } = await slotOf(system, { holder: ada.customerId });
  const order = orderOf(await ada.stocked(5), 1, { slotId });
  const orderId = await ada.place(order);
  await orderThatIs(orderId, { status: 'CONFIRMED', pickUp: { status: 'READY' } });

  expect((await ada.request('POST', `/slots/${slotId}/closure`)).status).toBe(200);

  await orderThatIs(orderId, {
    pickUp: { status: 'SWITCHED_TO_DELIVERY', reason: 'CLOSED' },
    trackingNumber: expect.any(String),
  });
  expect(await mailTo(order.customer.email, 'We send you your order')).toContain('we had to close the slot');
}, 300_000);

test('a checkout with a slot is refused, with the route that takes it', async () => {
  const { status, body } = await ada.request('POST', '/checkouts', orderOf('FLOUR-1KG', 1, { slotId: randomUUID() }));

  expect([status, body.errors]).toEqual([
    400,
    [{ field: '/slotId', detail: 'a checkout cannot be picked up: order with POST /orders' }],
  ]);
});
