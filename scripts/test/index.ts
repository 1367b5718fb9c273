import { runCommand } from '@millrace/command-line';
import { runJest } from './jest.ts';
import { formatTimes } from './measured-run.ts';

/** Runs the command; its exit code becomes that of the process. Its arguments are those of Jest. */
export const runTest = () =>
  runCommand('test', async () => {
    const run = await runJest(process.argv.slice(2));
    console.error(`npm test took ${formatTimes(run)}`);
    return run.exitCode;
  });
