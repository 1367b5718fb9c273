import { setImmediate as nextTurn } from 'node:timers/promises';
import { TimerQueue } from './timer-queue.ts';

/** A timer that has been set. */
export interface Timer {
  /** Takes the timer back. Does nothing once it has fired. */
  cancel(): void;
}

/**
 * The time of the local cloud. Everything that waits (schedules, delays, visibility timeouts, retention, alarms) asks the same
 * clock, so that a test can move time for all of it.
 *
 * @example
 * const clock = new ManualClock(Date.parse('2026-03-01T00:00:00Z'));
 * clock.setTimer(clock.now() + 60_000, () => console.log('a minute later'));
 * await clock.advance(60_000);
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Calls back once, as soon as a time is reached: never within this call, even when the time has passed. Timers fire in the order
   * of their times; those of the same time in the order they were set.
   * @param at milliseconds since the epoch, any distance away
   */
  setTimer(at: number, callback: () => void): Timer;
  /**
   * Resolves after a time.
   * @throws the signal's reason once it is aborted
   */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** A clock that a test moves. */
export interface MovableClock extends Clock {
  /**
   * Moves the time ahead and fires each timer that falls due, in order, at its own time. What a timer starts gets a turn of the event
   * loop before the next one fires; timers that it sets on the way fire, too.
   * @returns resolves when the time is reached and all timers until then have fired
   * @throws RangeError for a negative or unknown distance
   */
  advance(milliseconds: number): Promise<void>;
  /**
   * Moves the time ahead to a date, as `advance` does.
   * @throws RangeError for a date in the past: time does not go back
   */
  set(date: Date | number): Promise<void>;
}

/** What the two clocks share: the timers and moving the time. */
abstract class TimedClock implements MovableClock {
  protected readonly timers = new TimerQueue();
  /** Moves run one after the other. */
  #moved: Promise<void> = Promise.resolve();

  abstract now(): number;
  /** Makes `now()` at least this time. */
  protected abstract moveNow(time: number): void;
  /** Called when the earliest timer may be another one. */
  protected abstract timersChanged(): void;

  setTimer(at: number, callback: () => void): Timer {
    if (!Number.isFinite(at)) throw new RangeError(`A timer needs a time, not ${at}`);
    const remove = this.timers.add(at, callback);
    this.timersChanged();
    return {
      cancel: () => {
        remove();
        this.timersChanged();
      },
    };
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.setTimer(this.now() + milliseconds, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  async advance(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0 && Number.isFinite(milliseconds))) {
      throw new RangeError(`Time cannot be moved by ${milliseconds} milliseconds`);
    }
    return this.#move(() => this.now() + milliseconds);
  }

  async set(date: Date | number): Promise<void> {
    const time = Number(date);
    if (!(time >= this.now())) throw new RangeError(`Time cannot be moved to ${date}: it is ${this.now()} already`);
    return this.#move(() => time);
  }

  #move(target: () => number): Promise<void> {
    const moved = this.#moved.then(() => this.#fireUntil(target()));
    // The next move does not fail because a timer of this one did.
    this.#moved = moved.catch(() => undefined);
    return moved;
  }

  async #fireUntil(time: number): Promise<void> {
    // What was started before the move comes first.
    await nextTurn();
    try {
      for (let due = this.timers.takeDue(time); due; due = this.timers.takeDue(time)) {
        this.moveNow(due.at);
        due.callback();
        await nextTurn();
      }
      this.moveNow(time);
    } finally {
      this.timersChanged();
    }
  }
}

/** A clock that does not run: timers fire while it is moved, those that are due already at `advance(0)`. */
export class ManualClock extends TimedClock {
  #now: number;

  /** @param start milliseconds since the epoch, or a date */
  constructor(start: Date | number) {
    super();
    this.#now = Number(start);
    if (!Number.isFinite(this.#now)) throw new RangeError(`A clock cannot start at ${start}`);
  }

  now(): number {
    return this.#now;
  }

  protected moveNow(time: number): void {
    this.#now = Math.max(this.#now, time);
  }

  protected timersChanged(): void {}
}

/** How long one Node timer waits at most: the machine may sleep, and its clock may be set. Node itself cannot wait 2^31 ms. */
const LONGEST_WAIT_MS = 60_000;

/**
 * The machine's clock: one Node timer for the earliest deadline. It does not keep the process alive. It can be moved ahead, and goes
 * on from there.
 */
export class SystemClock extends TimedClock {
  #ahead = 0;
  #timer: { at: number; handle: NodeJS.Timeout } | undefined;

  now(): number {
    return Date.now() + this.#ahead;
  }

  [Symbol.dispose](): void {
    this.timers.clear();
    this.timersChanged();
  }

  protected moveNow(time: number): void {
    this.#ahead += Math.max(0, time - this.now());
  }

  protected timersChanged(): void {
    const next = this.timers.peek();
    if (next && this.#timer?.at === next.at) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (!next) return;
    const wait = Math.min(Math.max(next.at - this.now(), 0), LONGEST_WAIT_MS);
    this.#timer = { at: next.at, handle: setTimeout(() => this.#fire(), wait).unref() };
  }

  #fire(): void {
    this.#timer = undefined;
    try {
      for (let due = this.timers.takeDue(this.now()); due; due = this.timers.takeDue(this.now())) due.callback();
    } finally {
      // One timer that throws does not stop the others.
      this.timersChanged();
    }
  }
}
