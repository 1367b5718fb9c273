import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, GetCommand } from '@millrace/aws';
import { DuplicateEventError } from '@millrace/errors';
import { DynamoDbEventStore, hasEffectIn, inboxKey } from '@millrace/event-store';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import { exampleOrder } from '../../events/index.ts';
import type { OrderCommand, OrderEvent, ProgressEvent } from '../domain/order.ts';
import { openOrdersIn } from './open-orders.ts';
import { Orders, streamOf } from './orders.ts';

let dynamoDb: TestDynamoDb;
let orders: Orders;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('orders');
  orders = newOrders();
});
afterAll(() => dynamoDb.stop());

/** As many as there are containers. */
function newOrders(): Orders {
  const client = documentClient();
  return new Orders(new DynamoDbEventStore(client, 'orders'), openOrdersIn({ client, name: 'orders' }));
}

const cause = {
  correlationId: 'correlation-1',
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
};
const deadline = '2026-01-15T09:45:00.000Z';
const customerId = exampleOrder.customer.id;
const inbox = (eventId: string = randomUUID()) => ({ consumer: 'orders.test', eventId });
const record = (progress: ProgressEvent): OrderCommand => ({ type: 'RecordProgress', progress });
const stockReserved = record({ type: 'StockReserved' });
const paid = record({ type: 'PaymentProcessed', paymentId: 'ch_1' });
const shipped = record({ type: 'ShipmentCreated', trackingNumber: 'MR1' });

async function placedOrder(): Promise<string> {
  const orderId = randomUUID();
  await orders.execute(orderId, { type: 'PlaceOrder', order: { ...exampleOrder, orderId }, deadline }, cause);
  return orderId;
}

/** What the relay emits about an order, in order. */
const emitted = (orderId: string) => storedEvents('orders', orderId);

async function historyOf(orderId: string): Promise<string[]> {
  const stored = await orders.find(orderId, customerId);
  return stored?.events.map(({ event }) => event.type) ?? [];
}

