import { eventDigest } from '@millrace/dead-letters';
import type { InputReference } from './inputs.ts';
import type { Fate } from './queue-inputs.ts';
import type { Violation } from './tally.ts';

/** Where a message came from. */
export interface Origin {
  kind: string;
  fate?: Fate | undefined;
  input?: InputReference | undefined;
}

/** What a consumer's function reports: sums of its metrics. */
export interface ConsumerMetrics {
  handled: number;
  duplicate: number;
  /** Acknowledged, for they said that they belong to a replay. */
  ofReplays: number;
}

/** One consumer's account. */
interface Account {
  /** Messages in its queue, by the digest of their bodies. */
  received: Map<string, { count: number; origin: Origin }>;
  letters: Map<string, number>;
  /**
   * Of these, those that were not the first attempt. A function that is stopped when a letter is on its way leaves the message in
   * its queue: it comes again, and is a letter again.
   */
  repeated: Map<string, number>;
}

const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);

/**
 * Keeps account of every message: what was sent or delivered to a consumer's queue must have been handled, recognised as
 * a duplicate or as part of a replay, or stand in the dead-letter queue with its body unchanged.
 */
export class Ledger {
  readonly #accounts: Map<string, Account>;

  /** @param consumers names */
  constructor(consumers: readonly string[]) {
    this.#accounts = new Map(
      consumers.map((name) => [name, { received: new Map(), letters: new Map(), repeated: new Map() }]),
    );
  }

  /** A message has gone into a consumer's queue. */
  receive(consumer: string, body: string, origin: Origin): void {
    const { received } = this.#account(consumer);
    const digest = eventDigest(body);
    const known = received.get(digest) ?? { count: 0, origin };
    known.count += 1;
    received.set(digest, known);
  }

  /**
   * A letter has been taken out of a consumer's dead-letter queue.
   * @param attempts after which the message died
   */
  bury(consumer: string, body: string, attempts = 1): Origin | undefined {
    const { received, letters, repeated } = this.#account(consumer);
    const digest = eventDigest(body);
    letters.set(digest, (letters.get(digest) ?? 0) + 1);
    if (attempts > 1) repeated.set(digest, (repeated.get(digest) ?? 0) + 1);
    return received.get(digest)?.origin;
  }

  /** Where a consumer stands: how many messages it got, and how many are dead. */
  sums(consumer: string): { received: number; dead: number } {
    const { received, letters } = this.#account(consumer);
    const dead = [...letters.keys()].map((digest) => this.#dead(consumer, digest));
    return { received: sum([...received.values()].map(({ count }) => count)), dead: sum(dead) };
  }

  /** What does not add up; empty when everything does. */
  violations(metrics: ReadonlyMap<string, ConsumerMetrics>): Violation[] {
    return [...this.#accounts].flatMap(([consumer, account]) => [
      ...imbalanceOf(consumer, this.sums(consumer), metrics.get(consumer)),
      ...[...account.letters].flatMap(([digest, count]) =>
        letterViolations(consumer, count - this.#again(consumer, digest), account.received.get(digest)),
      ),
      ...[...account.received].flatMap(([digest, { count, origin }]): Violation[] => {
        const dead = this.#dead(consumer, digest);
        if (origin.fate !== 'dead' || dead === count) return [];
        return [
          violation(`${consumer}: ${count - dead} of ${count} messages are no dead letters, and have to be`, origin),
        ];
      }),
    ]);
  }

  /** Messages of a body that are dead, however many letters there are of them. */
  #dead(consumer: string, digest: string): number {
    return (this.#account(consumer).letters.get(digest) ?? 0) - this.#again(consumer, digest);
  }

  /** Letters of a body that are one too many, and may be. */
  #again(consumer: string, digest: string): number {
    const { received, letters, repeated } = this.#account(consumer);
    const messages = received.get(digest);
    if (!messages) return 0;
    const tooMany = (letters.get(digest) ?? 0) - messages.count;
    return Math.max(0, Math.min(tooMany, repeated.get(digest) ?? 0));
  }

  #account(consumer: string): Account {
    const account = this.#accounts.get(consumer);
    if (!account) throw new Error(`${consumer} is no consumer`);
    return account;
  }
}

function imbalanceOf(
  consumer: string,
  { received, dead }: { received: number; dead: number },
  { handled, duplicate, ofReplays }: ConsumerMetrics = { handled: 0, duplicate: 0, ofReplays: 0 },
): Violation[] {
  const accounted = handled + duplicate + ofReplays + dead;
  if (accounted === received) return [];
  const parts = `${handled} handled + ${duplicate} duplicates + ${ofReplays} of replays + ${dead} dead`;
  return [{ what: `${consumer}: ${received} messages, but ${parts} = ${accounted}` }];
}

function letterViolations(
  consumer: string,
  count: number,
  received: { count: number; origin: Origin } | undefined,
): Violation[] {
  if (!received) return [{ what: `${consumer}: ${count} dead letters with a body that nobody sent` }];
  const { origin } = received;
  if (origin.fate === 'taken') return [violation(`${consumer}: a sound event is dead`, origin)];
  if (count > received.count) return [violation(`${consumer}: ${count} letters of ${received.count} messages`, origin)];
  return [];
}

function violation(what: string, { kind, input }: Origin): Violation {
  return { what: `${what} (${kind})`, ...(input && { input }) };
}
