import type { Message } from './message.ts';

/**
 * Makes standard queues as unreliable as they may be: out of order, and now and then a message again that was deleted.
 * The same seed gives the same run.
 */
export interface ShuffleOptions {
  seed: number;
  /** How many of the oldest messages are mixed. 20 unless given. */
  window?: number;
  /** How many of the deleted messages come once more, from 0 to 1. 0.01 unless given. */
  duplicates?: number;
}

/** The chance that a queue is left to. */
export class Shuffle {
  readonly #random: () => number;
  readonly #window: number;
  readonly #duplicates: number;
  readonly #duplicated = new WeakSet<Message>();

  constructor({ seed, window = 20, duplicates = 0.01 }: ShuffleOptions) {
    this.#random = seededRandom(seed);
    this.#window = window;
    this.#duplicates = duplicates;
  }

  /** Picks one of the first messages of a list. */
  pick(first: Message): Message {
    let picked = first;
    let seen = 1;
    for (let message = first.next; message && seen < this.#window; message = message.next) {
      seen += 1;
      if (this.#random() * seen < 1) picked = message;
    }
    return picked;
  }

  /** Whether a message that is deleted comes once more. */
  duplicates(message: Message): boolean {
    if (this.#duplicated.has(message) || this.#random() >= this.#duplicates) return false;
    this.#duplicated.add(message);
    return true;
  }
}

/** Mulberry32: a small generator of even numbers from 0 to 1. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
