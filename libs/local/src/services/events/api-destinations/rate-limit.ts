import type { Clock } from '../../../core/clock.ts';

const second = 1000;

/** Lets a number of requests begin in any second; further ones wait, in the order they came. */
export class RateLimit {
  readonly #clock: Clock;
  /** When the latest requests began or will begin, oldest first: as many as one second may have. */
  readonly #starts: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for a place.
   * @param perSecond the limit at present
   * @param until milliseconds since the epoch
   * @returns false when the place would come after `until`: it is then that time, and no place was taken
   * @throws the signal's reason once it is aborted
   */
  async take(perSecond: number, until: number, signal: AbortSignal): Promise<boolean> {
    const now = this.#clock.now();
    const oldest = this.#starts.at(-perSecond);
    const start = oldest === undefined ? now : Math.max(now, oldest + second);
    if (start > until) {
      await this.#clock.sleep(Math.max(until - now, 0), signal);
      return false;
    }
    this.#starts.push(start);
    this.#starts.splice(0, this.#starts.length - perSecond);
    if (start > now) await this.#clock.sleep(start - now, signal);
    return true;
  }
}
