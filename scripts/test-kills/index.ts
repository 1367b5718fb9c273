import { randomInt } from 'node:crypto';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { runKills } from '../../test/kills/kill-campaign.ts';
import { printCampaign } from './print-campaign.ts';

const HELP = `Kills the local cloud (SIGKILL) at random moments while customers place orders and a partner sends some, and starts it again on
its data directory. Then every accepted order must end, nothing may have happened twice, and the stock must be conserved.

Usage: npm run test:kills -- [options]

  --kills <number>   how many (20)
  --seed <number>    the moments of an earlier run (default: any)
  --help             show this

Exit codes: 0 all is as it must be, 1 something is not, 2 misused.`;

const KILLS = 20;

/** Runs the command; its exit code becomes that of the process. */
export const runTestKills = () =>
  runCommand('test:kills', async () => {
    const { values } = readArguments({
      options: { kills: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const kills = readNumber('kills', values.kills, { minimum: 1, whole: true }) ?? KILLS;
    const seed = readNumber('seed', values.seed, { minimum: 0, whole: true }) ?? randomInt(1_000_000);
    return printCampaign('kills', runKills, { times: kills, seed });
  });
