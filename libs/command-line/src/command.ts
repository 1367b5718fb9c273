import { explain } from './explain.ts';
import type { Interruption } from './interruption.ts';
import { printable } from './table.ts';
import { UsageError } from './usage-error.ts';

/**
 * Runs a command and sets the process's exit code: what `main` returns, 2 for a UsageError, 1 for any other error. Why it
 * could not be done goes to standard error.
 *
 * @param name of the npm script, e.g. `deploy`
 * @param stop what Ctrl-C stops: an error that comes of it is no failure, the exit code is 130
 * @example await runCommand('sweep', main, interruptible(() => console.error('Stopping …')));
 */
export async function runCommand(
  name: string,
  main: () => number | Promise<number>,
  stop?: Interruption,
): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (stop?.signal.aborted) {
      process.exitCode = 130;
      return;
    }
    const misused = error instanceof UsageError;
    // What AWS or a message says may hold anything.
    const reason = explain(error).split('\n').map(printable).join('\n');
    console.error(`${reason}${misused ? ` (npm run ${name} -- --help)` : ''}`);
    process.exitCode = misused ? 2 : 1;
  } finally {
    stop?.dispose();
  }
}
