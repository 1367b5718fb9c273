import { randomInt } from 'node:crypto';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { runCampaign } from '../../test/hostile/campaign.ts';

const HELP = `Starts the services on free ports, sends them hostile inputs by every way in, and sees that each is accounted for.

Usage: npm run test:hostile -- [options]

  --inputs <number>   how many (20000); memory is judged from 5,000 on
  --seed <number>     makes the inputs of an earlier run again (default: any)
  --help              show this

Inputs that were not dealt with as they must be are written to .millrace/hostile.

Exit codes: 0 everything is accounted for, 1 something is not, 2 misused.`;

const INPUTS = 20_000;
const REEMISSIONS = 200;

/** Runs the command; its exit code becomes that of the process. */
export const runTestHostile = () =>
  runCommand('test:hostile', async () => {
    const { values } = readArguments({
      options: {
        inputs: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const inputs = readNumber('inputs', values.inputs, { minimum: 1, whole: true }) ?? INPUTS;
    const seed = readNumber('seed', values.seed, { minimum: 0, whole: true }) ?? randomInt(1_000_000);
    console.log(`seed ${seed}`);
    const { tally, violations, files, memory, seconds } = await runCampaign({
      inputs,
      seed,
      reemissions: REEMISSIONS,
      onProgress: (line) => console.log(line),
    });
    console.log(['', ...tally.lines(), ''].join('\n'));
    console.log(`seed ${seed}, ${inputs} inputs, ${(inputs / seconds).toFixed(0)} a second`);
    console.log(
      `memory after three fifths of the inputs ${memory.before.toFixed(0)} MiB; at the end ${memory.after.toFixed(0)} MiB`,
    );
    for (const { what } of violations.slice(0, 50)) console.error(`NOT AS IT MUST BE: ${what}`);
    for (const file of files) console.error(`see ${file}`);
    console.log(violations.length === 0 ? 'Everything is accounted for.' : `${violations.length} violations`);
    return violations.length === 0 ? 0 : 1;
  });
