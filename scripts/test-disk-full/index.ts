import { randomInt } from 'node:crypto';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { runFullDisks } from '../../test/kills/disk-full-campaign.ts';
import { printCampaign } from '../test-kills/print-campaign.ts';

const HELP = `Fills the disk of the local cloud while customers place orders, and makes room again while it runs, or kills it (SIGKILL) and
starts it again on its data directory. Then every accepted order must end, nothing may have happened twice, and the stock must be conserved.

Usage: npm run test:disk-full -- [options]

  --times <number>   how often (20)
  --seed <number>    the moments of an earlier run (default: any)
  --help             show this

The disk is a limit on how far the process may write into its files, which needs no privileges, but Linux with prlimit.

Exit codes: 0 all is as it must be, 1 something is not, 2 misused.`;

const TIMES = 20;

/** Runs the command; its exit code becomes that of the process. */
export const runTestDiskFull = () =>
  runCommand('test:disk-full', async () => {
    const { values } = readArguments({
      options: { times: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const times = readNumber('times', values.times, { minimum: 1, whole: true }) ?? TIMES;
    const seed = readNumber('seed', values.seed, { minimum: 0, whole: true }) ?? randomInt(1_000_000);
    return printCampaign('full disks', runFullDisks, { times, seed });
  });
