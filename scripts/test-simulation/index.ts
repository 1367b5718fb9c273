import { readArguments, readNumber, runCommand, UsageError } from '@millrace/command-line';
import { type CampaignResult, describeFailure, runCampaign } from '../../test/simulation/campaign.ts';
import { type Occasion, occasions } from '../../test/simulation/plan.ts';
import { type SeededBug, seededBugs } from '../../test/simulation/seeded-bugs.ts';

const HELP = `Runs the real handlers of all services in simulated time, with crashes, duplicates, delays and lost answers, and
checks that money, stock, orders, mails and events are right at the end of each history. A history follows from its seed.

Usage: npm run test:simulation -- [options]

  --histories <number>    how many (500)
  --seed <number>         of the first; each further one has the next (1)
  --cpu-seconds <number>  begin no further history after so much CPU time
  --orders <number>       orders in a history at most (4)
  --faults <list>         what may go wrong: ${Object.keys(occasions).join(',')}, or none (all)
  --outage <minutes>      histories in which the payment provider is down for so long, under load: no dead letter, no cancelled
                          order, and as many charges as before one probe interval later (1 history)
  --bug <name>            break the system so; it should be found
  --seeded-bugs           break the system in each of ${seededBugs.length} ways, and expect --histories (100) to find every one
  --help                  show this

A failure is printed with its seed, as short as it can be made.

Exit codes: 0 everything holds (with --seeded-bugs: every bug was found), 1 something does not, 2 misused.`;

const HISTORIES = 500;
const HISTORIES_PER_BUG = 100;

/** Runs the command; its exit code becomes that of the process. */
export const runTestSimulation = () =>
  runCommand('test:simulation', async () => {
    const { values } = readArguments({
      options: {
        histories: { type: 'string' },
        seed: { type: 'string' },
        'cpu-seconds': { type: 'string' },
        orders: { type: 'string' },
        faults: { type: 'string' },
        outage: { type: 'string' },
        bug: { type: 'string' },
        'seeded-bugs': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const histories = readNumber('histories', values.histories, { minimum: 1, whole: true });
    const options = {
      seed: readNumber('seed', values.seed, { minimum: 0, whole: true }) ?? 1,
      cpuSeconds: readNumber('cpu-seconds', values['cpu-seconds'], { minimum: 1 }),
      orders: readNumber('orders', values.orders, { minimum: 1, whole: true }),
      kinds: readFaults(values.faults),
      outageMinutes: readNumber('outage', values.outage, { minimum: 1, whole: true }),
    };
    if (values['seeded-bugs']) {
      return findSeededBugs({ ...options, histories: histories ?? HISTORIES_PER_BUG });
    }
    const bug = values.bug === undefined ? undefined : bugNamed(values.bug);
    const outageMinutes = options.outageMinutes ?? bug?.outageMinutes;
    const result = await runCampaign({
      ...options,
      outageMinutes,
      histories: histories ?? (outageMinutes === undefined ? HISTORIES : 1),
      sabotage: bug?.sabotage,
    });
    const again = ['orders', 'faults', 'outage', 'bug'] as const;
    const rest = again.map((name) => (values[name] === undefined ? '' : ` --${name} ${values[name]}`)).join('');
    for (const failure of result.failures) console.error(describeFailure(failure, rest));
    console.log(summary(result));
    return result.failures.length === 0 ? 0 : 1;
  });

async function findSeededBugs(options: Parameters<typeof runCampaign>[0]): Promise<number> {
  const { Simulator } = await import('../../test/simulation/history.ts');
  const simulator = await Simulator.start();
  let missed = 0;
  let longest = 0;
  for (const { name, mistake, sabotage, outageMinutes } of seededBugs) {
    const campaign = outageMinutes === undefined ? options : { ...options, outageMinutes, histories: 1 };
    const { failures, histories } = await runCampaign({ ...campaign, sabotage, shrinks: false }, simulator);
    const [failure] = failures;
    longest = Math.max(longest, histories);
    if (failure) {
      console.log(`found   ${name}, in history ${histories}: ${failure.shortest.violations[0]}`);
    } else {
      missed += 1;
      console.error(`MISSED  ${name}, in ${histories} histories: ${mistake}`);
    }
  }
  console.log(`${seededBugs.length - missed} of ${seededBugs.length} seeded bugs found`);
  const unbroken = await runCampaign({ ...options, histories: longest }, simulator);
  for (const failure of unbroken.failures) console.error(describeFailure(failure));
  if (unbroken.failures.length === 0) console.log(`the unbroken system passes these ${unbroken.histories} histories`);
  return missed === 0 && unbroken.failures.length === 0 ? 0 : 1;
}

function readFaults(text: string | undefined): Occasion[] | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    if (Object.hasOwn(occasions, name)) return name as Occasion;
    throw new UsageError(`--faults must be none or a list of ${Object.keys(occasions).join(', ')}, not "${name}"`);
  });
}

function bugNamed(name: string): SeededBug {
  const bug = seededBugs.find((each) => each.name === name);
  if (bug) return bug;
  throw new UsageError(`There is no bug "${name}": use one of ${seededBugs.map((each) => each.name).join(', ')}`);
}

function summary({ histories, orders, faults, steps, cpuSeconds, failures, digest }: CampaignResult): string {
  return [
    `${histories} histories: ${orders} orders, ${faults} faults, ${steps} steps in ${cpuSeconds.toFixed(1)} CPU seconds`,
    `digest ${digest}`,
    failures.length === 0 ? 'Everything holds.' : `${failures.length} histories failed.`,
  ].join('\n');
}
