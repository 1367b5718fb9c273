import { join } from 'node:path';
import { formatTable, readArguments, runCommand } from '@millrace/command-line';
import { hasDynoxide } from '../../test/dynamodb/dynoxide.ts';
import { SCOPE_VARIABLE } from '../../test/full-scale.ts';
import { runJest } from '../test/jest.ts';
import { type MeasuredRun, runMeasured } from '../test/measured-run.ts';

const HELP = `Runs every suite: those of npm test, those of full scale (test/full-scale.ts), simulated histories, and the embedded DynamoDB
beside another one.

Usage: npm run test:all -- [options]

  --full   as often as each command does by itself: 20,000 hostile inputs, 20 kills, 20 full disks, every statement of every role,
           20,000 requests to DynamoDB, five minutes of histories. That takes hours.
  --help   show this

A step that fails does not keep the next ones from running.

Exit codes: 0 all passed, 1 one failed, 2 misused.`;

const root = join(import.meta.dirname, '..', '..');

interface Step {
  name: string;
  run: () => Promise<MeasuredRun>;
  /** Why it cannot run here. */
  missing?: string;
}

/** A command of this repository. */
function command(name: string, ...args: string[]): Step {
  return {
    name: [`npm run ${name}`, ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    run: () => runMeasured(process.execPath, [join(root, 'scripts', `${name.replace(':', '-')}.ts`), ...args]),
  };
}

const suites: Step = {
  name: 'npm test, with the suites of full scale',
  run: () => runJest([], { [SCOPE_VARIABLE]: 'all' }),
};

function comparison(...args: string[]): Step {
  const step = command('test:dynamodb', ...args);
  return hasDynoxide() ? step : { ...step, missing: 'there is no other DynamoDB to compare with on this platform' };
}

/** Kills and full disks are among the suites, some of each. */
const few: readonly Step[] = [
  suites,
  command('test:simulation', '--histories', '500'),
  comparison('--operations', '3000', '--show', '0'),
];

const many: readonly Step[] = [
  suites,
  command('test:simulation', '--histories', '100000', '--cpu-seconds', '300'),
  comparison('--show', '0'),
  command('test:kills'),
  command('test:disk-full'),
  command('test:hostile'),
  command('test:roles'),
];

/** Runs the command; its exit code becomes that of the process. */
export const runTestAll = () =>
  runCommand('test:all', async () => {
    const { values } = readArguments({
      options: { full: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const runs: (MeasuredRun & { name: string })[] = [];
    for (const { name, run, missing } of values.full ? many : few) {
      console.error(`\n==> ${name}`);
      if (missing !== undefined) {
        console.error(`Left out: ${missing}`);
        continue;
      }
      const result = await run();
      runs.push({ name, ...result });
      if (result.exitCode === 130) break;
    }
    console.error(`\n${summaryOf(runs)}`);
    return runs.every(({ exitCode }) => exitCode === 0) ? 0 : 1;
  });

function summaryOf(runs: readonly (MeasuredRun & { name: string })[]): string {
  const sum = (values: readonly (number | undefined)[]): number | undefined =>
    values.reduce((total, value) => (total === undefined || value === undefined ? undefined : total + value), 0);
  const row = (name: string, wall: number | undefined, cpu: number | undefined, outcome: string): string[] => [
    outcome,
    name,
    wall?.toFixed(0) ?? '–',
    cpu?.toFixed(0) ?? '–',
  ];
  const right = { align: 'right' } as const;
  return formatTable(
    [{ title: '' }, { title: '' }, { title: 'seconds', ...right }, { title: 'of CPU', ...right }],
    [
      ...runs.map(({ name, wallSeconds, cpuSeconds, exitCode }) =>
        row(name, wallSeconds, cpuSeconds, exitCode === 0 ? 'passed' : 'FAILED'),
      ),
      row('all', sum(runs.map(({ wallSeconds }) => wallSeconds)), sum(runs.map(({ cpuSeconds }) => cpuSeconds)), ''),
    ],
  );
}
