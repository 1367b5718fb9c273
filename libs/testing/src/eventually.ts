/**
 * A function that a busy machine leaves too little time ends at its timeout, and its messages come back after the visibility timeout of
 * their queue, a minute. That may happen twice.
 */
const DEADLINE_MS = 180_000;

/**
 * Waits until `check` no longer throws and returns what it returned.
 * The deadline is generous by default: only a test that fails waits for it, and machines are busy. It asks every
 * `intervalMs`, and less often the longer it has waited, because what it waits for shares the machine with it: by then an
 * eighth of the time more is not missed.
 * @throws the last error of `check` when the deadline (in ms) has passed; the reason of `signal` once it is aborted.
 */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  {
    deadlineMs = DEADLINE_MS,
    intervalMs = 20,
    signal,
  }: { deadlineMs?: number; intervalMs?: number; signal?: AbortSignal } = {},
): Promise<Result> {
  const start = Date.now();
  const deadline = start + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      signal?.throwIfAborted();
      const now = Date.now();
      if (now >= deadline) throw error;
      const interval = Math.max(intervalMs, Math.min((now - start) / 8, deadline - now));
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
  }
}
