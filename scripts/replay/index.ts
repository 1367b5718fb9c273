import {
  formatTable,
  interruptible,
  Progress,
  readArguments,
  readEndpoint,
  readStage,
  readTime,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import type { ReplayPlan } from '@millrace/dead-letters/operations';
import { findWorkspaceRoot, readCatalogue } from '@millrace/workspace/catalogue';

const HELP = `Replays archived events to the bus they were on. Consumers take them for duplicates and ignore them, unless their
\`consume\` says otherwise.

Usage: npm run replay -- --from <time> [options]
       npm run replay -- --cancel <name>

  --from <time>          e.g. 2026-01-31T12:00:00Z, or 2h for two hours ago
  --to <time>            (now)
  --events <types>       to the rules that can match these, e.g. OrderPlaced.v1,OrderCancelled.v1
  --rules <names>        to these rules or consumers, e.g. inventory.onOrderPlaced
  --archive <name>       (the one archive of the bus)
  --name <name>          of the replay (replay-<time>)
  --dry-run              say what would be replayed to whom, and do nothing
  --cancel <name>        stop a replay
  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help                 show this

Exit codes: 0 completed, 1 failed or cancelled, 2 misused, 130 no longer watched: the replay goes on.`;

/** Events of the log that are counted at most: each megabyte of the index is a request. */
const MAX_COUNTED = 100_000;

/** At AWS an event is in its archive only after some minutes. */
const ARCHIVE_DELAY_MS = 10 * 60_000;

const MODES: Readonly<Record<string, string>> = {
  ignore: 'ignores replayed events',
  handle: 'handles them; what it has handled before is a duplicate',
  rebuild: 'builds its projection anew from them',
};

function readOptions() {
  return readArguments({
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      events: { type: 'string' },
      rules: { type: 'string' },
      archive: { type: 'string' },
      name: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      cancel: { type: 'string' },
      stage: { type: 'string', default: 'dev' },
      endpoint: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

function readNames(flag: string, value: string | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new UsageError(`--${flag} must be names with commas between them, not "${value}"`);
  return names;
}

function describePlan({ name, archive, bus, from, to, rules, filtered }: ReplayPlan): string {
  const rows = rules.map(({ name, consumer, replays = '', events }) => [
    name,
    consumer ?? '–',
    MODES[replays] ?? replays,
    events.join(', '),
  ]);
  const columns = ['RULE', 'CONSUMER', 'REPLAYS', 'EVENTS ASKED FOR'].map((title) => ({ title }));
  const shown = rules.some(({ events }) => events.length > 0) ? columns : columns.slice(0, 3);
  return `Replay ${name}: the events of ${from.toISOString()} to ${to.toISOString()}, from archive ${archive.name} to ${
    filtered ? (rules.length === 1 ? 'one rule' : `${rules.length} rules`) : 'every rule'
  } of bus ${bus.name}

${formatTable(shown, rows)}
`;
}

async function main(): Promise<number> {
  const values = readOptions();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const stage = readStage(values.stage);
  const endpoint = readEndpoint(values.endpoint);
  if (values.cancel !== undefined) {
    const { operations, events } = await connect(stage, endpoint);
    await operations.cancelReplay(events, values.cancel);
    console.log(`${values.cancel} is being cancelled; what it has replayed stays so`);
    return 0;
  }

  const now = new Date();
  if (values.from === undefined) throw new UsageError('--from is missing');
  const request = {
    stage,
    from: readTime('from', values.from, now),
    to: values.to === undefined ? now : readTime('to', values.to, now),
    events: readNames('events', values.events),
    rules: readNames('rules', values.rules),
    archive: values.archive,
    name: values.name ?? `replay-${now.toISOString().replaceAll(':', '-').replace('.', '-')}`,
  };
  const connection = await connect(stage, endpoint);
  const { operations, events } = connection;
  const plan = await operations.planReplay(
    events,
    request,
    await readCatalogue(findWorkspaceRoot(import.meta.dirname)),
  );
  console.log(describePlan(plan));
  if (request.events !== undefined) {
    console.log('EventBridge restricts a replay to rules, not to events: these rules get all that they match.');
  }
  if (endpoint === undefined && now.getTime() - plan.to.getTime() < ARCHIVE_DELAY_MS) {
    console.log('Events of the last ten minutes may not be in the archive yet.');
  }
  const expected = await countEvents(plan, stage, endpoint);
  console.log(expected);
  if (values['dry-run']) return 0;
  await operations.startReplay(events, plan);
  const exitCode = await watch(connection, plan);
  if (exitCode === 0) console.log(expected);
  return exitCode;
}

/** EventBridge does not say how many events a replay has: the event log has all that were on the bus. */
async function countEvents(
  { from, to, rules, filtered }: ReplayPlan,
  stage: string,
  endpoint?: string,
): Promise<string> {
  const { askEventLog } = await import('@millrace/lineage/operations');
  try {
    const { counts, truncated } = await askEventLog(stage, endpoint, (log) =>
      log.countByType({ from, to }, MAX_COUNTED),
    );
    const matched = new Set(rules.flatMap(({ matches }) => matches));
    const replayed = [...counts].filter(([type]) => !filtered || matched.has(type));
    const total = replayed.reduce((sum, [, count]) => sum + count, 0);
    const types = replayed.map(([type, count]) => `${type} ×${count.toLocaleString('en')}`).join(', ');
    return `By the event log: ${truncated ? 'more than ' : ''}${total.toLocaleString('en')} ${total === 1 ? 'event' : 'events'}${types && ` (${types})`}`;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return `How many events that are is unknown: ${error.message}`;
  }
}

type Operations = typeof import('@millrace/dead-letters/operations');
type Connection = Pick<ReturnType<Operations['createClients']>, 'events'> & { operations: Operations };

/** Loaded when it is clear what is wanted: help and misuse would otherwise wait for the AWS SDK. */
async function connect(stage: string, endpoint: string | undefined): Promise<Connection> {
  const operations = await import('@millrace/dead-letters/operations');
  const clients = operations.createClients(endpoint);
  console.error(`Asking ${await operations.describeTarget(stage, endpoint, { clients })}`);
  return { operations, events: clients.events };
}

async function watch({ operations, events }: Connection, { name, from, to }: ReplayPlan): Promise<number> {
  const progress = new Progress(process.stderr, 'replay');
  const stop = interruptible(() => {});
  const span = to.getTime() - from.getTime();
  const last = await operations.watchReplay(
    events,
    name,
    ({ state, lastReplayed }) => {
      const done = state === 'COMPLETED' ? to : (lastReplayed ?? from);
      const text = lastReplayed ? `${state}, at ${lastReplayed.toISOString()}` : state;
      progress.update((done.getTime() - from.getTime()) / span, text);
    },
    stop.signal,
  );
  progress.end();
  stop.dispose();
  if (last.state === 'COMPLETED') {
    console.log(`${name} is complete`);
    return 0;
  }
  if (stop.signal.aborted) {
    console.log(`${name} goes on; to stop it: npm run replay -- --cancel ${name}`);
    return 130;
  }
  console.error(
    `${name} ${last.state === 'FAILED' ? 'failed' : 'was cancelled'}${last.reason ? `: ${last.reason}` : ''}`,
  );
  return 1;
}

/** Runs the command; its exit code becomes that of the process. */
export const runReplay = () => runCommand('replay', main);
