import type { Clock, Timer } from '../../../core/clock.ts';

interface Waiter {
  wake: () => void;
}

/**
 * Lets receivers wait until a queue may have messages for them, without asking it again and again: there is one timer for
 * the end of each wait, and one for the next delay or visibility timeout that ends while a receiver waits.
 */
export class Availability {
  readonly #clock: Clock;
  readonly #nextDue: () => number | undefined;
  readonly #waiters = new Set<Waiter>();
  #wakeUp: NodeJS.Immediate | undefined;
  #closed = false;
  #dueTimer: { due: number; timer: Timer } | undefined;

  /** @param nextDue when the next message becomes visible by itself */
  constructor(clock: Clock, nextDue: () => number | undefined) {
    this.#clock = clock;
    this.#nextDue = nextDue;
  }

  /**
   * Waits until something may be available, the time is over or the signal aborts.
   * @param until Infinity to wait without an end
   */
  wait(until: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted || this.#closed) return resolve();
      const end = (): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', end);
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) this.#setDueTimer(undefined);
        resolve();
      };
      const waiter: Waiter = { wake: end };
      const timer = until === Number.POSITIVE_INFINITY ? undefined : this.#clock.setTimer(until, end);
      signal?.addEventListener('abort', end, { once: true });
      this.#waiters.add(waiter);
      this.#setDueTimer(this.#nextDue());
    });
  }

  /**
   * Says that there may be messages. Receivers wake when everything that is under way in this turn of the event loop is
   * done, so that what is sent together is there together.
   */
  notify(): void {
    if (this.#waiters.size > 0) this.#wakeUp ??= setImmediate(() => this.wakeAll());
  }

  /** Says that the time of the next message may have changed. */
  reschedule(): void {
    if (this.#waiters.size > 0) this.#setDueTimer(this.#nextDue());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Wakes all receivers at once, for instance because the queue is gone. */
  wakeAll(): void {
    clearImmediate(this.#wakeUp);
    this.#wakeUp = undefined;
    for (const waiter of [...this.#waiters]) waiter.wake();
  }

  /** Ends all waits, and those that begin later at once. */
  close(): void {
    this.#closed = true;
    this.wakeAll();
  }

  #setDueTimer(due: number | undefined): void {
    if (due === this.#dueTimer?.due) return;
    this.#dueTimer?.timer.cancel();
    this.#dueTimer = undefined;
    if (due === undefined) return;
    const timer = this.#clock.setTimer(due, () => {
      this.#dueTimer = undefined;
      this.wakeAll();
    });
    this.#dueTimer = { due, timer };
  }
}
