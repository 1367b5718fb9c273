import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { DuplicateEventError, PermanentError, TransientError, UnavailableError } from '@millrace/errors';

import { exampleOrder, type OrderSnapshot } from '@millrace/orders/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import {
  type ChargeRequest,
  type ChargeResult,
  KEY_LIFETIME_MS,
  type NotFound,
  type PaymentProvider,
  ProviderUnavailableError,
  type RefundRequest,
  type RefundResult,
} from '../domain/payment-provider.ts';
import { Payments } from './payments.ts';
import { SandboxProvider, testTokens } from './sandbox-provider.ts';

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('payments');
});
afterAll(() => dynamoDb.stop());

/** Money that moved. */
interface Booking<Result> {
  key: string;
  amount: number;
  at: number;
  result: Result;
}

/** A provider that keeps books of what it took and gave back, and forgets a key when its lifetime is over. */
class BookkeepingProvider implements PaymentProvider {
  now = new Date('2026-03-01T00:00:00Z');
  readonly charges: Booking<ChargeResult>[] = [];
  readonly refunds: Booking<RefundResult>[] = [];
  /** Runs before a charge or a refund; to throw is not to get the request. */
  onAsked: () => Promise<void> = async () => {};
  /** Runs when money has moved and nobody knows it yet; to throw is to lose the answer. */
  onDone: () => Promise<void> = async () => {};
  /** What find and findRefund say: the truth, or as told. */
  search: 'truth' | 'none' | 'undecided' | 'unavailable' = 'truth';

  passHours(hours: number): void {
    this.now = new Date(this.now.getTime() + hours * 60 * 60 * 1000);
  }

  charge({ idempotencyKey, amount, paymentToken }: ChargeRequest): Promise<ChargeResult> {
    const number = this.charges.length + 1;
    const result: ChargeResult =
      paymentToken === testTokens.declined
        ? { outcome: 'declined', reason: 'card_declined' }
        : { outcome: 'approved', paymentId: `ch_${number}_${idempotencyKey}` };
    return this.#act(this.charges, idempotencyKey, amount.amount, result);
  }

  async find(idempotencyKey: string): Promise<ChargeResult | NotFound> {
    return this.#look(this.charges, idempotencyKey);
  }

  refund({ idempotencyKey, amount }: RefundRequest): Promise<RefundResult> {
    const refundId = `re_${this.refunds.length + 1}`;
    return this.#act(this.refunds, idempotencyKey, amount.amount, { outcome: 'refunded', refundId });
  }

  async findRefund(idempotencyKey: string): Promise<RefundResult | NotFound> {
    return this.#look(this.refunds, idempotencyKey);
  }

  async #act<Result>(bookings: Booking<Result>[], key: string, amount: number, result: Result): Promise<Result> {
    await this.onAsked();
    const at = this.now.getTime();
    let booking = bookings.findLast((other) => other.key === key && at - other.at < KEY_LIFETIME_MS);
    if (!booking) {
      booking = { key, amount, at, result };
      bookings.push(booking);
    }
    await this.onDone();
    return booking.result;
  }

  #look<Result>(bookings: readonly Booking<Result>[], key: string): Result | NotFound {
    if (this.search === 'unavailable') throw new ProviderUnavailableError('503 Service Unavailable');
    if (this.search === 'undecided') return { outcome: 'undecided' };
    const booking = this.search === 'truth' ? bookings.findLast((other) => other.key === key) : undefined;
    return booking?.result ?? { outcome: 'none' };
  }
}

const lost = () => Promise.reject(new ProviderUnavailableError('connection reset'));
const works = async () => {};

/** As many as there are containers. */
const newPayments = (provider: BookkeepingProvider) =>
  new Payments({ client: documentClient(), name: 'payments' }, provider, { now: () => provider.now });

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
const emitted = ({ orderId }: OrderSnapshot) => storedEvents('payments', orderId);

const status = async (order: OrderSnapshot) =>
  (await newPayments(new BookkeepingProvider()).find(order.orderId))?.status;

