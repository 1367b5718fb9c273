import { PermanentError, UnavailableError } from '@millrace/errors';
import type { OrderSnapshot } from '@millrace/orders/events';
import { type ChargeResult, FOUND_WITHIN_MS, KEY_LIFETIME_MS, type Money, type NotFound } from './payment-provider.ts';

/** How much two containers' clocks may differ, together with how long a request may be on its way, in ms. */
const TIME_MARGIN_MS = 5 * 60 * 1000;

/** How long after it was put on record a request may be sent, in ms: well within the margin. */
const SEND_WITHIN_MS = 60 * 1000;

/**
 * PENDING: the intent is on record and the provider may have been asked. CAPTURED, REFUSED and REFUNDED are the
 * provider's answers. REFUNDING: the provider has the money and may have been asked to give it back. CANCELLED: the order
 * ended and nothing was charged.
 */
export type PaymentStatus = 'PENDING' | 'CAPTURED' | 'REFUSED' | 'REFUNDING' | 'REFUNDED' | 'CANCELLED';

/** A request to the provider, put on record before the provider is asked. Times are ISO 8601. */
export interface Attempt {
  /** Made by whoever stored the record first: only they may ask without looking first what became of it. */
  id: string;
  /** First use of the idempotency key: the provider recognises it from then on, for `KEY_LIFETIME_MS`. */
  firstAskedAt: string;
  lastAskedAt: string;
}

/** The payment of one order. */
export interface Payment {
  status: PaymentStatus;
  amount: Money;
  /** The provider's idempotency key of the charge and the merchant's reference, chosen once and kept for every attempt. */
  chargeKey: string;
  /** Absent when the order was cancelled before anything was charged. */
  charge?: Attempt;
  /** The provider's identifier of the charge. */
  paymentId?: string;
  refund?: Attempt;
  /** Why the provider refused. Absent in payments that were refused before this was kept. */
  declineReason?: string;
  /** The order was cancelled while the outcome of its charge was unknown: charge it no more. */
  cancelRequested?: boolean;
}

export type PaymentCommand =
  | { type: 'RequestCharge'; amount: Money; chargeKey: string; charge: Attempt }
  /** What the provider has answered. */
  | { type: 'Settle'; order: OrderSnapshot; answer: ChargeResult };

export type PaymentEvent =
  | { type: 'ChargeRequested'; amount: Money; chargeKey: string; charge: Attempt }
  | { type: 'ChargeRepeated'; charge: Attempt }
  | { type: 'ChargeApproved'; order: OrderSnapshot; paymentId: string }
  | { type: 'ChargeDeclined'; reason: string; process?: OrderSnapshot['process'] }
  /** The order ended while the outcome of its charge is unknown: from here on it is not charged any more. */
  | { type: 'CancellationRequested' }
  | { type: 'RefundRequested'; paymentId: string; refund: Attempt }
  | { type: 'Refunded'; paymentId: string; refundId: string }
  /** The order ended before anything was asked of the provider. */
  | { type: 'PaymentForestalled'; amount: Money; chargeKey: string }
  /** The order has ended, and nothing was charged for it. */
  | { type: 'PaymentClosed' };

/** What follows from a command: one event or nothing. An order has one payment, which is settled once. */
export function decide(command: PaymentCommand, payment: Payment | undefined): readonly PaymentEvent[] {
  switch (command.type) {
    case 'RequestCharge':
      return payment ? [] : [{ ...command, type: 'ChargeRequested' }];
    case 'Settle': {
      if (!payment || !isOpen(payment)) return [];
      const { order, answer } = command;
      return answer.outcome === 'approved'
        ? [{ type: 'ChargeApproved', order, paymentId: answer.paymentId }]
        : [{ type: 'ChargeDeclined', reason: answer.reason, ...(order.process && { process: order.process }) }];
    }
  }
}

