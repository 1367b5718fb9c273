/**
 * `npm run bench:pipeline`: one event's way, PutEvents, rule, queue, function, table, on the local cloud and on MiniStack.
 * `npm run bench:pipeline -- --help` lists what can be set.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { formatTable, interruptible, readArguments, readNumber, runCommand } from '@millrace/command-line';
import { startPipelineOnMiniStack } from '../ministack/pipeline.ts';
import { commitOf, revisionOf } from './checkout.ts';
import { number } from './comparison.ts';
import { addRow } from './performance-page.ts';
import { measurePipeline, type PipelineFigures, type PipelineOptions, untilPipelineRuns } from './pipeline-load.ts';
import { percentile } from './statistics.ts';
import { startVersion } from './version.ts';

const HELP = `Measures one event's way, PutEvents → rule → SQS → Lambda → DynamoDB: events/s and the time from PutEvents to the item in the
table, on the local cloud and on the newest MiniStack, one after the other.

Usage: npm run bench:pipeline -- [options]

  --events <n>      events put under load (20000)
  --seconds <n>     after so long no more are put: one of the two may be slow (20)
  --in-flight <n>   events on their way at once under load (400)
  --warm-up <n>     events put first and not counted (5000)
  --lone <n>        events put one at a time (300)
  --local           measure the local cloud alone; MiniStack needs Python 3.11 or later
  --record          add a row to docs/performance.md
  --help            show this

Exit codes: 0 done, 1 an event was lost, or something failed, 2 misused, 130 interrupted.`;

const root = join(import.meta.dirname, '..', '..');
/** Of `docs/performance.md`. */
const HEADING = 'One pipeline';
/** What the local cloud is to reach on two cores. */
const GOAL = { eventsPerSecond: 2_500, p50Ms: 3 };

interface Line {
  title: string;
  of: (figures: PipelineFigures) => number;
  digits: number;
  /** More of it is better. */
  isRate?: boolean;
}

const lines: readonly Line[] = [
  { title: 'events/s', of: ({ eventsPerSecond }) => eventsPerSecond, digits: 0, isRate: true },
  { title: 'lone event p50 ms', of: ({ lone }) => percentile(lone, 0.5), digits: 1 },
  { title: 'lone event p99 ms', of: ({ lone }) => percentile(lone, 0.99), digits: 1 },
  { title: 'under load p50 ms', of: ({ times }) => percentile(times, 0.5), digits: 0 },
  { title: 'under load p99 ms', of: ({ times }) => percentile(times, 0.99), digits: 0 },
];

const stop = interruptible(() => console.error('Stopping …'));
await runCommand('bench:pipeline', main, stop);

async function main(): Promise<number> {
  const { values } = readArguments({
    options: {
      events: { type: 'string' },
      seconds: { type: 'string' },
      'in-flight': { type: 'string' },
      'warm-up': { type: 'string' },
      lone: { type: 'string' },
      local: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const count = { minimum: 1, whole: true };
  const options: PipelineOptions = {
    events: readNumber('events', values.events, count) ?? 20_000,
    seconds: readNumber('seconds', values.seconds, { minimum: 1 }) ?? 20,
    inFlight: readNumber('in-flight', values['in-flight'], { minimum: 10, whole: true }) ?? 400,
    warmUp: readNumber('warm-up', values['warm-up'], count) ?? 5_000,
    lone: readNumber('lone', values.lone, count) ?? 300,
  };
  if (values.record && (await revisionOf(root)).isChanged) {
    throw new Error(
      'Some files are not committed (git status), and a row names the commit that was measured: commit them first',
    );
  }
  console.log(machine());
  const local = await measureLocal(options);
  const ministack = values.local ? undefined : await measureMiniStack(options);
  print(local, ministack);
  if (values.record) await writeRow(local, ministack?.figures);
  const all = [local, ...(ministack ? [ministack.figures] : [])];
  return all.every(({ put, stored }) => put === stored) ? 0 : 1;
}

async function measureLocal(options: PipelineOptions): Promise<PipelineFigures> {
  const service = join(root, 'test', 'fixtures', 'pipeline');
  await using cloud = await startVersion({ checkout: root, args: ['--cold', '--service', service] }, stop.signal);
  return await measurePipeline(cloud.awsUrl, options, stop.signal);
}

async function measureMiniStack(options: PipelineOptions): Promise<{ figures: PipelineFigures; version: string }> {
  await using cloud = await startPipelineOnMiniStack((line) => console.error(`${line} …`));
  await untilPipelineRuns(cloud.url, stop.signal);
  return { figures: await measurePipeline(cloud.url, options, stop.signal), version: cloud.version };
}

function print(local: PipelineFigures, ministack: { figures: PipelineFigures; version: string } | undefined): void {
  const right = { align: 'right' } as const;
  const others = ministack
    ? [
        { title: `MiniStack ${ministack.version}`, ...right },
        { title: 'ratio', ...right },
      ]
    : [];
  const rows = lines.map(({ title, of, digits, isRate }) => {
    const ours = of(local);
    if (!ministack) return [title, number(ours, digits)];
    const theirs = of(ministack.figures);
    return [
      title,
      number(ours, digits),
      number(theirs, digits),
      `${number(isRate ? ours / theirs : theirs / ours, 1)} ×`,
    ];
  });
  console.log(`\n${formatTable([{ title: '' }, { title: 'local cloud', ...right }, ...others], rows)}\n`);
  for (const [name, figures] of [
    ['local cloud', local],
    ['MiniStack', ministack?.figures],
  ] as const) {
    if (figures) console.log(`${name}: ${figures.stored} of ${figures.put} events are in the table`);
  }
  const p50 = percentile(local.lone, 0.5);
  const isReached = local.eventsPerSecond >= GOAL.eventsPerSecond && p50 <= GOAL.p50Ms;
  console.log(
    `goal of ${GOAL.eventsPerSecond} events/s and a p50 of ${GOAL.p50Ms} ms: ${isReached ? 'reached' : 'missed'}`,
  );
}

async function writeRow(local: PipelineFigures, ministack: PipelineFigures | undefined): Promise<void> {
  const { commit, date } = await commitOf(root, 'HEAD');
  addRow(HEADING, {
    Commit: `\`${commit}\``,
    Date: date.slice(0, 16).replace('T', ' '),
    'Events/s': number(local.eventsPerSecond, 0),
    '× MiniStack': number(ministack && local.eventsPerSecond / ministack.eventsPerSecond, 1),
    'Lone p50 ms': number(percentile(local.lone, 0.5), 1),
    'Lone p99 ms': number(percentile(local.lone, 0.99), 1),
    'Load p50 ms': number(percentile(local.times, 0.5), 0),
    Machine: machine(),
  });
  console.error(`docs/performance.md has a row of ${commit}`);
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node ${process.versions.node}`;
}