describe('charging', () => {
  test('takes the money and tells of it', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder();
    const event = inbox();

    await payments.charge(order, cause, event);

    const paymentId = `ch_1_${event.eventId}`;
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

  test('a declined payment of an order in checkout says so, so that others leave the order alone', async () => {
    const order: OrderSnapshot = { ...newOrder(testTokens.declined), process: 'checkout' };

    await newPayments(new BookkeepingProvider()).charge(order, cause, inbox());

    expect(await emitted(order)).toMatchObject([{ detailType: 'PaymentFailed.v1', data: { process: 'checkout' } }]);
  });

  test('happens once, for the same event at once and for another one later', async () => {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    const event = inbox();

    await Promise.all([1, 2, 3].map(() => delivered(() => newPayments(provider).charge(order, cause, event))));
    await newPayments(provider).charge(order, cause, inbox());

    expect(provider.charges).toHaveLength(1);
    expect(await emitted(order)).toHaveLength(1);
  });

  test.each([testTokens.temporarilyUnavailable, testTokens.slow, testTokens.answerLost])(
    '%s succeeds after some deliveries',
    async (token) => {
      const client = documentClient();
      const sandbox = new SandboxProvider(client, 'payments');
      const order = newOrder(token);
      const event = inbox();

      await expect(
        new Payments({ client, name: 'payments' }, sandbox, { timeoutMs: 20 }).charge(order, cause, event),
      ).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      await delivered(() => new Payments({ client, name: 'payments' }, sandbox).charge(order, cause, event));

      expect(await emitted(order)).toMatchObject([{ detailType: 'PaymentProcessed.v1' }]);
    },
  );
});

describe('a charge whose answer got lost', () => {
  /** An order that was charged, or at least asked for, without an answer. */
  async function unanswered(onto: 'onAsked' | 'onDone') {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    const event = inbox();
    provider[onto] = lost;
    await expect(newPayments(provider).charge(order, cause, event)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
    provider[onto] = works;
    return { provider, order, charge: () => newPayments(provider).charge(order, cause, event) };
  }

  test.each([0, 3 * 24])('is found %i hours later, and not charged again', async (hours) => {
    const { provider, order, charge } = await unanswered('onDone');
    provider.passHours(hours);

    await charge();

    expect(provider.charges).toHaveLength(1);
    expect(await emitted(order)).toMatchObject([
      { detailType: 'PaymentProcessed.v1', data: { paymentId: expect.stringMatching(/^ch_1_/) } },
    ]);
  });

  test.each(['none', 'undecided'] as const)(
    'is repeated under its key while that is recognised (%s)',
    async (search) => {
      const { provider, order, charge } = await unanswered('onDone');
      provider.search = search;
      provider.passHours(23);

      await charge();

      expect(provider.charges).toHaveLength(1);
      expect(await emitted(order)).toHaveLength(1);
    },
  );

  test('is charged anew when the provider never got it, even after days, by two containers at once', async () => {
    const { provider, order, charge } = await unanswered('onAsked');
    provider.passHours(3 * 24);

    await Promise.all([delivered(charge), delivered(charge)]);

    expect(provider.charges).toHaveLength(1);
    expect(await emitted(order)).toHaveLength(1);
  });

  test('is for a person to decide when its key may be forgotten and the provider cannot tell, and goes on when it can', async () => {
    const { provider, order, charge } = await unanswered('onDone');
    provider.passHours(24);
    provider.search = 'undecided';

    const failure = await charge().catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(PermanentError);
    expect(failure).toMatchObject({ code: 'CHARGE_UNDECIDED', message: expect.stringContaining(order.orderId) });
    expect(provider.charges).toHaveLength(1);
    provider.search = 'truth';
    await charge();
    expect(await status(order)).toBe('CAPTURED');
    expect(provider.charges).toHaveLength(1);
  });

  test('is not charged anew when it was asked for so lately that the provider may not show it', async () => {
    const { provider, charge } = await unanswered('onDone');
    provider.passHours(23.9);
    provider.search = 'none';
    provider.onDone = lost;
    await expect(charge()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    provider.onDone = works;
    provider.passHours(0.15);

    await expect(charge()).rejects.toMatchObject({ code: 'CHARGE_UNDECIDED' });

    expect(provider.charges).toHaveLength(1);
  });

  test('is not charged while it cannot be looked up', async () => {
    const { provider, charge } = await unanswered('onAsked');
    provider.search = 'unavailable';

    await expect(charge()).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });

    expect(provider.charges).toEqual([]);
  });

  test('is refunded when its payment was closed because the provider did not show it', async () => {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    provider.onDone = async () => {
      provider.onDone = works;
      provider.search = 'none';
      provider.passHours(0.3);
      await newPayments(provider).cancel(order, cause, inbox());
      expect(await status(order)).toBe('CANCELLED');
    };

    await newPayments(provider).charge(order, cause, inbox());

    expect(await status(order)).toBe('REFUNDED');
    expect([provider.charges.length, provider.refunds.length]).toEqual([1, 1]);
  });

  test.each(['charge', 'refund'] as const)('%s is not sent by a function that was frozen before', async (request) => {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    const client = documentClient();
    // Lambda stops the function when its record is stored, and goes on an hour later.
    const freezing = {
      send: async (command: Parameters<typeof client.send>[0]) => {
        const answer = await client.send(command as never);
        if (command.constructor.name !== 'GetCommand') provider.passHours(1);
        return answer;
      },
    } as typeof client;
    const frozen = new Payments({ client: freezing, name: 'payments' }, provider, { now: () => provider.now });
    if (request === 'refund') await newPayments(provider).charge(order, cause, inbox());

    const unavailable = { code: request === 'charge' ? 'PROVIDER_UNAVAILABLE' : 'PAYMENT_PENDING' };
    await expect(frozen[request === 'charge' ? 'charge' : 'cancel'](order, cause, inbox())).rejects.toMatchObject(
      unavailable,
    );

    expect(provider[`${request}s`]).toEqual([]);
  });

  test('is refunded by the cancellation alone, whose charge is dead', async () => {
    const { provider, order } = await unanswered('onDone');
    provider.passHours(3 * 24);

    await newPayments(provider).cancel(order, cause, inbox());

    expect(await status(order)).toBe('REFUNDED');
    expect([provider.charges.length, provider.refunds.length]).toEqual([1, 1]);
    expect(await emitted(order)).toMatchObject([{ detailType: 'PaymentRefunded.v1' }]);
  });

  test('keeps its cancellation coming back until the provider can tell, and is not charged meanwhile', async () => {
    const { provider, order, charge } = await unanswered('onAsked');
    const cancellation = inbox();
    const cancel = () => newPayments(provider).cancel(order, cause, cancellation);

    for (const search of ['none', 'undecided', 'unavailable'] as const) {
      provider.search = search;
      await expect(cancel()).rejects.toBeInstanceOf(UnavailableError);
    }
    await charge();
    expect(await status(order)).toBe('PENDING');
    provider.search = 'truth';
    provider.passHours(0.3);
    await cancel();
    await charge();

    expect(await status(order)).toBe('CANCELLED');
    expect(provider.charges).toEqual([]);
    expect(await emitted(order)).toEqual([]);
  });
});

describe('cancelling', () => {
  test('refunds what was taken, once, however many events ask for it', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder();
    await payments.charge(order, cause, inbox());

    await Promise.all([1, 2, 3].map(() => delivered(() => newPayments(provider).cancel(order, cause, inbox()))));

    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUNDED' });
    expect(provider.refunds).toHaveLength(1);
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
    expect(provider.charges).toEqual([]);
    expect(await emitted(order)).toEqual([]);
  });

  test('marks an event that changes nothing as handled, like any other', async () => {
    const payments = newPayments(new BookkeepingProvider());
    const order = newOrder(testTokens.declined);
    const late = inbox();
    await payments.charge(order, cause, inbox());
    await payments.cancel(order, cause, late);

    await expect(payments.cancel(order, cause, late)).rejects.toThrow(DuplicateEventError);
  });

  test('a declined payment leaves nothing to refund', async () => {
    const provider = new BookkeepingProvider();
    const payments = newPayments(provider);
    const order = newOrder(testTokens.declined);
    await payments.charge(order, cause, inbox());

    await payments.cancel(order, cause, inbox());

    expect(provider.refunds).toEqual([]);
    expect(await payments.find(order.orderId)).toMatchObject({ status: 'REFUSED' });
  });

  test.each([
    ['and refunds itself', testTokens.approved, 'REFUNDED', ['PaymentRefunded.v1']],
    ['and tells nothing of a decline: there is nothing to give back', testTokens.declined, 'CANCELLED', []],
  ])('while the provider is being asked, the charge learns of it, %s', async (_, token, end, events) => {
    const provider = new BookkeepingProvider();
    const order = newOrder(token);
    const cancellation = inbox();
    const cancel = () => newPayments(provider).cancel(order, cause, cancellation);
    provider.onDone = async () => {
      provider.onDone = works;
      // A search that lags behind must not make the charge doubt what it was answered.
      provider.search = 'none';
      await expect(cancel()).rejects.toMatchObject({ code: 'PAYMENT_PENDING' });
    };

    await newPayments(provider).charge(order, cause, inbox());
    expect(await status(order)).toBe(end);
    await cancel();

    expect(await status(order)).toBe(end);
    expect((await emitted(order)).map(({ detailType }) => detailType)).toEqual(events);
    expect([provider.charges.length, provider.refunds.length]).toEqual([1, events.length]);
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

    expect(provider.refunds).toHaveLength(provider.charges.length);
    for (const order of orders) expect(['REFUNDED', 'CANCELLED']).toContain(await status(order));
  });
});

