import { describe, expect, test } from '@jest/globals';
import {
  type Attempt,
  decideCancellation,
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
