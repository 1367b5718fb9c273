import { TransientError } from '@millrace/errors';

export interface Money {
  /** Minor units. */
  amount: number;
  /** ISO 4217. */
  currency: string;
}

/**
 * For how long an adapter must recognise an idempotency key, in ms, counted from its first use: until then the same key
 * never acts twice, and gets the same answer. Stripe, for example, may forget a key after 24 hours.
 * https://docs.stripe.com/api/idempotent_requests
 */
export const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;

/**
 * How long after a request `find` and `findRefund` must show what it did, in ms. A provider's search may lag behind, so an
 * adapter that cannot keep to this answers `undecided`.
 */
export const FOUND_WITHIN_MS = 10 * 60 * 1000;

export interface ChargeRequest {
  /**
   * The same key never charges twice within `KEY_LIFETIME_MS`. The adapter also sends it as the merchant's reference of the
   * charge, by which `find` finds it for as long as the provider keeps the charge.
   */
  idempotencyKey: string;
  amount: Money;
  paymentToken: string;
}

export type ChargeResult =
  | { outcome: 'approved'; paymentId: string }
  /** For good; `reason` is the provider's code, e.g. `card_declined`, not its text: it becomes part of an event. */
  | { outcome: 'declined'; reason: string };

/**
 * `none`: the provider has no charge or refund with this reference. It may still show one that was asked for less than
 * `FOUND_WITHIN_MS` ago. `undecided`: the provider cannot tell at present, for example because its search lags behind.
 */
export type NotFound = { outcome: 'none' } | { outcome: 'undecided' };

export interface RefundRequest {
  /** As of a charge: an idempotency key within `KEY_LIFETIME_MS`, and the merchant's reference afterwards. */
  idempotencyKey: string;
  paymentId: string;
  amount: Money;
}

export type RefundResult = { outcome: 'refunded'; refundId: string };

/**
 * The port to whoever takes the money. Adapters translate a provider's API and errors into these words. Every call ends
 * within the signal's time.
 */
export interface PaymentProvider {
  /** @throws ProviderUnavailableError when the outcome is not known: call `find` before you charge again. */
  charge(request: ChargeRequest, signal: AbortSignal): Promise<ChargeResult>;

  /**
   * Looks up what became of a charge. It never takes money.
   * @param idempotencyKey of the charge
   * @throws ProviderUnavailableError when the provider does not answer
   * @example await provider.find('event-1', AbortSignal.timeout(2_000)) // { outcome: 'approved', paymentId: 'ch_5f1c0d' }
   */
  find(idempotencyKey: string, signal: AbortSignal): Promise<ChargeResult | NotFound>;

  /** @throws ProviderUnavailableError when the outcome is not known: call `findRefund` before you refund again. */
  refund(request: RefundRequest, signal: AbortSignal): Promise<RefundResult>;

  /**
   * Looks up what became of a refund. It never moves money.
   * @param idempotencyKey of the refund
   * @throws ProviderUnavailableError when the provider does not answer
   */
  findRefund(idempotencyKey: string, signal: AbortSignal): Promise<RefundResult | NotFound>;
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
