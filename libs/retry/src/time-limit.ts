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

/** How long before the timeout of its function an invocation stops to retry what is busy, in ms: it has an answer to give then. */
const RESERVE_MS = 500;

/**
 * Runs `run` with the time of a Lambda invocation as its limit, but for half a second to answer in.
 *
 * @param context of the invocation
 * @returns what `run` returns
 * @example const answer = await withinInvocation(context, () => handle(event));
 */
export function withinInvocation<Result>(context: { getRemainingTimeInMillis(): number }, run: () => Result): Result {
  return withTimeLimit(() => context.getRemainingTimeInMillis() - RESERVE_MS, run);
}

/**
 * Returns how much time is left in ms; undefined where no limit is set.
 * @example if ((timeLeft() ?? Infinity) < 200) return;
 */
export function timeLeft(): number | undefined {
  return limits.getStore()?.();
}

/** Something was not done before the time limit. It may still be under way. */
export class TimeUpError extends Error {
  override readonly name = 'TimeUpError';
}

/**
 * Runs `run`, and waits for it until the time limit is over. Then it goes on, but without anyone to wait for it. It does not begin when
 * no time is left. Where no limit is set, it may take any time.
 *
 * @returns what `run` returns
 * @throws TimeUpError; what `run` throws
 * @example await withinInvocation(context, () => beforeTimeLimit(() => emitter.emit(events)));
 */
export async function beforeTimeLimit<Result>(run: () => Promise<Result>): Promise<Result> {
  const leftMs = timeLeft();
  if (leftMs === undefined) return run();
  const timeUp = () => new TimeUpError('The function was about to time out');
  if (leftMs <= 0) throw timeUp();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeUp()), leftMs);
  });
  try {
    return await Promise.race([run(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