describe('orders', () => {
  test('are stored with the events that tell of them', async () => {
    const orderId = await placedOrder();
    await orders.execute(orderId, stockReserved, cause, inbox());
    await orders.execute(orderId, paid, cause, inbox());
    await orders.execute(orderId, shipped, { ...cause, causationId: 'event-1' }, inbox());

    expect(await orders.find(orderId, customerId)).toMatchObject({
      order: { status: 'CONFIRMED', trackingNumber: 'MR1' },
    });
    expect(await emitted(orderId)).toMatchObject([
      {
        detailType: 'OrderPlaced.v1',
        metadata: { subject: orderId, sequence: 1, correlationId: 'correlation-1' },
        data: { ...exampleOrder, orderId },
      },
      {
        detailType: 'OrderConfirmed.v1',
        metadata: { subject: orderId, sequence: 2, correlationId: 'correlation-1', causationId: 'event-1' },
        data: { ...exampleOrder, orderId, trackingNumber: 'MR1' },
      },
    ]);
  });

  test("another customer's order is not found", async () => {
    expect(await orders.find(await placedOrder(), 'customer-2')).toBeUndefined();
  });

  test('an order that was never placed is not found', async () => {
    expect(await orders.find(randomUUID(), customerId)).toBeUndefined();
    await expect(orders.execute(randomUUID(), stockReserved, cause, inbox())).rejects.toMatchObject({
      code: 'ORDER_NOT_FOUND',
    });
  });

  test('placing an order twice stores and tells it once', async () => {
    const orderId = randomUUID();
    const place: OrderCommand = { type: 'PlaceOrder', order: { ...exampleOrder, orderId }, deadline };

    await Promise.all([newOrders().execute(orderId, place, cause), newOrders().execute(orderId, place, cause)]);

    expect(await historyOf(orderId)).toEqual(['OrderPlaced']);
    expect(await emitted(orderId)).toHaveLength(1);
  });

  test('reports that come at once are all put on record, and one of them confirms', async () => {
    const orderId = await placedOrder();

    await Promise.all(
      [stockReserved, paid, shipped].map((command) => newOrders().execute(orderId, command, cause, inbox())),
    );

    const history = await historyOf(orderId);
    expect(history.toSorted()).toEqual(
      ['OrderPlaced', 'StockReserved', 'PaymentProcessed', 'ShipmentCreated', 'OrderConfirmed'].toSorted(),
    );
    expect((await emitted(orderId)).map(({ detailType }) => detailType)).toEqual([
      'OrderPlaced.v1',
      'OrderConfirmed.v1',
    ]);
  });

  test('an order is confirmed or cancelled, never both', async () => {
    const orderIds = await Promise.all(Array.from({ length: 10 }, placedOrder));

    await Promise.all(
      orderIds.flatMap((orderId) => [
        newOrders().execute(orderId, shipped, cause, inbox()),
        newOrders()
          .execute(orderId, { type: 'CancelOrder', customerId }, cause)
          .catch((error: { code: string }) => expect(error.code).toBe('ORDER_ALREADY_SHIPPED')),
      ]),
    );

    for (const orderId of orderIds) {
      const ends = (await historyOf(orderId)).filter((type) => type === 'OrderConfirmed' || type === 'OrderCancelled');
      expect(ends).toHaveLength(1);
      expect(await emitted(orderId)).toHaveLength(2);
    }
  });

  test('an event that was handled before is a duplicate, one after the other and at once', async () => {
    const orderId = await placedOrder();
    const event = inbox();
    await orders.execute(orderId, stockReserved, cause, event);

    // The same event as another report: only its id can tell.
    await expect(orders.execute(orderId, paid, cause, event)).rejects.toMatchObject({ code: 'DUPLICATE_EVENT' });
    const shipment = inbox();
    const results = await Promise.allSettled([
      newOrders().execute(orderId, shipped, cause, shipment),
      newOrders().execute(orderId, shipped, cause, shipment),
    ]);

    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await historyOf(orderId)).toEqual(['OrderPlaced', 'StockReserved', 'ShipmentCreated', 'OrderConfirmed']);
  });
});

test('an event with an effect in the stream of its order needs no mark of its own, and is recognised by another container', async () => {
  const orderId = await placedOrder();
  const mark = inbox();
  const handled = { ...cause, causationId: mark.eventId };
  await orders.execute(orderId, stockReserved, handled, mark);

  const client = documentClient();
  const { Item } = await client.send(new GetCommand({ TableName: 'orders', Key: inboxKey(mark) }));
  expect(Item).toBeUndefined();
  expect(await hasEffectIn(client, 'orders', streamOf(orderId), mark.eventId)).toBe(true);
  await expect(newOrders().execute(orderId, stockReserved, handled, mark)).rejects.toThrow(DuplicateEventError);
});

test('a snapshot stands for what happened before it', async () => {
  const orderId = await placedOrder();
  for (const command of [stockReserved, paid]) await orders.execute(orderId, command, cause, inbox());
  // As many events as no order has by its own decisions.
  const store = new DynamoDbEventStore<OrderEvent>(documentClient(), 'orders');
  const filler = Array.from({ length: 47 }, () => ({
    id: randomUUID(),
    event: { type: 'PaymentRefunded', refundId: 're_1' } as const,
    time: new Date(),
    correlationId: 'correlation-1',
  }));
  await store.append(`ORDER#${orderId}`, 3, filler);

  await orders.execute(orderId, shipped, cause, inbox());

  expect(await store.readSnapshot(`ORDER#${orderId}`, 3)).toMatchObject({ version: 52 });
  // What is on record is known from the snapshot: the same report again adds nothing.
  await newOrders().execute(orderId, paid, cause, inbox());
  expect(await historyOf(orderId)).toHaveLength(52);
  expect((await emitted(orderId)).map(({ metadata }) => metadata.sequence)).toEqual([1, 2]);
});
