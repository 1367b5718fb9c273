import { basename } from 'node:path';
import {
  formatDuration,
  interruptible,
  jsonText,
  Progress,
  parseDuration,
  printable,
  readArguments,
  readEndpoint,
  readNumber,
  readStage,
  readTime,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import type { SweepSummary } from '@millrace/lineage/operations';
import { shownIdentifier } from '@millrace/privacy';
import { findWorkspaceRoot, readCatalogue, serviceDirectories } from '@millrace/workspace/catalogue';

const HELP = `Finds events that a service has stored and its relay has never emitted, and has the relay emit them.

Usage: npm run sweep -- [service] [options]

  --from <time>          stored since, e.g. 2026-01-31T12:00:00Z, or 3d for three days ago (3d)
  --to <time>            stored until (--grace ago)
  --grace <duration>     what was stored later is left to the relay, e.g. 90s or 10m (5m)
  --dry-run              list what would be emitted, and emit nothing
  --unlogged             emit those, too, of which the event log cannot tell: it does not keep their type, or no longer
  --segments <n>         parts of a table that are read side by side, 1 to 32 (4; 1 with --endpoint)
  --json                 one JSON object a line
  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help                 show this

Without a service it sweeps all that emit events. Run it whenever you like, as often as you like: it reads the whole table of a
service, asks the event log which of the events it has, and has the service's own relay emit the others. An event that is emitted
twice has the same id, and consumers ignore it.

Exit codes: 0 nothing is missing any more, or with --dry-run nothing is missing; 1 something is, or it failed; 2 misused;
130 interrupted.`;

const MAX_SEGMENTS = 32;

function readOptions() {
  return readArguments({
    options: {
      from: { type: 'string', default: '3d' },
      to: { type: 'string' },
      grace: { type: 'string', default: '5m' },
      'dry-run': { type: 'boolean', default: false },
      unlogged: { type: 'boolean', default: false },
      segments: { type: 'string' },
      json: { type: 'boolean', default: false },
      stage: { type: 'string', default: 'dev' },
      endpoint: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
}

const stop = interruptible(() => console.error('\nStopping: what is under way is finished …'));

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const now = new Date();
  const stage = readStage(values.stage);
  const endpoint = readEndpoint(values.endpoint);
  const grace = parseDuration(values.grace);
  const from = readTime('from', values.from, now);
  const to = values.to === undefined ? now : readTime('to', values.to, now);
  if (from >= to) throw new UsageError('--from must be before --to');
  const segments = readNumber('segments', values.segments, { minimum: 1, whole: true }) ?? (endpoint ? 1 : 4);
  if (segments > MAX_SEGMENTS) throw new UsageError(`--segments must be at most ${MAX_SEGMENTS}, not ${segments}`);
  const [name, ...others] = positionals;
  if (others.length > 0) throw new UsageError('sweep takes one service, or none for all');

  const root = findWorkspaceRoot(import.meta.dirname);
  const catalogue = await readCatalogue(root);
  const emitting = new Set(catalogue.flatMap(({ producers }) => producers.map(({ service }) => service)));
  const services = serviceDirectories(root)
    .map((folder) => basename(folder))
    .filter((service) => emitting.has(service));
  const chosen = name === undefined ? services : services.filter((service) => service === name);
  if (chosen.length === 0) throw new UsageError(`No service "${name}" emits events: ${services.join(', ')}`);

  const { openStage } = await import('@millrace/dead-letters/operations');
  const { openSweep, sweep } = await import('@millrace/lineage/operations');
  const opened = await openStage(stage, endpoint, console.error);
  let complete = true;
  for (const service of chosen) {
    if (stop.signal.aborted) return 130;
    const startedAt = opened.now();
    const { waiting, ...sources } = await openSweep({ ...opened, endpoint }, service, catalogue, {
      startedAt,
      signal: stop.signal,
    });
    const progress = new Progress(process.stderr, `sweep ${service}`);
    const lines: string[] = [];
    const swept = sweep({
      ...sources,
      windows: [{ from, to }],
      grace,
      now: startedAt,
      dryRun: values['dry-run'],
      emitUntold: values.unlogged,
      segments,
      signal: stop.signal,
      onEvent: ({ eventId, detailType, storedAt }, state, outcome) => {
        const event = {
          id: shownIdentifier(eventId),
          type: shownIdentifier(detailType),
          storedAt: storedAt.toISOString(),
        };
        if (values.json) lines.push(jsonText({ service, ...event, state, ...outcome }));
        else lines.push(lineOf(event, state, outcome));
      },
      onProgress: ({ scanned, stored, missing }) =>
        progress.update(
          0,
          `${scanned.toLocaleString('en')} items, ${stored.toLocaleString('en')} events, ${missing.toLocaleString('en')} missing`,
        ),
    });
    const summary = await swept
      .catch((error: Error) => {
        if (error.name !== 'ResourceNotFoundException') throw error;
        throw new UsageError(`There is no table millrace-${service}-${stage}: deploy services/${service}`);
      })
      .finally(() => progress.end());
    for (const line of lines) console.log(printable(line));
    for (const line of report(service, summary, { ...values, from, to, grace, waiting }))
      console.error(printable(line));
    complete &&= isComplete(summary, values['dry-run']);
  }
  if (stop.signal.aborted) return 130;
  return complete ? 0 : 1;
}

function lineOf(
  { id, type, storedAt }: { id: string; type: string; storedAt: string },
  state: string,
  outcome: { outcome: string; code?: string } | undefined,
): string {
  const became = outcome ? [outcome.outcome, outcome.code].filter(Boolean).join(': ') : state;
  return `${storedAt}  ${type}  ${id}  ${became}`;
}

/** What was asked, and what came of it. */
function report(
  service: string,
  summary: SweepSummary,
  asked: { from: Date; to: Date; grace: number; waiting: number; 'dry-run': boolean; unlogged: boolean },
): string[] {
  const { stored, known, young, missing, emitted, refused, failed, dead, untold, old, problem, interrupted } = summary;
  const number = (count: number): string => count.toLocaleString('en');
  const lines = [
    `${service}: stored from ${asked.from.toISOString()} to ${asked.to.toISOString()}: ${number(stored)} events, ${number(known)} known to the event log, ${number(missing)} missing`,
  ];
  if (!asked['dry-run'])
    lines.push(`${service}: ${number(emitted)} emitted, ${number(refused)} refused, ${number(failed)} failed`);
  if (young > 0) lines.push(`${number(young)} are younger than ${formatDuration(asked.grace)} and left to the relay`);
  if (dead + refused > 0)
    lines.push(
      `${number(dead + refused)} are in the relay's dead-letter queue: npm run redrive -- inspect ${service}.relay`,
    );
  if (untold > 0 && !asked.unlogged)
    lines.push(
      `${number(untold)} are of a type or an age that the event log does not keep: --unlogged emits them, too`,
    );
  if (old > 0)
    lines.push(
      `${number(old)} happened more than 29 days ago: consumers may not recognise them any more, so they stay`,
    );
  if (missing > 0 && asked.waiting > 0)
    lines.push(
      `The event log is behind, by about ${number(asked.waiting)} events: some of the missing may be among them`,
    );
  if (problem !== undefined) lines.push(`Stopped: ${problem}. Run it again`);
  if (interrupted) lines.push('Interrupted. Run it again');
  return lines;
}

/** Whether nothing is left of what can be swept. */
function isComplete({ missing, failed, refused, old, problem, interrupted }: SweepSummary, dryRun: boolean): boolean {
  if (interrupted || problem !== undefined || old > 0) return false;
  return dryRun ? missing === 0 : failed === 0 && refused === 0;
}

/** Runs the command. Events go to standard output, everything else to standard error. */
export const runSweep = () => runCommand('sweep', main, stop);
