import { timeLeft } from './time-limit.ts';

export interface RetryOptions {
  /** How often to try in all; unless given, until the time is up. */
  maxAttempts?: number;
  /** For tests to replace. */
  sleep?: (ms: number) => Promise<void>;
  random?: () => number;
}

/** For how long a call is retried where no time limit is set. */
const DEFAULT_LIMIT_MS = 5_000;
/** An attempt is expected to take as long as the one before, and this long at least. */
const SHORTEST_ATTEMPT_MS = 200;
const FIRST_BOUND_MS = 40;
const LONGEST_BOUND_MS = 1_000;

/**
 * Runs `attempt` until it succeeds, after pauses with full jitter below a growing bound.
 *
 * @returns what `attempt` returns
 * @throws an error that is not retryable at once; the last one when `maxAttempts` are used up, or when another attempt
 *   would not end within the time limit
 * @example await retry(() => client.send(command), { isRetryable: (error) => error instanceof StoreBusyError });
 */
export async function retry<Result>(
  attempt: () => Promise<Result>,
  options: RetryOptions & { isRetryable: (error: unknown) => boolean },
): Promise<Result> {
  const { isRetryable, maxAttempts = Number.POSITIVE_INFINITY, random = Math.random } = options;
  const sleep = options.sleep ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
  let defaultLimitMs = DEFAULT_LIMIT_MS;
  for (let attempts = 1; ; attempts += 1) {
    const startedAt = performance.now();
    try {
      return await attempt();
    } catch (error) {
      if (!isRetryable(error) || attempts >= maxAttempts) throw error;
      const tookMs = performance.now() - startedAt;
      const pauseMs = fullJitter(attempts, { random, firstBound: FIRST_BOUND_MS, longestBound: LONGEST_BOUND_MS });
      defaultLimitMs -= tookMs + pauseMs;
      const leftMs = (timeLeft() ?? defaultLimitMs + pauseMs) - pauseMs;
      if (leftMs < Math.max(SHORTEST_ATTEMPT_MS, tookMs)) throw error;
      await sleep(pauseMs);
    }
  }
}

/** How the pauses between attempts grow, in a unit of your choice. */
interface Backoff {
  firstBound: number;
  longestBound: number;
}

/**
 * Returns the longest pause after an attempt: it doubles with each attempt, up to `longestBound`.
 * @param attempts how many there have been; 1 or more
 * @example backoffBound(3, { firstBound: 2, longestBound: 300 }); // 8
 */
export function backoffBound(attempts: number, { firstBound, longestBound }: Backoff): number {
  return Math.min(longestBound, firstBound * 2 ** (attempts - 1));
}

/**
 * Returns a random pause below `backoffBound`.
 * @param attempts how many there have been; 1 or more
 * @example fullJitter(3, { random: Math.random, firstBound: 2, longestBound: 300 }); // 0 to 8
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function fullJitter(attempts: number, { random, ...backoff }: Backoff & { random: () => number }): number {
  return random() * backoffBound(attempts, backoff);
}

/**
 * Returns a random pause between half of `backoffBound` and all of it.
 * @param attempts how many there have been; 1 or more
 * @example equalJitter(3, { random: Math.random, firstBound: 2, longestBound: 300 }); // 4 to 8
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function equalJitter(attempts: number, { random, ...backoff }: Backoff & { random: () => number }): number {
  return (backoffBound(attempts, backoff) * (1 + random())) / 2;
}
