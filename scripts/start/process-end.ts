import { readFileSync } from 'node:fs';

/** Impatience in ms: npm passes Ctrl-C on to a process that has already had it from the terminal. */
const SAME_REQUEST_MS = 1_000;
/** How often the parents are looked at, in ms. */
const WATCH_EVERY_MS = 500;

/**
 * Calls `end` when this process is to end: at Ctrl-C, SIGTERM or SIGHUP, when its parent has ended, and when its output is no
 * longer read. Asked again after a second, the process ends at once with exit code 130.
 *
 * @param end is called once, with the exit code
 * @returns a function that asks for the end from inside
 * @example
 * const shutDown = onProcessEnd(async (exitCode) => {
 *   await runtime.stop();
 *   process.exit(exitCode);
 * });
 */
export function onProcessEnd(end: (exitCode: number) => void): (exitCode: number) => void {
  let since: number | undefined;
  const request = (exitCode: number): void => {
    const now = performance.now();
    if (since === undefined) {
      since = now;
      end(exitCode);
    } else if (now - since > SAME_REQUEST_MS) {
      process.exit(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => request(0));
  // The parent, which forked this process, has ended.
  process.on('disconnect', () => request(0));
  for (const stream of [process.stdout, process.stderr]) {
    // The terminal is closed, or the other end of the pipe. What is still written fails as well, and asks for nothing more.
    stream.on('error', () => {
      if (since === undefined) request(0);
    });
  }
  if (process.env.npm_lifecycle_event === 'start') whenParentsEnd(() => request(0));
  return request;
}

/**
 * npm runs a script in a shell, which dies of the SIGTERM that npm passes on, and npm itself may be killed: this process is
 * then left to another parent, without a signal.
 */
function whenParentsEnd(ended: () => void): void {
  const parents = parentsNow();
  const timer = setInterval(() => {
    if (parentsNow().join() === parents.join()) return;
    clearInterval(timer);
    ended();
  }, WATCH_EVERY_MS);
  timer.unref();
}

/** The shell, and npm. */
function parentsNow(): number[] {
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, 'utf8');
    return [process.ppid, Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])];
  } catch {
    return [process.ppid]; // Not on Linux, or it has just ended.
  }
}