/** The state after one more event. Only a first event can come without a payment. */
export function evolve(before: Payment | undefined, event: PaymentEvent): Payment {
  const payment = before as Payment;
  switch (event.type) {
    case 'ChargeRequested': {
      const { amount, chargeKey, charge } = event;
      return { status: 'PENDING', amount, chargeKey, charge };
    }
    case 'ChargeRepeated':
      return { ...payment, charge: event.charge };
    case 'ChargeApproved':
      return { ...payment, status: 'CAPTURED', paymentId: event.paymentId };
    case 'ChargeDeclined':
      return { ...payment, status: 'REFUSED', declineReason: event.reason };
    case 'CancellationRequested':
      return { ...payment, cancelRequested: true };
    case 'RefundRequested':
      return { ...payment, status: 'REFUNDING', paymentId: event.paymentId, refund: event.refund };
    case 'Refunded':
      return { ...payment, status: 'REFUNDED', paymentId: event.paymentId };
    case 'PaymentForestalled':
      return { status: 'CANCELLED', amount: event.amount, chargeKey: event.chargeKey };
    case 'PaymentClosed':
      return { ...payment, status: 'CANCELLED' };
  }
}

/** The provider cannot tell whether it charged, and may have forgotten the key: only a person may decide. */
export class ChargeUndecidedError extends PermanentError {
  constructor(orderId: string, chargeKey: string) {
    super(
      'CHARGE_UNDECIDED',
      `Whether order ${orderId} was charged is unknown, and charging again could take the money twice: ` +
        `look for the reference ${chargeKey} at the payment provider`,
    );
  }
}

/** Whether a cancelled order costs nothing is not certain yet. It is deferred, however long the provider takes. */
export class OutcomePendingError extends UnavailableError {
  constructor(orderId: string, reason: string, options?: ErrorOptions) {
    super('PAYMENT_PENDING', `The payment of order ${orderId} cannot be undone yet: ${reason}`, options);
  }
}

/** True while the provider's answer is still to come: it is asked (again, after a crash) as long as it is. */
export function isOpen({ status }: Payment): boolean {
  return status === 'PENDING';
}

/** The record of a first request. */
export function firstAttempt(id: string, now: Date): Attempt {
  return { id, firstAskedAt: now.toISOString(), lastAskedAt: now.toISOString() };
}

/**
 * Decides whether a request may be repeated about which the provider knows nothing (certain).
 *
 * - While the provider is sure to recognise the key, it may: at worst it gets the first answer again.
 * - Later it may only when the provider certainly never acted on it. Then it is like a first request.
 * - In every other case it may not: it could act twice.
 *
 * @returns the record to store before the provider is asked again; undefined when it must not be
 * @example repeatedAttempt(attempt, { outcome: 'none' }, newId, now)
 */
export function repeatedAttempt(
  attempt: Attempt | undefined,
  found: NotFound,
  newId: string,
  now: Date,
): Attempt | undefined {
  if (!attempt) return undefined;
  const keyAge = now.getTime() - Date.parse(attempt.firstAskedAt);
  if (keyAge < KEY_LIFETIME_MS - TIME_MARGIN_MS) return { ...attempt, lastAskedAt: now.toISOString() };
  return isCertainlyNone(attempt, found, now) ? firstAttempt(newId, now) : undefined;
}

/**
 * True while a request may be sent that was put on record. Lambda can freeze a function between the two and go on hours
 * later, when others have found that the provider knows nothing of the request.
 */
export function maySend({ lastAskedAt }: Attempt, now: Date): boolean {
  return now.getTime() - Date.parse(lastAskedAt) < SEND_WITHIN_MS;
}

/** True if the provider did not act and never will: it knows of nothing, long enough after it was last asked. */
export function isCertainlyNone(attempt: Attempt | undefined, { outcome }: NotFound, now: Date): boolean {
  if (!attempt) return false;
  return outcome === 'none' && now.getTime() - Date.parse(attempt.lastAskedAt) > FOUND_WITHIN_MS + TIME_MARGIN_MS;
}

/**
 * What the order's end means for the payment: refund what was taken, find out what became of the charge, remember the end
 * so that nothing is charged later, or nothing.
 */
export function decideCancellation(payment: Payment | undefined): 'refund' | 'resolve' | 'remember' | 'nothing' {
  if (!payment) return 'remember';
  switch (payment.status) {
    case 'CAPTURED':
    case 'REFUNDING':
      return 'refund';
    case 'PENDING':
      return 'resolve';
    case 'REFUSED':
    case 'REFUNDED':
    case 'CANCELLED':
      return 'nothing';
  }
}
