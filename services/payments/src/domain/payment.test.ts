import { describe, expect, test } from '@jest/globals';
import { decideCancellation, isOpen, type Payment, type PaymentStatus } from './payment.ts';

const payment = (status: PaymentStatus, cancelRequested = false): Payment => ({
  status,
  amount: { amount: 698, currency: 'EUR' },
  chargeKey: 'event-1',
  ...(cancelRequested ? { cancelRequested } : {}),
});

describe('reserved stock', () => {
  test('goes on with one that was started, also after its order was cancelled: the provider may have the money', () => {
    expect(isOpen(payment('PENDING'))).toBe(true);
    expect(isOpen(payment('PENDING', true))).toBe(true);
  });

  test.each<PaymentStatus>(['CAPTURED', 'REFUSED', 'REFUNDED', 'CANCELLED'])(
    'means nothing to one that is %s',
    (status) => expect(isOpen(payment(status))).toBe(false),
  );
});

describe("the order's end", () => {
  test('before the payment is remembered', () => expect(decideCancellation(undefined)).toBe('remember'));

  test('refunds what was taken', () => expect(decideCancellation(payment('CAPTURED'))).toBe('refund'));

  test('is left to a charge under way, once', () => {
    expect(decideCancellation(payment('PENDING'))).toBe('flag');
    expect(decideCancellation(payment('PENDING', true))).toBe('nothing');
  });

  test.each<PaymentStatus>(['REFUSED', 'REFUNDED', 'CANCELLED'])('means nothing to one that is %s', (status) =>
    expect(decideCancellation(payment(status))).toBe('nothing'),
  );
});
