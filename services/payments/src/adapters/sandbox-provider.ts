import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ChargeRequest,
  type ChargeResult,
  type PaymentProvider,
  ProviderUnavailableError,
  type RefundRequest,
} from '../domain/payment-provider.ts';

/** What the sandbox does with a payment token. Any other token is declined as `invalid_token`. */
export const testTokens = {
  /** The charge succeeds. */
  approved: 'tok_approved',
  /** Declined as `card_declined`. */
  declined: 'tok_declined',
  /** Declined as `insufficient_funds`. */
  insufficientFunds: 'tok_insufficient_funds',
  /** No answer to the first two calls for a charge; the third succeeds. */
  temporarilyUnavailable: 'tok_temporarily_unavailable',
  /** No answer to the first five calls, as many as a consumer makes: what is put back afterwards succeeds. */
  outage: 'tok_outage',
  /** The first call takes longer than any timeout, although the charge succeeds; the second tells so at once. */
  slow: 'tok_slow',
} as const;

const UNAVAILABLE_CALLS = 2;
const OUTAGE_CALLS = 5;
const SLOW_MS = 60_000;

/** Counts the calls for a key, this one included: a provider remembers what it was asked, whoever asks. */
export type CallCounter = (key: string) => Promise<number>;

/**
 * A payment provider for development and tests: it decides by the token alone, and the same idempotency key always gets
 * the same answer.
 */
export class SandboxProvider implements PaymentProvider {
  readonly #countCall: CallCounter;

  constructor(countCall: CallCounter) {
    this.#countCall = countCall;
  }

  async charge({ idempotencyKey, paymentToken }: ChargeRequest, signal: AbortSignal): Promise<ChargeResult> {
    const approved = { outcome: 'approved', paymentId: idFrom('ch', idempotencyKey) } as const;
    switch (paymentToken) {
      case testTokens.approved:
        return approved;
      case testTokens.declined:
        return { outcome: 'declined', reason: 'card_declined' };
      case testTokens.insufficientFunds:
        return { outcome: 'declined', reason: 'insufficient_funds' };
      case testTokens.temporarilyUnavailable:
        return this.#unavailableFor(UNAVAILABLE_CALLS, idempotencyKey, approved);
      case testTokens.outage:
        return this.#unavailableFor(OUTAGE_CALLS, idempotencyKey, approved);
      case testTokens.slow:
        if ((await this.#countCall(idempotencyKey)) === 1) await answerLate(signal);
        return approved;
      default:
        return { outcome: 'declined', reason: 'invalid_token' };
    }
  }

  async #unavailableFor(calls: number, key: string, answer: ChargeResult): Promise<ChargeResult> {
    if ((await this.#countCall(key)) > calls) return answer;
    throw new ProviderUnavailableError('503 Service Unavailable');
  }

  async refund({ idempotencyKey }: RefundRequest): Promise<{ refundId: string }> {
    return { refundId: idFrom('re', idempotencyKey) };
  }
}

async function answerLate(signal: AbortSignal): Promise<void> {
  try {
    await delay(SLOW_MS, undefined, { signal });
  } catch (cause) {
    throw new ProviderUnavailableError('timeout', { cause });
  }
}

function idFrom(prefix: string, key: string): string {
  return `${prefix}_${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;
}
