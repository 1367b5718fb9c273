/** What stops a command. */
export interface Interruption {
  signal: AbortSignal;
  /** Ends listening, so that the process can end. */
  dispose: () => void;
}

/** Impatience in ms: npm passes Ctrl-C on to a process that has already had it from the terminal. */
const SAME_WISH_MS = 1_000;

/**
 * Aborts at Ctrl-C, at a termination and when nobody reads the output any more. Asked again, the process ends at once.
 *
 * @param onFirst says that what is under way is being finished
 */
export function interruptible(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let since: number | undefined;
  const interrupt = (): void => {
    const now = performance.now();
    if (since === undefined) {
      since = now;
      controller.abort();
      onFirst();
    } else if (now - since > SAME_WISH_MS) {
      process.exit(130);
    }
  };
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.stdout.on('error', onOutputError);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    },
  };
}
