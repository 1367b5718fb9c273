import type { Clock, Timer } from '../../../core/clock.ts';

/** Before a callback that failed is called again, for example because the disk is full. */
const PAUSE_MS = 10_000;

/** Timers by name, of which each may be set again. */
export class NamedTimers {
  readonly #clock: Clock;
  readonly #onFailure: (error: Error) => void;
  readonly #timers = new Map<string, Timer>();
  #isClosed = false;

  /** @param onFailure told of a timer whose callback throws; it is called again after a pause */
  constructor(clock: Clock, onFailure: (error: Error) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  has(name: string): boolean {
    return this.#timers.has(name);
  }

  /**
   * Sets a timer, in place of one with its name.
   * @param at undefined for none
   */
  set(name: string, at: number | undefined, callback: () => void): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
    if (this.#isClosed || at === undefined) return;
    const timer = this.#clock.setTimer(at, () => {
      this.#timers.delete(name);
      this.run(name, callback);
    });
    this.#timers.set(name, timer);
  }

  /** Calls back at once, and again after a pause if that throws. */
  run(name: string, callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#onFailure(error as Error);
      this.set(name, this.#clock.now() + PAUSE_MS, callback);
    }
  }

  /** Cancels all of them, and sets no more. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
