import { randomInt } from 'node:crypto';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { removeData, runKills } from '../../test/kills/kill-campaign.ts';

const HELP = `Kills the local cloud (SIGKILL) at random moments while customers place orders, and starts it again on its data directory.
Then every accepted order must end, nothing may have happened twice, and the stock must be conserved.

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
    console.log(`seed ${seed}`);
    const result = await runKills({ kills, seed, onProgress: (line) => console.log(line) });
    const { orders, violations, seconds, dataDirectory } = result;
    for (const violation of violations) console.error(`NOT AS IT MUST BE: ${violation}`);
    const summary = `${kills} kills, ${orders} orders, ${seconds.toFixed(0)} s`;
    console.log(`seed ${seed}, ${summary}: ${violations.length} violations`);
    if (violations.length === 0) await removeData(result);
    else console.error(`The data are kept in ${dataDirectory}`);
    return violations.length === 0 ? 0 : 1;
  });
