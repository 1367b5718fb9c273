import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CheckoutOrder, exampleOrder } from '@millrace/orders/events';
import { callStep, type StepHandler } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { Payments } from '../adapters/payments.ts';
import { testTokens } from '../adapters/sandbox-provider.ts';

let dynamoDb: TestDynamoDb;
let payments: Payments;
let processPayment: StepHandler;
let refundPayment: StepHandler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('payments');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'payments',
    MILLRACE_CIRCUIT_MINIMUM_CALLS: '1000',
    MILLRACE_CIRCUIT_OPEN_SECONDS: '60',
    MILLRACE_SANDBOX_OUTAGES: 'true',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  processPayment = (await import('./process-payment-for-checkout.ts')).handler;
  refundPayment = (await import('./refund-payment-for-checkout.ts')).handler;
  payments = (await import('../adapters/payments.ts')).paymentsFromEnvironment();
});
afterAll(() => dynamoDb.stop());

const newOrder = (own: Partial<CheckoutOrder> = {}) => ({
  ...exampleOrder,
  process: 'checkout' as const,
  orderId: randomUUID(),
  ...own,
});

const charge = (order: CheckoutOrder) => callStep(processPayment, 'ProcessPayment', order);
const refund = (order: CheckoutOrder) => callStep(refundPayment, 'RefundPayment', order);

describe('a checkout', () => {
  test('is charged once, however often it asks', async () => {
    const order = newOrder();

    const first = await charge(order);

    expect(first).toEqual({ paymentId: expect.any(String) });
    expect(await charge(order)).toEqual(first);
    expect(await payments.find(order.orderId)).toMatchObject({
      status: 'CAPTURED',
      chargeKey: `${order.orderId}:ProcessPayment`,
    });
  });

  test('is refused with the reason of the provider, and again when it asks again', async () => {
    const order = newOrder({ paymentToken: testTokens.declined });
    const refusal = { name: 'PaymentFailed', message: '[PaymentFailed] The payment was refused: card_declined' };

    await expect(charge(order)).rejects.toMatchObject(refusal);
    await expect(charge(order)).rejects.toMatchObject(refusal);
  });

  test('gets its money back once, however often it asks', async () => {
    const order = newOrder();
    await charge(order);

    await refund(order);
    await refund(order);

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUNDED' });
  });

  test('is not charged when a late charge comes after it was undone', async () => {
    const order = newOrder();

    await refund(order);

    await expect(charge(order)).rejects.toMatchObject({ name: 'PaymentEnded' });
    expect(await payments.find(order.orderId)).toMatchObject({ status: 'CANCELLED' });
  });
});
