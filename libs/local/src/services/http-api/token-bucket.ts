/** How many requests a route takes. */
export interface RouteLimit {
  /** Requests a second that go on for ever. */
  rate: number;
  /** Requests that may come at once. */
  burst: number;
}

/** Tokens that come back at a steady rate: each request takes one, and is refused when there is none. https://en.wikipedia.org/wiki/Token_bucket */
export class TokenBucket {
  readonly #limit: RouteLimit;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds */
  constructor(limit: RouteLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#tokens = limit.burst;
    this.#filledAt = now();
  }

  /** @returns whether there was a token */
  take(): boolean {
    const now = this.#now();
    const seconds = Math.max(0, now - this.#filledAt) / 1000;
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + seconds * this.#limit.rate);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
