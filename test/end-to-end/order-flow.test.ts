import { randomUUID } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Aws, type Tap } from './aws.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let tap: Tap;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  tap = await aws.tap();
});

afterAll(async () => {
  await tap?.close();
  await system?.stop();
});

const detailTypes = (events: { detailType: string }[]) => events.map(({ detailType }) => detailType).sort();

describe('an order', () => {
  test('is confirmed once stock is held, the payment taken and a shipment created, and the customer is told', async () => {
    const sku = await shop.stocked(10);
    const order = orderOf(sku, 3);
    const accepted = await shop.request('POST', '/orders', order);
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe(`/orders/${accepted.body.orderId}`);

    const view = await shop.orderWith(accepted.body.orderId, 'OrderConfirmed');

    expect(view).toMatchObject({
      status: 'CONFIRMED',
      lines: order.lines,
      total: { amount: 1047, currency: 'EUR' },
      trackingNumber: expect.any(String),
    });
    await tap.waitFor(view.orderId, 'OrderConfirmed.v1');
    const events = view.timeline.map(({ event }) => event);
    expect([...events].sort()).toEqual(
      ['OrderConfirmed', 'OrderPlaced', 'PaymentProcessed', 'ShipmentCreated', 'StockReserved'].sort(),
    );
    expect(events[0]).toBe('OrderPlaced');
    await eventually(async () => {
      expect(await shop.stock(sku)).toEqual({ available: 7, reserved: 0, shipped: 3 });
    });
    await eventually(async () => {
      expect(await shop.messagesTo(order.customer.email)).toEqual([expect.objectContaining({ kind: 'email' })]);
    });
  });

  test('is announced by SMS as well to a customer who gave a phone number', async () => {
    const phone = `+49151${String(Date.now()).slice(-8)}`;
    const order = orderOf(await shop.stocked(1));
    const orderId = await shop.place({ ...order, customer: { ...order.customer, phone } });
    await shop.orderWith(orderId, 'OrderConfirmed');
    await eventually(async () => {
      expect(await shop.messagesTo(phone)).toEqual([expect.objectContaining({ kind: 'sms' })]);
      expect(await shop.messagesTo(order.customer.email)).toHaveLength(1);
    });
  });

  test('carries one correlation id and the chain of causes through all its events', async () => {
    const sku = await shop.stocked(1);
    const answer = await shop.request('POST', '/orders', orderOf(sku));
    const { orderId } = answer.body;
    const events = await tap.waitFor(orderId, 'OrderConfirmed.v1', 'ShipmentCreated.v1');
    const metadata = events.map(({ event }) => event.metadata);
    expect(new Set(metadata.map((entry) => entry.correlationId))).toEqual(
      new Set([answer.headers.get('x-correlation-id')]),
    );
    const byName = Object.fromEntries(metadata.map((entry) => [entry.name, entry]));
    expect(byName.OrderPlaced?.causationId).toBeUndefined();
    expect(byName.StockReserved?.causationId).toBe(byName.OrderPlaced?.id);
    expect(byName.PaymentProcessed?.causationId).toBe(byName.StockReserved?.id);
    expect(byName.ShipmentCreated?.causationId).toBe(byName.PaymentProcessed?.id);
    expect(byName.OrderConfirmed?.causationId).toBe(byName.ShipmentCreated?.id);
    expect(new Set(metadata.map((entry) => entry.traceparent?.split('-')[1])).size).toBe(1);
  });

  test('is cancelled when it is out of stock, naming the SKU, and nothing is held or charged', async () => {
    const [scarce, plenty] = [await shop.stocked(1), await shop.stocked(10)];
    const order = orderOf(scarce, 2, {
      lines: [
        { sku: scarce, quantity: 2, unitPrice: 100 },
        { sku: plenty, quantity: 1, unitPrice: 100 },
      ],
    });
    const orderId = await shop.place(order);
    const view = await shop.orderWith(orderId, 'OrderCancelled');
    expect(view.cancellation).toEqual({ reason: 'OUT_OF_STOCK', detail: `Out of stock: ${scarce}` });
    expect(await shop.stock(scarce)).toEqual({ available: 1, reserved: 0, shipped: 0 });
    expect(await shop.stock(plenty)).toEqual({ available: 10, reserved: 0, shipped: 0 });
    await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
    await aws.quiet();
    expect(detailTypes(await tap.about(orderId))).toEqual([
      'OrderCancelled.v1',
      'OrderPlaced.v1',
      'StockReservationFailed.v1',
    ]);
  });

  test.each([
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', 'insufficient_funds'],
    ['tok_nobody_knows', 'invalid_token'],
  ])('is cancelled when the payment with %s is refused, and its stock is back', async (paymentToken, reason) => {
    const sku = await shop.stocked(5);
    const order = orderOf(sku, 2, { paymentToken });
    const orderId = await shop.place(order);
    const view = await shop.orderWith(orderId, 'OrderCancelled');
    expect(view).toMatchObject({ status: 'CANCELLED', cancellation: { reason: 'PAYMENT_FAILED' } });
    expect(view.cancellation?.detail).toContain(reason);
    await tap.waitFor(orderId, 'StockReleased.v1');
    expect(await shop.stock(sku)).toEqual({ available: 5, reserved: 0, shipped: 0 });
    await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
  });

  test.each(['tok_temporarily_unavailable', 'tok_slow'])(
    'survives a payment provider that fails at first (%s)',
    async (paymentToken) => {
      const orderId = await shop.place(orderOf(await shop.stocked(5), 1, { paymentToken }));
      const view = await shop.orderWith(orderId, 'OrderConfirmed');
      expect(view.timeline.filter(({ event }) => event === 'PaymentProcessed')).toHaveLength(1);
    },
  );

  test('can be cancelled until it is shipped: the payment is refunded, the stock released, nothing is shipped', async () => {
    const resume = await aws.pause('fulfillment', 'onPaymentProcessed');
    const sku = await shop.stocked(5);
    const order = orderOf(sku, 2);
    const orderId = await shop.place(order);
    await shop.orderWith(orderId, 'PaymentProcessed');

    const cancelled = await shop.request('POST', `/orders/${orderId}/cancellation`);
    expect(cancelled).toMatchObject({ status: 202, body: { orderId, status: 'CANCELLED' } });
    expect((await shop.request('POST', `/orders/${orderId}/cancellation`)).status).toBe(202);

    await tap.waitFor(orderId, 'PaymentRefunded.v1', 'StockReleased.v1');
    expect(await shop.stock(sku)).toEqual({ available: 5, reserved: 0, shipped: 0 });
    await resume();
    await aws.quiet();
    const view = await shop.orderWith(orderId, 'PaymentRefunded');
    expect(view).toMatchObject({ status: 'CANCELLED', cancellation: { reason: 'CUSTOMER_REQUEST' } });
    const events = detailTypes(await tap.about(orderId));
    expect(events).not.toContain('ShipmentCreated.v1');
    expect(events.filter((event) => event === 'PaymentRefunded.v1')).toHaveLength(1);
    expect(events.filter((event) => event === 'OrderCancelled.v1')).toHaveLength(1);
  });

  test('that was charged without an answer and is cancelled gets its money back by itself', async () => {
    const order = orderOf(await shop.stocked(5), 1, { paymentToken: 'tok_answer_lost' });
    const orderId = await shop.place(order);
    const Key = { pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' };
    await eventually(async () => {
      const { Item } = await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-payments-dev', Key }));
      expect(Item).toMatchObject({ status: 'PENDING' });
    });

    expect(await shop.request('POST', `/orders/${orderId}/cancellation`)).toMatchObject({ status: 202 });

    await tap.waitFor(orderId, 'PaymentRefunded.v1');
    expect(detailTypes(await tap.about(orderId))).not.toContain('PaymentProcessed.v1');
  });

  test('cannot be cancelled once it is shipped', async () => {
    const orderId = await shop.place(orderOf(await shop.stocked(1)));
    await shop.orderWith(orderId, 'OrderConfirmed');
    const refused = await shop.request('POST', `/orders/${orderId}/cancellation`);
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'ORDER_ALREADY_SHIPPED', detail: expect.stringContaining('shipment') },
    });
    expect((await shop.order(orderId)).status).toBe('CONFIRMED');
  });

  test('is placed once for one Idempotency-Key', async () => {
    const sku = await shop.stocked(10);
    const order = orderOf(sku);
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [
      await shop.request('POST', '/orders', order, key),
      await shop.request('POST', '/orders', order, key),
    ];
    expect(second).toMatchObject({ status: 202, body: first.body });
    const requestIds = [first, second].map(({ headers }) => headers.get('x-request-id'));
    expect(requestIds).toEqual([expect.any(String), expect.not.stringMatching(requestIds[0] ?? '')]);
    const other = await shop.request('POST', '/orders', { ...order, paymentToken: 'tok_declined' }, key);
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    await shop.orderWith(first.body.orderId, 'OrderConfirmed');
    await eventually(async () => {
      expect(await shop.stock(sku)).toEqual({ available: 9, reserved: 0, shipped: 1 });
    });
  });
});

describe('stock', () => {
  test('runs low once for each crossing of its threshold', async () => {
    const sku = await shop.stocked(5, 4);
    const buy = async () => {
      await shop.orderWith(await shop.place(orderOf(sku)), 'OrderConfirmed');
      await aws.quiet();
      return (await tap.about(sku)).filter(({ detailType }) => detailType === 'StockRanLow.v1').length;
    };
    expect(await buy()).toBe(0); // 4 are left
    expect(await buy()).toBe(1); // 3: crossed
    expect(await buy()).toBe(1); // 2: still low
    await shop.request('PUT', `/stock/${sku}`, { available: 4, lowStockThreshold: 4 });
    expect(await buy()).toBe(2); // 3: crossed again
  });
});
