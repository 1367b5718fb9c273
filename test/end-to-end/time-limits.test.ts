import { randomUUID } from 'node:crypto';
import { CreateScheduleCommand, DeleteScheduleCommand, GetScheduleCommand } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { GRACE_MS } from '@millrace/timers';
import { exampleOrder } from '../../services/orders/events/index.ts';
import { Aws } from './aws.ts';
import { ordersOf } from './overdue-orders.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

/** For orders of these tests: good ones end in a moment, even when many are placed at once. */
const LIMIT_SECONDS = 25;
const DEADLINE_MS = 120_000;
const GROUP = 'millrace-orders-dev-set-time-limit';

let system: System;
let aws: Aws;
let shop: Shop;
let restore: () => Promise<void>;
beforeAll(async () => {
  system = await startSystem();
  aws = new Aws(system);
  shop = new Shop(system);
  restore = await aws.setVariable('orders', 'postOrder', 'MILLRACE_ORDER_TIME_LIMIT_SECONDS', String(LIMIT_SECONDS));
}, 120_000);
afterAll(async () => {
  await restore?.();
  await system?.stop();
});

const lost = { paymentToken: 'tok_outage' };
const scheduleOf = (orderId: string) => ({ Name: orderId, GroupName: GROUP });

/** Waits until an order has its schedule. */
function scheduled(orderId: string) {
  return eventually(() => aws.scheduler.send(new GetScheduleCommand(scheduleOf(orderId))));
}

/** Has the event of an order's schedule put on the bus by another one, in some seconds. */
async function scheduleAgain(orderId: string, seconds: number, schedule?: Awaited<ReturnType<typeof scheduled>>) {
  const { Target } = schedule ?? (await scheduled(orderId));
  await aws.scheduler.send(
    new CreateScheduleCommand({
      ...{ Name: randomUUID(), GroupName: GROUP, Target },
      ScheduleExpression: `at(${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)})`,
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
    }),
  );
}

/** Has the event of an order's schedule put on the bus now, and waits until it has been handled. */
async function runsOnce(orderId: string, schedule: Awaited<ReturnType<typeof scheduled>>): Promise<void> {
  const tap = await aws.tap('OrderTimeLimitReached.v1');
  await scheduleAgain(orderId, 1, schedule);
  await tap.waitFor(orderId, 'OrderTimeLimitReached.v1');
  await tap.close();
  const queueUrl = await aws.queueUrl('orders', 'on-time-limit-reached');
  await eventually(async () => expect(await aws.depth(queueUrl)).toBe(0));
}

function ended(orderId: string) {
  return eventually(
    async () => {
      const order = await shop.order(orderId);
      if (order.status === 'PLACED')
        throw new Error(`Order ${orderId} has not ended: ${JSON.stringify(order.timeline)}`);
      return order;
    },
    { deadlineMs: DEADLINE_MS, intervalMs: 500 },
  );
}

const cancellations = ({ timeline }: { timeline: { event: string }[] }) =>
  timeline.filter(({ event }) => event === 'OrderCancelled').length;

test('500 orders of which every tenth loses its charge: all end, with stock and mail', async () => {
  const sku = await shop.stocked(1_000);
  const orders = Array.from({ length: 500 }, (_, index) => orderOf(sku, 1, index % 10 === 0 ? lost : {}));
  const placed: { orderId: string; email: string; isLost: boolean }[] = [];
  const waiting = orders.values();
  const client = async () => {
    for (const order of waiting) {
      const orderId = await shop.place(order);
      placed.push({ orderId, email: order.customer.email, isLost: order.paymentToken === lost.paymentToken });
      // A closed loop: the next order waits for this one.
      if (order.paymentToken !== lost.paymentToken) await ended(orderId);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));

  const timedOut: typeof placed = [];
  for (const each of placed) {
    const { status, cancellation } = await ended(each.orderId);
    if (status === 'CANCELLED') timedOut.push(each);
    expect([status, cancellation?.reason]).toEqual(
      status === 'CANCELLED' ? ['CANCELLED', 'TIMED_OUT'] : ['CONFIRMED', undefined],
    );
  }
  // A message that comes twice tries twice, so the charge of one or the other of them may get through in time.
  expect(timedOut.every(({ isLost }) => isLost)).toBe(true);
  expect(timedOut.length).toBeGreaterThan(35);
  const sold = placed.length - timedOut.length;
  await eventually(
    async () => expect(await shop.stock(sku)).toEqual({ available: 1_000 - sold, reserved: 0, shipped: sold }),
    { deadlineMs: DEADLINE_MS },
  );
  for (const { email } of timedOut) {
    const [mail] = await eventually(async () => {
      const mails = await shop.messagesTo(email);
      expect(mails).toHaveLength(1);
      return mails;
    });
    expect(mail?.text).toContain('We could not complete it in time');
  }
  // Nothing is left of their schedules.
  await eventually(async () => {
    for (const { orderId } of placed.slice(-20)) {
      await expect(aws.scheduler.send(new GetScheduleCommand(scheduleOf(orderId)))).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      });
    }
  });
}, 600_000);