describe('a refund whose answer got lost', () => {
  async function unanswered(onto: 'onAsked' | 'onDone') {
    const provider = new BookkeepingProvider();
    const order = newOrder();
    const event = inbox();
    await newPayments(provider).charge(order, cause, inbox());
    provider[onto] = lost;
    const cancel = () => newPayments(provider).cancel(order, cause, event);
    await expect(cancel()).rejects.toMatchObject({ code: 'PAYMENT_PENDING' });
    provider[onto] = works;
    expect(await status(order)).toBe('REFUNDING');
    return { provider, order, cancel };
  }

  test.each(['onAsked', 'onDone'] as const)('is given back once, after days as well (%s)', async (onto) => {
    const { provider, order, cancel } = await unanswered(onto);
    provider.passHours(3 * 24);

    await Promise.all([delivered(cancel), delivered(cancel)]);

    expect(provider.refunds).toHaveLength(1);
    expect(await status(order)).toBe('REFUNDED');
    expect(await emitted(order)).toMatchObject([{}, { data: { refundId: 're_1' } }]);
  });

  test('comes back while its key may be forgotten and the provider cannot tell', async () => {
    const { provider, order, cancel } = await unanswered('onDone');
    provider.passHours(24);
    provider.search = 'undecided';
    await expect(cancel()).rejects.toMatchObject({ code: 'PAYMENT_PENDING' });
    await expect(cancel()).rejects.toBeInstanceOf(UnavailableError);

    provider.search = 'truth';
    await cancel();

    expect(provider.refunds).toHaveLength(1);
    expect(await status(order)).toBe('REFUNDED');
  });

  test('is acted out by the sandbox', async () => {
    const client = documentClient();
    const order = newOrder(testTokens.refundAnswerLost);
    const payments = new Payments({ client, name: 'payments' }, new SandboxProvider(client, 'payments'));
    const cancellation = inbox();
    await payments.charge(order, cause, inbox());

    await expect(payments.cancel(order, cause, cancellation)).rejects.toMatchObject({ code: 'PAYMENT_PENDING' });
    await payments.cancel(order, cause, cancellation);

    expect(await status(order)).toBe('REFUNDED');
  });
});
