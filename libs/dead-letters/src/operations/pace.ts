import { setTimeout as delay } from 'node:timers/promises';

/** Spreads items evenly over time, however many ask at once. */
export class Pace {
  readonly #perSecond: number;
  /** On the monotonic clock, in ms. */
  #next = performance.now();

  /** @param perSecond items a second; infinite for as fast as it goes */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Items to handle at once, so that a slow pace does not come in bursts. */
  burst(most: number): number {
    return Math.max(1, Math.min(most, Math.floor(this.#perSecond)));
  }

  /** Waits until so many items may be handled, or until the signal is aborted. */
  async wait(items: number, signal?: AbortSignal): Promise<void> {
    if (!Number.isFinite(this.#perSecond)) return;
    const now = performance.now();
    const start = Math.max(now, this.#next);
    this.#next = start + (items * 1_000) / this.#perSecond;
    if (start > now) await delay(start - now, undefined, { ...(signal && { signal }) }).catch(() => {});
  }
}
