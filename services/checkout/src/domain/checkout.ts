import type { CheckoutOrder } from '@millrace/orders/events';

/** As long as Step Functions remembers an execution that has ended, in seconds: then there is nothing to tell of it. */
const KEEP_SECONDS = 90 * 24 * 60 * 60;

/** What takes a checkout through its steps. */
export const checkoutProcesses = ['state-machine', 'durable-function'] as const;
export type CheckoutProcess = (typeof checkoutProcesses)[number];

/** A checkout that was asked for. Its execution tells how far it is. */
export interface Checkout {
  customerId: string;
  /** ISO 8601. */
  requestedAt: string;
  /** What its stage had chosen then. It stays, whatever the stage chooses later. */
  process: CheckoutProcess;
  /** When the row may go, in seconds since 1970. */
  ttl: number;
}

export interface CheckoutCommand {
  type: 'RequestCheckout';
  order: CheckoutOrder;
  process: CheckoutProcess;
  now: Date;
}

export interface CheckoutEvent {
  type: 'CheckoutRequested';
  order: CheckoutOrder;
  process: CheckoutProcess;
  requestedAt: Date;
}

/** The same request again changes nothing. */
export function decide(
  { order, process, now }: CheckoutCommand,
  checkout: Checkout | undefined,
): readonly CheckoutEvent[] {
  return checkout ? [] : [{ type: 'CheckoutRequested', order, process, requestedAt: now }];
}

export function evolve(_: Checkout | undefined, { order, process, requestedAt }: CheckoutEvent): Checkout {
  return {
    customerId: order.customer.id,
    requestedAt: requestedAt.toISOString(),
    process,
    ttl: Math.floor(requestedAt.getTime() / 1000) + KEEP_SECONDS,
  };
}
