import { currentContainer } from './container.ts';
import type { World } from './world.ts';

/** What a provider's adapter throws when it got no answer. Payments' own class, because each container has its own. */
export type Unavailable = new (reason: string) => Error;

interface Money {
  amount: number;
  currency: string;
}

/** Money that was taken. */
export interface Charge {
  paymentId: string;
  key: string;
  token: string;
  amount: number;
  at: number;
  refunds: { refundId: string; key: string; amount: number; at: number }[];
}

type ChargeAnswer = { outcome: 'approved'; paymentId: string } | { outcome: 'declined'; reason: string };

/** Keys are recognised for so long. */
const KEY_MS = 24 * 60 * 60 * 1000;

/**
 * The payment provider: it takes money once for an idempotency key, forgets the key after a day, and loses answers. Tokens
 * say what becomes of a charge, for example `tok_declined_3` for the third order.
 */
export class SimulatedProvider {
  readonly #world: World;
  /** Every charge that took money. */
  readonly charges: Charge[] = [];
  readonly #answers = new Map<string, { answer: object; at: number }>();
  readonly #calls = new Map<string, number>();
  /** When the history began. */
  readonly start: number;
  /** When it was called during an outage. */
  readonly callsInOutage: number[] = [];

  constructor(world: World) {
    this.#world = world;
    this.start = world.scheduler.now;
  }

  /** True during an outage that concerns this call. */
  #isDown(what: string): boolean {
    const { outage } = this.#world.plan;
    const at = this.#world.scheduler.now - this.start;
    if (outage === undefined || at < outage.from || at >= outage.to) return false;
    return outage.of === 'all calls' || !what.startsWith('find');
  }

  charge(
    {
      idempotencyKey: key,
      amount,
      paymentToken: token,
    }: { idempotencyKey: string; amount: Money; paymentToken: string },
    signal: AbortSignal,
    Unavailable: Unavailable,
  ): Promise<ChargeAnswer> {
    const container = currentContainer();
    const { sabotage } = this.#world;
    const usedKey = container ? (sabotage.chargeKey?.(key, container) ?? key) : key;
    return this.#call(`charge ${token}`, signal, Unavailable, () =>
      this.#once(usedKey, () => {
        const kind = token.replace(/^tok_|_\d+$/g, '');
        const calls = (this.#calls.get(token) ?? 0) + 1;
        this.#calls.set(token, calls);
        if (kind === 'declined') return { outcome: 'declined', reason: 'card_declined' };
        if (kind === 'unavailable' && calls <= 2) throw new Unavailable('503 Service Unavailable');
        if (kind === 'outage' && calls <= 5) throw new Unavailable('503 Service Unavailable');
        const paymentId = `ch_${this.charges.length + 1}`;
        this.charges.push({
          paymentId,
          key: usedKey,
          token,
          amount: amount.amount,
          at: this.#world.scheduler.now,
          refunds: [],
        });
        return { outcome: 'approved', paymentId };
      }),
    );
  }

  refund(
    { idempotencyKey: key, paymentId, amount }: { idempotencyKey: string; paymentId: string; amount: Money },
    signal: AbortSignal,
    Unavailable: Unavailable,
  ): Promise<{ outcome: 'refunded'; refundId: string }> {
    return this.#call(`refund ${paymentId}`, signal, Unavailable, () =>
      this.#once(key, () => {
        if (this.#world.sabotage.forgetsRefunds) return { outcome: 'refunded', refundId: `re_${paymentId}` };
        const charge = this.charges.find((each) => each.paymentId === paymentId);
        const refundId = `re_${paymentId}_${(charge?.refunds.length ?? 0) + 1}`;
        charge?.refunds.push({ refundId, key, amount: amount.amount, at: this.#world.scheduler.now });
        return { outcome: 'refunded', refundId };
      }),
    );
  }

  /** What became of a charge, by its key, however long ago. */
  find(key: string, signal: AbortSignal, Unavailable: Unavailable): Promise<ChargeAnswer | { outcome: 'none' }> {
    return this.#call('find charge', signal, Unavailable, () => {
      const charge = this.charges.find((each) => each.key === key);
      if (charge) return { outcome: 'approved', paymentId: charge.paymentId };
      return (this.#answers.get(key)?.answer as ChargeAnswer | undefined) ?? { outcome: 'none' };
    });
  }

  /** What became of a refund, by its key. */
  findRefund(
    key: string,
    signal: AbortSignal,
    Unavailable: Unavailable,
  ): Promise<{ outcome: 'refunded'; refundId: string } | { outcome: 'none' }> {
    return this.#call('find refund', signal, Unavailable, () => {
      const refund = this.charges.flatMap(({ refunds }) => refunds).find((each) => each.key === key);
      return refund ? { outcome: 'refunded', refundId: refund.refundId } : { outcome: 'none' };
    });
  }

  /** The same answer for the same key, for a day. */
  #once<Answer extends object>(key: string, act: () => Answer): Answer {
    const { now } = this.#world.scheduler;
    const known = this.#answers.get(key);
    if (known && now - known.at < KEY_MS) return known.answer as Answer;
    const answer = act();
    this.#answers.set(key, { answer, at: now });
    return answer;
  }

  #call<Answer extends object>(
    what: string,
    signal: AbortSignal,
    Unavailable: Unavailable,
    effect: () => Answer,
  ): Promise<Answer> {
    const { network, trace } = this.#world;
    const faults = this.#world.faultsAt('provider');
    const has = (kind: string) => faults.find((fault) => fault.what === kind);
    return network.callOutside(what, (answer, container) => {
      let aborted = false;
      signal.addEventListener('abort', () => {
        aborted = true;
        answer(() => ({ error: new Unavailable('timeout') }), 0);
      });
      const isDown = this.#isDown(what);
      if (isDown) this.callsInOutage.push(this.#world.scheduler.now - this.start);
      if (has('unavailable') || isDown) {
        trace.fault('provider', `${what}: not available`);
        return answer(() => ({ error: new Unavailable('503 Service Unavailable') }), 5);
      }
      let result: { output: Answer } | { error: Error };
      try {
        result = { output: effect() };
        trace.add(container.name, `${what}: ${JSON.stringify(result.output)}`);
      } catch (error) {
        result = { error: error as Error };
        trace.add(container.name, `${what}: ${(error as Error).message}`);
      }
      if (aborted) return;
      if (has('answer lost')) {
        trace.fault('provider', 'its answer is lost');
        result = { error: new Unavailable('socket hang up') };
      }
      const slow = has('slow')?.amount ?? 0;
      if (slow > 0) trace.fault('provider', `answers after ${slow} ms`);
      answer(() => result, 5 + slow);
    });
  }
}
