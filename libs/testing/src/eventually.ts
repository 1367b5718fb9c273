/**
 * Waits until `check` no longer throws and returns what it returned.
 * The deadline is generous by default: only a test that fails waits for it, and machines are busy.
 * @throws the last error of `check` when the deadline (in ms) has passed; the reason of `signal` once it is aborted.
 */
export async function eventually<Result>(
  check: () => Result | Promise<Result>,
  {
    deadlineMs = 30_000,
    intervalMs = 20,
    signal,
  }: { deadlineMs?: number; intervalMs?: number; signal?: AbortSignal } = {},
): Promise<Result> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      signal?.throwIfAborted();
      if (Date.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  }
}
