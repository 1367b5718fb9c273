import type { Money } from './payment-provider.ts';

/**
 * PENDING: the intent is on record and the provider may have been asked. CAPTURED, REFUSED and REFUNDED are the
 * provider's answers. CANCELLED: the order ended before anything was charged.
 */
export type PaymentStatus = 'PENDING' | 'CAPTURED' | 'REFUSED' | 'REFUNDED' | 'CANCELLED';

/** The payment of one order. */
export interface Payment {
  status: PaymentStatus;
  amount: Money;
  /** The provider's idempotency key of the charge, chosen once and kept for every attempt. */
  chargeKey: string;
  /** The provider's identifier of the charge. */
  paymentId?: string;
  /** The order was cancelled while the charge was under way. */
  cancelRequested?: boolean;
}

/** Whether the provider's answer is still to come: it is asked (again, after a crash) as long as it is. */
export function isOpen({ status }: Payment): boolean {
  return status === 'PENDING';
}

/**
 * What the order's end means for the payment: refund what was taken, tell the charge under way to undo itself, remember
 * the end so that nothing is charged later, or nothing.
 */
export function decideCancellation(payment: Payment | undefined): 'refund' | 'flag' | 'remember' | 'nothing' {
  if (!payment) return 'remember';
  switch (payment.status) {
    case 'CAPTURED':
      return 'refund';
    case 'PENDING':
      return payment.cancelRequested ? 'nothing' : 'flag';
    case 'REFUSED':
    case 'REFUNDED':
    case 'CANCELLED':
      return 'nothing';
  }
}
