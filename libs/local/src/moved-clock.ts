import type { Clock } from './clock.ts';

/** A clock that tests move. */
export class MovedClock implements Clock {
  #now: number;
  readonly #calls = new Set<{ time: number; callback: () => void }>();

  /** @param now milliseconds since 1970 */
  constructor(now: number = Date.parse('2026-03-01T12:00:00.000Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, callback: () => void): () => void {
    const call = { time, callback };
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Moves the time on, and calls back whoever has waited for it, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = [...this.#calls].filter(({ time }) => time <= end).sort((a, b) => a.time - b.time)[0];
      if (!next) break;
      this.#calls.delete(next);
      this.#now = Math.max(this.#now, next.time);
      next.callback();
    }
    this.#now = end;
  }
}
