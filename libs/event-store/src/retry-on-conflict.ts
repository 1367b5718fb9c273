import { ConcurrencyConflictError } from './errors.ts';

export interface RetryOptions {
  maxAttempts?: number;
  sleep?: (ms: number) => Promise<void>;
  random?: () => number;
}

/**
 * Runs `attempt` (load, decide, append) again when another writer was faster, after a short pause with full jitter.
 * @throws ConcurrencyConflictError when it lost `maxAttempts` times; any other error at once.
 */
export async function retryOnConflict<Result>(
  attempt: () => Promise<Result>,
  options: RetryOptions = {},
): Promise<Result> {
  const { maxAttempts = 5, random = Math.random } = options;
  const sleep = options.sleep ?? ((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConcurrencyConflictError) || tries >= maxAttempts) throw error;
      await sleep(random() * 20 * 2 ** tries);
    }
  }
}
