/** The time, and calls at a time. Passed in, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once, not before `time`. Returns a function that cancels the call. */
  at(time: number, callback: () => void): () => void;
}

/** The longest delay that a timer of Node.js can have. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: Date.now,
  at: (time, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(time - Date.now(), 0), LONGEST_DELAY_MS));
    return () => clearTimeout(timer);
  },
};
