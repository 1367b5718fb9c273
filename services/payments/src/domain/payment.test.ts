import { describe, expect, test } from '@jest/globals';
import { decideCancellation, decideCharge, type Payment, type PaymentStatus } from './payment.ts';

const payment = (status: PaymentStatus, cancelRequested = false): Payment => ({
  status,
  amount: { amount: 698, currency: 'EUR' },
  chargeKey: 'event-1',
  ...(cancelRequested ? { cancelRequested } : {}),
});

describe('reserved stock', () => {
  test('starts a payment', () => expect(decideCharge(undefined)).toBe('start'));

  test('goes on with one that was started, also after its order was cancelled: the provider may have the money', () => {
    expect(decideCharge(payment('PENDING'))).toBe('continue');
    expect(decideCharge(payment('PENDING', true))).toBe('continue');
  });

  test.each<PaymentStatus>(['CAPTURED', 'REFUSED', 'REFUNDED', 'CANCELLED'])(
    'means nothing to one that is %s',
    (status) => expect(decideCharge(payment(status))).toBe('nothing'),
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
