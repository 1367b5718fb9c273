import { randomUUID } from 'node:crypto';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DuplicateEventError, TransientError } from '@millrace/errors';
import { documentClient } from '@millrace/event-store';
import { exampleOrder, type OrderSnapshot } from '@millrace/orders/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import {
  type ChargeRequest,
  type ChargeResult,
  type PaymentProvider,
  ProviderUnavailableError,
  type RefundRequest,
} from '../domain/payment-provider.ts';
import { callCounterIn } from './call-counter.ts';
import { Payments } from './payments.ts';
import { SandboxProvider, testTokens } from './sandbox-provider.ts';

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('payments');
});
afterAll(() => dynamoDb.stop());

/** A provider that keeps books: what it took and gave back, once for each key. */
class BookkeepingProvider implements PaymentProvider {
  readonly charges = new Map<string, number>();
  readonly refunds = new Map<string, number>();
  /** Runs when the money is taken and nobody knows it yet; to throw is to lose the answer. */
  onCharged: () => Promise<void> = async () => {};

  async charge({ idempotencyKey, amount, paymentToken }: ChargeRequest): Promise<ChargeResult> {
    if (paymentToken === testTokens.declined) {
      await this.onCharged();
      return { outcome: 'declined', reason: 'card_declined' };
    }
    this.charges.set(idempotencyKey, amount.amount);
    await this.onCharged();
    return { outcome: 'approved', paymentId: `ch_${idempotencyKey}` };
  }

  async refund({ idempotencyKey, amount }: RefundRequest): Promise<{ refundId: string }> {
    this.refunds.set(idempotencyKey, amount.amount);
    return { refundId: `re_${idempotencyKey}` };
  }
}

/** As many as there are containers. */
const newPayments = (provider: PaymentProvider, timeoutMs?: number) =>
  new Payments(documentClient(dynamoDb.client), 'payments', provider, timeoutMs === undefined ? {} : { timeoutMs });

const cause = {
  correlationId: 'correlation-1',
  causationId: 'event-1',
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
};
const inbox = (eventId: string = randomUUID()) => ({ consumer: 'payments.test', eventId });
const newOrder = (paymentToken: string = testTokens.approved): OrderSnapshot => ({
  ...exampleOrder,
  orderId: randomUUID(),
  paymentToken,
});

/** Delivers again what failed for now, as SQS does. A duplicate is done. */
async function delivered(effect: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await effect();
      return;
    } catch (error) {
      if (error instanceof DuplicateEventError) return;
      if (!(error instanceof TransientError) || attempt === 20) throw error;
    }
  }
}

/** What the relay would emit about an order, the earliest first. */
async function emitted({ orderId }: OrderSnapshot) {
  const { Items = [] } = await documentClient(dynamoDb.client).send(
    new QueryCommand({
      TableName: 'payments',
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :outbox)',
      ExpressionAttributeValues: { ':pk': `PAYMENT#${orderId}`, ':outbox': 'OUTBOX#' },
    }),
  );
  return Items.map(({ outbox }) => ({ detailType: outbox.detailType, ...JSON.parse(outbox.detail) })).sort(
    (a, b) => a.metadata.sequence - b.metadata.sequence,
  );
}

