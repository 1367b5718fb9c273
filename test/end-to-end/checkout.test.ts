import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';
import { cancelledCheckouts, endCancelled, large, states } from './checkouts.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  operator = new Operator(system);
});

afterAll(() => system?.stop());

const answer = (checkoutId: string, approved: boolean) =>
  shop.request('POST', `/checkouts/${checkoutId}/approval`, { approved });

describe('a checkout', () => {
  test('takes an order through its steps, and tells the customer once', async () => {
    const sku = await shop.stocked(10);
    const order = orderOf(sku, 3);
    const accepted = await shop.request('POST', '/checkouts', order);
    expect(accepted.status).toBe(202);
    const { checkoutId, orderId } = accepted.body;
    expect(accepted.headers.get('location')).toBe(`/checkouts/${checkoutId}`);

    const checkout = await shop.checkoutThatIs(checkoutId, 'CONFIRMED');
    expect(states(checkout)).toEqual([
      ...['PlaceOrder', 'ReserveInventory', 'IsApprovalRequired', 'LockOrder'],
      ...['ProcessPayment', 'CreateShipment', 'ConfirmOrder', 'SendConfirmation'],
    ]);
    expect(checkout.history.every(({ leftAt }) => leftAt !== undefined)).toBe(true);
    const events = [
      'OrderConfirmed',
      'OrderLocked',
      'OrderPlaced',
      'PaymentProcessed',
      'ShipmentCreated',
      'StockReserved',
    ];
    await eventually(async () => {
      const { status, timeline } = await shop.order(orderId);
      expect({ status, timeline: timeline.map(({ event }) => event).sort() }).toEqual({
        ...{ status: 'CONFIRMED', timeline: events },
      });
    });
    await eventually(async () => {
      expect(await shop.stock(sku)).toEqual({ available: 7, reserved: 0, shipped: 3 });
    });
    await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
  });

  test.each(cancelledCheckouts)('of an order that is $kind ends as such, with the stock back', async (cancelled) => {
    const ends = [...cancelled.undone, 'WhyCancelled', cancelled.notification];

    expect((await endCancelled(shop, cancelled)).slice(-ends.length)).toEqual(ends);
  });

  test('of a large order waits for the staff, and goes on when they approve it', async () => {
    const checkoutId = await shop.checkOut(large(await shop.stocked(2)));
    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    // Its customer is not the one to approve it.
    const own = await shop.request(
      'POST',
      `/checkouts/${checkoutId}/approval`,
      { approved: true },
      {
        authorization: `Bearer ${await shop.token('customer')}`,
      },
    );
    expect(own.status).toBe(403);
    await eventually(async () => {
      const mails = await shop.messagesTo('approvals@millrace.example');
      expect(mails.map(({ text }) => text).join()).toContain(`POST /checkouts/${checkoutId}/approval`);
    });

    // The state is entered a moment before its function has asked.
    await eventually(async () => expect((await answer(checkoutId, true)).status).toBe(202));
    expect(states(await shop.checkoutThatIs(checkoutId, 'CONFIRMED'))).toContain('RequestApproval');
    expect((await answer(checkoutId, true)).status).toBe(202);
    expect((await answer(checkoutId, false)).status).toBe(409);
  });

  test('of a large order ends when the staff refuse it', async () => {
    const sku = await shop.stocked(2);
    const checkoutId = await shop.checkOut(large(sku));
    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    await eventually(async () => expect((await answer(checkoutId, false)).status).toBe(202));

    expect(await shop.checkoutThatIs(checkoutId, 'CANCELLED')).toMatchObject({ reason: 'NOT_APPROVED' });
    expect(await shop.stock(sku)).toEqual({ available: 2, reserved: 0, shipped: 0 });
  });

  test('that its customer cancels meanwhile ends as such', async () => {
    const sku = await shop.stocked(2);
    const order = large(sku);
    const checkoutId = await shop.checkOut(order);
    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    expect((await shop.request('POST', `/orders/${checkoutId}/cancellation`)).status).toBe(202);
    await eventually(async () => expect((await answer(checkoutId, true)).status).toBe(202));

    expect(await shop.checkoutThatIs(checkoutId, 'CANCELLED')).toMatchObject({ reason: 'CUSTOMER_REQUEST' });
    expect(await shop.stock(sku)).toEqual({ available: 2, reserved: 0, shipped: 0 });
    await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
  });

  test('whose execution has stopped is found by an operator, who resumes it', async () => {
    const queue = 'millrace-checkout-dev-executions-dlq';
    const sku = await shop.stocked(2);
    const checkoutId = await shop.checkOut(large(sku));
    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    await aws.stopExecution(checkoutId);
    await shop.checkoutThatIs(checkoutId, 'STOPPED');
    await aws.depthOfAtLeast(queue, 1);

    const inspected = await operator.redrive('inspect', queue);
    expect(inspected.stdout).toContain(`the execution ${checkoutId} has stopped`);
    expect(inspected.stdout).toContain('it stopped at RequestApproval');
    await eventually(async () => {
      const { exitCode, stdout } = await operator.lineage(checkoutId);
      expect(exitCode).toBe(1);
      expect(stdout).toContain(
        `✗ the execution ${checkoutId} has stopped (ABORTED): npm run redrive -- inspect ${queue}`,
      );
      // The consumers of choreographed orders do not take those of checkouts.
      expect(stdout).not.toMatch(/no trace|inventory\.onOrderPlaced/);
    });
    const redriven = await operator.redrive('redrive', queue);
    expect([redriven.exitCode, redriven.stdout]).toEqual([0, expect.stringContaining('resumed')]);

    await shop.checkoutThatIs(checkoutId, 'AWAITING_APPROVAL');
    await eventually(async () => expect((await answer(checkoutId, true)).status).toBe(202));
    await shop.checkoutThatIs(checkoutId, 'CONFIRMED');
    // What was shipped leaves the stock by an event.
    await eventually(async () => expect(await shop.stock(sku)).toEqual({ available: 0, reserved: 0, shipped: 2 }));
  });

  test('that is asked for twice with one key is one', async () => {
    const order = orderOf(await shop.stocked(5));
    const headers = { 'idempotency-key': `checkout-${order.customer.email}` };
    const [first, second] = [
      await shop.request('POST', '/checkouts', order, headers),
      await shop.request('POST', '/checkouts', order, headers),
    ];
    expect(second.body).toEqual(first.body);
  });
});
