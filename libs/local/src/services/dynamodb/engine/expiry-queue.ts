import { TimerQueue } from '../../../core/timer-queue.ts';

/** Five years: what expired longer ago is not deleted. */
const MAX_EXPIRED_MS = 5 * 365 * 24 * 60 * 60 * 1000;

/**
 * When items expire by Time to Live, so that the tables need not be scanned.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 */
export class ExpiryQueue {
  readonly #queue = new TimerQueue();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param seconds since 1970, as the item has it
   * @param expire called once that time is over
   * @returns takes it back; undefined for an item that never expires
   */
  add(seconds: number, expire: () => void): (() => void) | undefined {
    const at = seconds * 1000;
    if (!Number.isFinite(at) || at < this.#now() - MAX_EXPIRED_MS) return undefined;
    return this.#queue.add(at, expire);
  }

  /** When the next item expires, in milliseconds since 1970; undefined when none does. */
  get next(): number | undefined {
    return this.#queue.peek()?.at;
  }

  /** Expires what is due. */
  run(): void {
    // An item expires when its time is less than the current one.
    const before = this.#now() - 1;
    for (let due = this.#queue.takeDue(before); due; due = this.#queue.takeDue(before)) {
      due.callback();
    }
  }
}