describe('a schedule', () => {
  test('that runs twice cancels once', async () => {
    const resume = await aws.pause('inventory', 'onOrderPlaced');
    try {
      const orderId = await shop.place(orderOf(await shop.stocked(1)));
      await scheduleAgain(orderId, LIMIT_SECONDS);
      await scheduleAgain(orderId, LIMIT_SECONDS + 2);
      expect(cancellations(await ended(orderId))).toBe(1);
    } finally {
      await resume();
    }
  }, 180_000);

  test('that runs early or after the end changes nothing', async () => {
    const resume = await aws.pause('inventory', 'onOrderPlaced');
    let orderId = '';
    try {
      orderId = await shop.place(orderOf(await shop.stocked(1)));
      const schedule = await scheduled(orderId);
      const tap = await aws.tap('OrderTimeLimitReached.v1');
      await scheduleAgain(orderId, 1, schedule);
      await tap.waitFor(orderId, 'OrderTimeLimitReached.v1');
      await tap.close();
      expect((await shop.order(orderId)).status).toBe('PLACED');
      await resume();
      expect((await ended(orderId)).status).toBe('CONFIRMED');
      await runsOnce(orderId, schedule);
      expect((await shop.order(orderId)).status).toBe('CONFIRMED');
    } finally {
      await resume();
    }
  }, 180_000);

  test('that runs late still ends the order, and nothing that comes later changes that', async () => {
    const sku = await shop.stocked(1);
    const resume = await aws.pause('inventory', 'onOrderPlaced');
    try {
      const orderId = await shop.place(orderOf(sku));
      const schedule = await scheduled(orderId);
      await aws.scheduler.send(new DeleteScheduleCommand(scheduleOf(orderId)));
      await scheduleAgain(orderId, LIMIT_SECONDS + 5, schedule);
      expect((await ended(orderId)).cancellation?.reason).toBe('TIMED_OUT');
      await resume();
      const queueUrl = await aws.queueUrl('inventory', 'on-order-placed');
      await eventually(async () => expect(await aws.depth(queueUrl)).toBe(0));
      expect((await shop.order(orderId)).status).toBe('CANCELLED');
      expect(await shop.stock(sku)).toEqual({ available: 1, reserved: 0, shipped: 0 });
    } finally {
      await resume();
    }
  }, 180_000);

  test('that never ran is made good by the sweep', async () => {
    const orderId = randomUUID();
    const resume = await aws.pause('orders', 'setTimeLimit');
    try {
      const deadline = new Date(Date.now() - GRACE_MS - 1_000).toISOString();
      const order = { ...exampleOrder, orderId, customer: { ...exampleOrder.customer, id: shop.customerId }, ...lost };
      const sku = await shop.stocked(1);
      const lines = [{ sku, quantity: 1, unitPrice: 349 }];
      await ordersOf(system).execute(
        orderId,
        { type: 'PlaceOrder', order: { ...order, lines }, deadline },
        { correlationId: randomUUID() },
      );

      await aws.invoke('orders', 'sweepTimeLimits');

      expect((await ended(orderId)).cancellation?.reason).toBe('TIMED_OUT');
      await eventually(async () => expect(await shop.stock(sku)).toEqual({ available: 1, reserved: 0, shipped: 0 }));
    } finally {
      await resume();
    }
  }, 180_000);
});

test('a charge that turns out to be approved after the end is refunded', async () => {
  const orderId = await shop.place(orderOf(await shop.stocked(1), 1, { paymentToken: 'tok_answer_lost' }));
  expect((await ended(orderId)).cancellation?.reason).toBe('TIMED_OUT');
  await eventually(
    async () => {
      const { timeline } = await shop.order(orderId);
      expect(timeline.map(({ event }) => event)).toContain('PaymentRefunded');
    },
    { deadlineMs: 300_000, intervalMs: 500 },
  );
}, 400_000);