describe('charging', () => {
  test('takes the money and tells of it', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder();
    const event = inbox();

    await payments.charge(order, cause, event);

    const paymentId = `ch_${event.eventId}`;
    expect(await payments.find(order.orderId)).toMatchObject({ status: 'CAPTURED', paymentId });
    expect(await emitted(order)).toMatchObject([
      {
        detailType: 'PaymentProcessed.v1',
        metadata: { subject: order.orderId, sequence: 1, correlationId: 'correlation-1', causationId: 'event-1' },
        data: { ...order, paymentId },
      },
    ]);
  });

  test("a declined payment is told with the provider's reason", async () => {
    const payments = newPayments(new BookkeepingProvider());
    const order = newOrder(testTokens.declined);

    await payments.charge(order, cause, inbox());

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUSED' });
    expect(await emitted(order)).toMatchObject([
      {
        detailType: 'PaymentFailed.v1',
        data: { orderId: order.orderId, reason: 'card_declined', amount: order.total },
      },
    ]);
  });

  test('happens once, for the same event at once and for another one later', async () => {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    const event = inbox();

    await Promise.all([1, 2, 3].map(() => delivered(() => newPayments(provider).charge(order, cause, event))));
    await newPayments(provider).charge(order, cause, inbox());

    expect(provider.charges.size).toBe(1);
    expect(await emitted(order)).toHaveLength(1);
  });

  test('an answer that got lost is asked for again with the same key', async () => {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    const event = inbox();
    provider.onCharged = () => Promise.reject(new ProviderUnavailableError('connection reset'));
    await expect(newPayments(provider).charge(order, cause, event)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
    provider.onCharged = async () => {};

    await newPayments(provider).charge(order, cause, event);

    expect([...provider.charges]).toEqual([[event.eventId, 698]]);
    expect(await emitted(order)).toHaveLength(1);
  });

  test.each([testTokens.temporarilyUnavailable, testTokens.slow])(
    '%s succeeds after some deliveries',
    async (token) => {
      const sandbox = new SandboxProvider(callCounterIn(documentClient(dynamoDb.client), 'payments'));
      const order = newOrder(token);
      const event = inbox();

      await expect(newPayments(sandbox, 20).charge(order, cause, event)).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
      });
      await delivered(() => newPayments(sandbox).charge(order, cause, event));

      expect(await emitted(order)).toMatchObject([{ detailType: 'PaymentProcessed.v1' }]);
    },
  );
});

describe('cancelling', () => {
  test('refunds what was taken, once, however many events ask for it', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder();
    await payments.charge(order, cause, inbox());

    await Promise.all([1, 2, 3].map(() => delivered(() => newPayments(provider).cancel(order, cause, inbox()))));

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUNDED' });
    expect(provider.refunds.size).toBe(1);
    expect(await emitted(order)).toMatchObject([
      { detailType: 'PaymentProcessed.v1' },
      {
        detailType: 'PaymentRefunded.v1',
        metadata: { sequence: 2 },
        data: { orderId: order.orderId, amount: order.total },
      },
    ]);
  });

  test('before the charge, nothing is ever charged', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder();

    await payments.cancel(order, cause, inbox());
    await payments.charge(order, cause, inbox());

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'CANCELLED' });
    expect(provider.charges.size).toBe(0);
    expect(await emitted(order)).toEqual([]);
  });

  test('a declined payment leaves nothing to refund', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder(testTokens.declined);
    await payments.charge(order, cause, inbox());

    await payments.cancel(order, cause, inbox());

    expect(provider.refunds.size).toBe(0);
    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUSED' });
  });

  test('while the provider is being asked, the charge undoes itself', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder();
    provider.onCharged = async () => {
      provider.onCharged = async () => {};
      await payments.cancel(order, cause, inbox());
    };

    await payments.charge(order, cause, inbox());

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUNDED' });
    expect([provider.charges.size, provider.refunds.size]).toEqual([1, 1]);
    expect(await emitted(order)).toMatchObject([{ detailType: 'PaymentRefunded.v1' }]);
  });

  test('while a payment is being declined, nothing is told: there is nothing to give back', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder(testTokens.declined);
    provider.onCharged = async () => {
      provider.onCharged = async () => {};
      await payments.cancel(order, cause, inbox());
    };

    await payments.charge(order, cause, inbox());

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'CANCELLED' });
    expect(await emitted(order)).toEqual([]);
  });

  test('at the same moment as the charge, the customer pays nothing in the end', async () => {
    const provider = new BookkeepingProvider();
    const orders = Array.from({ length: 15 }, () => newOrder());

    await Promise.all(
      orders.flatMap((order) => {
        const [charge, cancellation] = [inbox(), inbox()];
        return [
          delivered(() => newPayments(provider).charge(order, cause, charge)),
          delivered(() => newPayments(provider).cancel(order, cause, cancellation)),
        ];
      }),
    );

    expect(provider.refunds.size).toBe(provider.charges.size);
    for (const order of orders) {
      const payment = await newPayments(provider).find(order.orderId);
      expect(['REFUNDED', 'CANCELLED']).toContain(payment?.status);
    }
  });
});
