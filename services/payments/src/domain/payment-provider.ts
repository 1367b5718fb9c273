import { TransientError } from '@millrace/errors';

export interface Money {
  /** Minor units. */
  amount: number;
  /** ISO 4217. */
  currency: string;
}

export interface ChargeRequest {
  /** The same key never charges twice: the provider answers as it did the first time. */
  idempotencyKey: string;
  amount: Money;
  paymentToken: string;
}

export type ChargeResult =
  | { outcome: 'approved'; paymentId: string }
  /** For good; `reason` is the provider's code, e.g. `card_declined`, not its text: it becomes part of an event. */
  | { outcome: 'declined'; reason: string };

export interface RefundRequest {
  idempotencyKey: string;
  paymentId: string;
  amount: Money;
}

/**
 * The port to whoever takes the money. Adapters translate a provider's API and errors into these words. Every call ends
 * within the signal's time.
 */
export interface PaymentProvider {
  /** @throws ProviderUnavailableError when the outcome is not known: ask again with the same key. */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeResult>;
  /** @throws ProviderUnavailableError when the outcome is not known: ask again with the same key. */
  refund(request: RefundRequest, signal: AbortSignal): Promise<{ refundId: string }>;
}

/**
 * The provider did not answer, in time or at all. Whether it acted is unknown until it is asked again. `reason` is logged
 * and stands in dead letters: a status or a code, never what the provider says of the charge.
 */
export class ProviderUnavailableError extends TransientError {
  constructor(reason: string, options?: ErrorOptions) {
    super('PROVIDER_UNAVAILABLE', `The payment provider gave no answer: ${reason}`, options);
  }
}
