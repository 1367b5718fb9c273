import type { CheckoutOrder } from '@millrace/orders/events';

/** As long as Step Functions remembers an execution that has ended, in seconds: then there is nothing to tell of it. */
const KEEP_SECONDS = 90 * 24 * 60 * 60;

/** A checkout that was asked for. Its execution tells how far it is. */
export interface Checkout {
  customerId: string;
  /** ISO 8601. */
  requestedAt: string;
  /** When the row may go, in seconds since 1970. */
  ttl: number;
}

export interface CheckoutCommand {
  type: 'RequestCheckout';
  order: CheckoutOrder;
  now: Date;
}

export interface CheckoutEvent {
  type: 'CheckoutRequested';
  order: CheckoutOrder;
  requestedAt: Date;
}

/** The same request again changes nothing. */
export function decide({ order, now }: CheckoutCommand, checkout: Checkout | undefined): readonly CheckoutEvent[] {
  return checkout ? [] : [{ type: 'CheckoutRequested', order, requestedAt: now }];
}

export function evolve(_: Checkout | undefined, { order, requestedAt }: CheckoutEvent): Checkout {
  return {
    customerId: order.customer.id,
    requestedAt: requestedAt.toISOString(),
    ttl: Math.floor(requestedAt.getTime() / 1000) + KEEP_SECONDS,
  };
}
