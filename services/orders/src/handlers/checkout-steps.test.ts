import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callStep, httpRequest, lambdaContext, type StepHandler } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { type CheckoutOrder, exampleOrder } from '../../events/index.ts';
import type { Orders } from '../adapters/orders.ts';

let dynamoDb: TestDynamoDb;
let orders: Orders;
let placeOrder: StepHandler;
let lockOrder: StepHandler;
let confirmOrder: StepHandler;
let cancelOrder: StepHandler;
let postCancellation: (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('orders');
  process.env.MILLRACE_TABLE = 'orders';
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  placeOrder = (await import('./place-order-for-checkout.ts')).handler;
  lockOrder = (await import('./lock-order-for-checkout.ts')).handler;
  confirmOrder = (await import('./confirm-order-for-checkout.ts')).handler;
  cancelOrder = (await import('./cancel-order-for-checkout.ts')).handler;
  postCancellation = (await import('./post-cancellation.ts')).handler;
  orders = (await import('../adapters/orders.ts')).ordersFromEnvironment();
});
afterAll(() => dynamoDb.stop());

const newOrder = (): CheckoutOrder => ({ ...exampleOrder, process: 'checkout', orderId: randomUUID() });

const place = (order: CheckoutOrder) => callStep(placeOrder, 'PlaceOrder', order);
const lock = (order: CheckoutOrder) => callStep(lockOrder, 'LockOrder', order);
const confirm = (order: CheckoutOrder) => callStep(confirmOrder, 'ConfirmOrder', order, { trackingNumber: 'MR1' });
const cancel = (order: CheckoutOrder) =>
  callStep(cancelOrder, 'CancelOrder', order, {
    cancellation: { reason: 'NOT_APPROVED', detail: 'Not approved in time' },
  });

async function stored({ orderId, customer }: CheckoutOrder) {
  const { order, events = [] } = (await orders.find(orderId, customer.id)) ?? {};
  return { ...order, events: events.map(({ event }) => event.type) };
}

describe('a checkout', () => {
  test('places its order once, with the mark by which others leave it alone', async () => {
    const order = newOrder();

    await place(order);
    await place(order);

    expect(await stored(order)).toMatchObject({
      status: 'PLACED',
      snapshot: { process: 'checkout' },
      events: ['OrderPlaced'],
    });
  });

  test('does not place an order without the mark', async () => {
    const { process: _, ...order } = newOrder();

    await expect(callStep(placeOrder, 'PlaceOrder', order)).rejects.toMatchObject({ name: 'InvalidStepInput' });
  });

  test('confirms its order once', async () => {
    const order = newOrder();
    await place(order);

    await confirm(order);
    await confirm(order);

    expect(await stored(order)).toMatchObject({ status: 'CONFIRMED', events: ['OrderPlaced', 'OrderConfirmed'] });
    await expect(cancel(order)).rejects.toMatchObject({ code: 'NOT_IN_CHECKOUT' });
  });

  /** @returns the status, and the code of a problem */
  async function cancelAsCustomer({ orderId, customer }: CheckoutOrder) {
    const request = httpRequest('POST /orders/{orderId}/cancellation', {
      path: { orderId },
      claims: { sub: customer.id },
    });
    const { statusCode, body = '' } = await postCancellation(request, lambdaContext());
    return { statusCode, code: JSON.parse(body).code };
  }

  test('does not go on with an order that its customer has cancelled', async () => {
    const order = newOrder();
    await place(order);

    expect(await cancelAsCustomer(order)).toEqual({ statusCode: 202 });
    for (const _ of ['first attempt', 'second attempt']) {
      await expect(lock(order)).rejects.toMatchObject({ name: 'CancellationRequested' });
    }
    expect((await stored(order)).events).toEqual(['OrderPlaced', 'CancellationRequested']);
  });

  test('locks its order once, and its customer comes too late', async () => {
    const order = newOrder();
    await place(order);

    await lock(order);
    await lock(order);

    expect(await cancelAsCustomer(order)).toEqual({ statusCode: 409, code: 'ORDER_IN_CHECKOUT' });
    expect((await stored(order)).events).toEqual(['OrderPlaced', 'OrderLocked']);
  });

  test('cancels its order once, and says why', async () => {
    const order = newOrder();
    await place(order);

    await cancel(order);
    await cancel(order);

    expect(await stored(order)).toMatchObject({
      status: 'CANCELLED',
      cancellation: { reason: 'NOT_APPROVED', detail: 'Not approved in time' },
      events: ['OrderPlaced', 'OrderCancelled'],
    });
  });
});
