import { AsyncLocalStorage } from 'node:async_hooks';

const limits = new AsyncLocalStorage<() => number>();

/**
 * Runs `run` with a time limit. It holds for everything that `run` calls and awaits, so that no adapter has to pass it on.
 *
 * @param remainingMs how much time is left at the moment of the call, in ms
 * @returns what `run` returns
 * @example await withTimeLimit(() => context.getRemainingTimeInMillis() - 500, () => handle(event));
 */
export function withTimeLimit<Result>(remainingMs: () => number, run: () => Result): Result {
  return limits.run(remainingMs, run);
}

/**
 * Returns how much time is left in ms; undefined where no limit is set.
 * @example if ((timeLeft() ?? Infinity) < 200) return;
 */
export function timeLeft(): number | undefined {
  return limits.getStore()?.();
}
