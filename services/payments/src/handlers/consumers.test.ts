import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import { StockReserved } from '@millrace/inventory/events';
import { exampleOrder, OrderCancelled } from '@millrace/orders/events';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Payments } from '../adapters/payments.ts';

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let payments: Payments;
let onStockReserved: Handler;
let onOrderCancelled: Handler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('payments');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'payments',
    MILLRACE_CIRCUIT_MINIMUM_CALLS: '20',
    MILLRACE_CIRCUIT_OPEN_SECONDS: '30',
    ...consumerVariables('payments.test'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  onStockReserved = (await import('./on-stock-reserved.ts')).handler;
  onOrderCancelled = (await import('./on-order-cancelled.ts')).handler;
  payments = (await import('../adapters/payments.ts')).paymentsFromEnvironment();
});
afterAll(() => dynamoDb.stop());

/** Delivers events in one batch and returns how many records failed. */
async function deliver(handler: Handler, ...events: EmittableEvent[]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

test('an order is charged when its stock is held, and refunded when it is cancelled, however often each event comes', async () => {
  const orderId = randomUUID();
  const reserved = sampleEvent(StockReserved, { orderId });
  const cancelled = sampleEvent(OrderCancelled, { orderId });

  expect(await deliver(onStockReserved, reserved, reserved)).toBe(0);
  expect(await payments.find(orderId)).toMatchObject({ status: 'CAPTURED', amount: reserved.event.data.total });
  expect(await deliver(onOrderCancelled, cancelled, cancelled)).toBe(0);
  expect(await deliver(onStockReserved, reserved)).toBe(0);

  expect(await payments.find(orderId)).toMatchObject({ status: 'REFUNDED' });
});

test('a provider that is unavailable fails its own record alone', async () => {
  const unavailable = sampleEvent(StockReserved, {
    orderId: randomUUID(),
    paymentToken: 'tok_temporarily_unavailable',
  });
  const approved = sampleEvent(StockReserved, { orderId: randomUUID() });

  expect(await deliver(onStockReserved, unavailable, approved)).toBe(1);

  expect(await payments.find(approved.event.data.orderId)).toMatchObject({ status: 'CAPTURED' });
  expect(await payments.find(unavailable.event.data.orderId)).toMatchObject({ status: 'PENDING' });
});

test('the fixture takes a payment', async () => {
  const file = new URL('../../fixtures/on-stock-reserved.json', import.meta.url);

  expect(await onStockReserved(JSON.parse(readFileSync(file, 'utf8')), lambdaContext())).toEqual({
    batchItemFailures: [],
  });

  expect(await payments.find(exampleOrder.orderId)).toMatchObject({ status: 'CAPTURED' });
});
