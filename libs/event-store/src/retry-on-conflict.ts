import { type RetryOptions, retry } from '@millrace/retry';
import { ConcurrencyConflictError } from './errors.ts';

/**
 * Runs `attempt` (load, decide, append) again when another writer was faster, after a short pause with full jitter, until
 * the time of the function is up.
 *
 * @returns what the attempt returns that was not beaten
 * @throws ConcurrencyConflictError when others kept being faster; any other error at once
 * @example await retryOnConflict(async () => append(decide(command, await load())));
 */
export function retryOnConflict<Result>(attempt: () => Promise<Result>, options: RetryOptions = {}): Promise<Result> {
  return retry(attempt, { ...options, isRetryable: (error) => error instanceof ConcurrencyConflictError });
}
