import { describe, expect, test } from '@jest/globals';
import { exampleOrder } from '@millrace/orders/events';
import {
  type Attempt,
  decide,
  decideCancellation,
  evolve,
  firstAttempt,
  isCertainlyNone,
  isOpen,
  maySend,
  type Payment,
  type PaymentStatus,
  repeatedAttempt,
} from './payment.ts';

const askedAt = new Date('2026-03-01T00:00:00Z');
const after = (hours: number) => new Date(askedAt.getTime() + hours * 60 * 60 * 1000);
const attempt: Attempt = firstAttempt('attempt-1', askedAt);
const none = { outcome: 'none' } as const;
const undecided = { outcome: 'undecided' } as const;

const payment = (status: PaymentStatus, cancelRequested = false): Payment => ({
  status,
  amount: { amount: 698, currency: 'EUR' },
  chargeKey: 'event-1',
  charge: attempt,
  ...(cancelRequested ? { cancelRequested } : {}),
});

describe('a payment', () => {
  const { amount, chargeKey } = payment('PENDING');
  const order = exampleOrder;
  const approved = { outcome: 'approved', paymentId: 'ch_1' } as const;
  const declined = { outcome: 'declined', reason: 'card_declined' } as const;

  test('is opened once', () => {
    const command = { type: 'RequestCharge', amount, chargeKey, charge: attempt } as const;

    const [opened] = decide(command, undefined);

    expect(opened && evolve(undefined, opened)).toEqual(payment('PENDING'));
    expect(decide(command, payment('CANCELLED'))).toEqual([]);
  });

  test.each([
    ['approved', approved, { status: 'CAPTURED', paymentId: 'ch_1' }],
    ['declined', declined, { status: 'REFUSED', declineReason: 'card_declined' }],
  ] as const)('that is %s is settled, once', (_, answer, expected) => {
    const [settled] = decide({ type: 'Settle', order, answer }, payment('PENDING'));

    const after = settled && evolve(payment('PENDING'), settled);

    expect(after).toEqual({ ...payment('PENDING'), ...expected });
    expect(decide({ type: 'Settle', order, answer }, after)).toEqual([]);
  });

  test('is refunded, or closed, and remembers why', () => {
    const refund = firstAttempt('refund-1', askedAt);
    const refunding = evolve(payment('PENDING', true), { type: 'RefundRequested', paymentId: 'ch_1', refund });

    expect(refunding).toMatchObject({ status: 'REFUNDING', paymentId: 'ch_1', refund, charge: attempt });
    expect(evolve(refunding, { type: 'Refunded', paymentId: 'ch_1', refundId: 're_1' }).status).toBe('REFUNDED');
    expect(evolve(payment('PENDING', true), { type: 'PaymentClosed' }).status).toBe('CANCELLED');
    expect(evolve(undefined, { type: 'PaymentForestalled', amount, chargeKey })).toEqual({
      status: 'CANCELLED',
      amount,
      chargeKey,
    });
  });
});

describe('reserved stock', () => {
  test('goes on with a charge that was started', () => {
    expect(isOpen(payment('PENDING'))).toBe(true);
  });

  test.each<PaymentStatus>(['CAPTURED', 'REFUSED', 'REFUNDING', 'REFUNDED', 'CANCELLED'])(
    'means nothing to a payment that is %s',
    (status) => expect(isOpen(payment(status))).toBe(false),
  );
});

describe('a request that is repeated', () => {
  test.each([none, undecided])('may be repeated while the provider recognises its key ($outcome)', (found) => {
    const repeated = { ...attempt, lastAskedAt: after(23).toISOString() };
    expect(repeatedAttempt(attempt, found, 'attempt-2', after(23))).toEqual(repeated);
  });

  test('starts anew when the key may be forgotten and the provider certainly did not act', () => {
    expect(repeatedAttempt(attempt, none, 'attempt-2', after(24))).toEqual(firstAttempt('attempt-2', after(24)));
  });

  test.each([
    ['the provider cannot tell', attempt, undecided],
    ['it was asked so lately that it may not show it', { ...attempt, lastAskedAt: after(23.9).toISOString() }, none],
    ['nothing is on record', undefined, none],
  ])('must not be repeated when the key may be forgotten and %s', (_, before, found) => {
    expect(repeatedAttempt(before, found, 'attempt-2', after(24))).toBeUndefined();
  });

  test('is not sent when it was put on record too long ago', () => {
    expect(maySend(attempt, new Date(askedAt.getTime() + 59_000))).toBe(true);
    expect(maySend(attempt, new Date(askedAt.getTime() + 60_000))).toBe(false);
  });

  test('has certainly done nothing when the provider knows nothing of it long enough afterwards', () => {
    expect(isCertainlyNone(attempt, none, after(0.2))).toBe(false);
    expect(isCertainlyNone(attempt, none, after(0.3))).toBe(true);
    expect(isCertainlyNone(attempt, undecided, after(100))).toBe(false);
    expect(isCertainlyNone(undefined, none, after(100))).toBe(false);
  });
});

describe("the order's end", () => {
  test('before the payment is remembered', () => expect(decideCancellation(undefined)).toBe('remember'));

  test.each<PaymentStatus>(['CAPTURED', 'REFUNDING'])('refunds what was taken: %s', (status) =>
    expect(decideCancellation(payment(status))).toBe('refund'),
  );

  test.each([false, true])('finds out what became of a charge under way, however often (%s)', (flagged) =>
    expect(decideCancellation(payment('PENDING', flagged))).toBe('resolve'),
  );

  test.each<PaymentStatus>(['REFUSED', 'REFUNDED', 'CANCELLED'])('means nothing to one that is %s', (status) =>
    expect(decideCancellation(payment(status))).toBe('nothing'),
  );
});
