/**
 * `npm run redrive`: what is in the dead-letter queues, why, and back with it. `npm run redrive -- --help` lists the
 * commands. Results go to standard output, everything else to standard error.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import {
  type Column,
  formatDuration,
  formatTable,
  interruptible,
  jsonText,
  Progress,
  parseDuration,
  printable,
  readArguments,
  readEndpoint,
  readNumber,
  readStage,
  runCommand,
  UsageError,
} from '@millrace/command-line';
import type { DeadLetter } from '@millrace/dead-letters';
import type {
  DrainOptions,
  DrainSummary,
  ImportedEvent,
  ImportProblem,
  LetterCriteria,
  LookSummary,
  OpenStage,
  ShownLetter,
} from '@millrace/dead-letters/operations';
import { findWorkspaceRoot, loadContracts, readCatalogue, serviceDirectories } from '@millrace/workspace/catalogue';

const GLOBAL_HELP = `  --stage <name>         stage (dev)
  --endpoint <url>       the local runtime, e.g. http://127.0.0.1:4566; otherwise AWS with its default credentials
  --help                 help on the command`;

const FILTER_HELP = `  --type <detail-type>   e.g. OrderPlaced.v1; may be repeated, as may --reason, --id and --correlation-id
  --reason <code>        e.g. SCHEMA_VIOLATION
  --id <id>              an event's metadata.id, or the id of its SQS message
  --correlation-id <id>
  --older-than <age>     since the letter was sent, e.g. 90s, 10m, 2h, 3d
  --newer-than <age>
  --pattern <json>       an EventBridge event pattern, e.g. '{"detail":{"data":{"currency":["EUR"]}}}'
  --limit <n>            this many letters at most`;

const ACTION_HELP = `  --dry-run              say what would be done, and do nothing
  --rate <n>             letters a second at most
  --concurrency <n>      receivers side by side (8)`;

const FILTERS = ['type', 'reason', 'id', 'correlation-id', 'older-than', 'newer-than', 'pattern', 'limit'] as const;
const ACTIONS = ['dry-run', 'rate', 'concurrency'] as const;

const OPTIONS = {
  stage: { type: 'string', default: 'dev' },
  endpoint: { type: 'string' },
  help: { type: 'boolean', default: false },
  type: { type: 'string', multiple: true },
  reason: { type: 'string', multiple: true },
  id: { type: 'string', multiple: true },
  'correlation-id': { type: 'string', multiple: true },
  'older-than': { type: 'string' },
  'newer-than': { type: 'string' },
  pattern: { type: 'string' },
  limit: { type: 'string' },
  'dry-run': { type: 'boolean' },
  rate: { type: 'string' },
  concurrency: { type: 'string' },
  json: { type: 'boolean' },
  reveal: { type: 'boolean' },
  all: { type: 'boolean' },
  sample: { type: 'string' },
  'exit-code': { type: 'boolean' },
  message: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

type Option = keyof typeof OPTIONS;

interface Command {
  usage: string;
  summary: string;
  help: string;
  /** What it takes besides the global ones. */
  options: readonly Option[];
  run: (values: Values, args: string[]) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  list: {
    usage: 'list',
    summary: 'every dead-letter queue of the stage: how many letters, how old, why',
    help: `  --all                  the empty ones, too
  --sample <n>           letters of each queue looked at for age and reasons (100; 0 receives none)
  --json                 as a JSON array
  --exit-code            exit with 1 when there is any letter`,
    options: ['all', 'sample', 'json', 'exit-code'],
    run: list,
  },
  inspect: {
    usage: 'inspect <queue>',
    summary: 'the letters of a queue',
    help: `${FILTER_HELP}
  --json                 one JSON object a line
  --reveal               the whole body and all attributes; they may hold personal data

Without --reveal an event is shown without the fields that its contract marks as personal, and of a body that satisfies
no contract nothing but its size.`,
    options: [...FILTERS, 'json', 'reveal'],
    run: show,
  },
  redrive: {
    usage: 'redrive <queue>',
    summary: 'sends letters back to the one queue that failed; has those of a relay emitted by it',
    help: `${FILTER_HELP}\n${ACTION_HELP}

A relay's letter that names positions of a stream instead of holding its event is a sweep of that time: what was stored then
and never emitted is emitted (npm run sweep).`,
    options: [...FILTERS, ...ACTIONS],
    run: (values, args) => act('redrive', values, args, redrive),
  },
  reemit: {
    usage: 'reemit <queue>',
    summary: 'puts the events back on the bus, for every consumer, through the re-emitter',
    help: `${FILTER_HELP}\n${ACTION_HELP}`,
    options: [...FILTERS, ...ACTIONS],
    run: (values, args) =>
      act('reemit', values, args, ({ operations, lambda }, operation) => operations.reemit(operation, lambda)),
  },
  park: {
    usage: 'park <queue>',
    summary: 'puts letters aside, into the parking queue; redrive brings them back',
    help: `  --message <text>       why\n${FILTER_HELP}\n${ACTION_HELP}`,
    options: [...FILTERS, ...ACTIONS, 'message'],
    run: (values, args) =>
      act('park', values, args, ({ operations }, operation) => operations.park(operation, values.message)),
  },
  purge: {
    usage: 'purge <queue>',
    summary: 'deletes letters for good',
    help: `  --yes                  do not ask\n${FILTER_HELP}\n${ACTION_HELP}`,
    options: [...FILTERS, ...ACTIONS, 'yes'],
    run: purgeAfterAsking,
  },
  export: {
    usage: 'export <queue> <file.ndjson>',
    summary: 'writes letters to a file, to be edited; they stay where they are',
    help: `${FILTER_HELP}

The file holds the events as they are, personal data included; only you can read it (mode 0600). Delete it afterwards.`,
    options: FILTERS,
    run: exportToFile,
  },
  import: {
    usage: 'import <file.ndjson>',
    summary: 'makes new events of those that were edited, and parks the old ones',
    help: '  --dry-run              only check the file',
    options: ['dry-run'],
    run: importFile,
  },
};

const HELP = `What is in the dead-letter queues, why, and back with it.

Usage: npm run redrive -- <command> [options]

${Object.values(COMMANDS)
  .map(({ usage, summary }) => `  ${usage.padEnd(30)}${summary}`)
  .join('\n')}

A queue is given by its name, by its consumer (inventory.onOrderPlaced), or by a part of its name that no other has;
"parking" is the parking queue.

${GLOBAL_HELP}

Exit codes: 0 all done, 1 something was left, parked instead or failed, 2 misused, 130 interrupted.`;

type Values = ReturnType<typeof readOptions>['values'];

function readOptions() {
  return readArguments({ options: OPTIONS, allowPositionals: true });
}

type Operations = typeof import('@millrace/dead-letters/operations');

interface Context extends OpenStage {
  operations: Operations;
  /** Of the local runtime, otherwise AWS. */
  endpoint: string | undefined;
  startedAt: Date;
}

async function connect(values: Values): Promise<Context> {
  const stage = readStage(values.stage);
  const endpoint = readEndpoint(values.endpoint);
  // Loaded when it is clear what is wanted: help and misuse would otherwise wait for the AWS SDK.
  const operations = await import('@millrace/dead-letters/operations');
  const opened = await operations.openStage(stage, endpoint, console.error);
  return { ...opened, operations, endpoint, startedAt: opened.now() };
}

function readCriteria(values: Values): LetterCriteria {
  const { type, reason, id, 'correlation-id': correlationId, pattern } = values;
  const { 'older-than': olderThan, 'newer-than': newerThan } = values;
  return {
    ...(type && { types: type }),
    ...(reason && { reasons: reason }),
    ...(id && { ids: id }),
    ...(correlationId && { correlationIds: correlationId }),
    ...(olderThan !== undefined && { olderThan: parseDuration(olderThan) }),
    ...(newerThan !== undefined && { newerThan: parseDuration(newerThan) }),
    ...(pattern !== undefined && { pattern }),
  };
}

function readLimit(values: Values): number | undefined {
  return readNumber('limit', values.limit, { minimum: 1, whole: true });
}

const stop = interruptible(() => console.error('\nStopping: what is under way is finished, the rest is given back …'));

async function list(values: Values): Promise<number> {
  const sample = readNumber('sample', values.sample, { minimum: 0, whole: true }) ?? 100;
  const { operations, sqs, queues, startedAt } = await connect(values);
  const overviews = await operations.listQueues(sqs, queues, { sample, startedAt, signal: stop.signal });
  const dead = overviews.reduce((sum, { depth }) => sum + depth, 0);
  const shown = values.all ? overviews : overviews.filter(({ depth }) => depth > 0);
  if (values.json) {
    console.log(jsonText(shown, 2));
  } else {
    if (shown.length > 0) {
      const columns: Column[] = [
        { title: 'QUEUE' },
        { title: 'LETTERS', align: 'right' },
        { title: 'IN FLIGHT', align: 'right' },
        { title: 'OLDEST', align: 'right' },
        { title: 'REASONS' },
      ];
      const rows = shown.map(({ queue, depth, inFlight, oldestSentAt, reasons, sampled }) => [
        queue,
        depth.toLocaleString('en'),
        inFlight === 0 ? '' : inFlight.toLocaleString('en'),
        oldestSentAt === undefined ? '' : age(new Date(oldestSentAt), startedAt),
        `${reasons.map(({ code, count }) => `${code} ×${count}`).join(', ')}${sampled < depth && sampled > 0 ? ` (of ${sampled} looked at)` : ''}`,
      ]);
      console.log(formatTable(columns, rows));
    }
    const full = overviews.filter(({ depth }) => depth > 0).length;
    console.error(`${letterCount(dead)} in ${full} of ${overviews.length} dead-letter queues`);
  }
  if (stop.signal.aborted) return 130;
  return values['exit-code'] && dead > 0 ? 1 : 0;
}

async function show(values: Values, [queueName = '']: string[]): Promise<number> {
  const criteria = readCriteria(values);
  const limit = readLimit(values);
  const { operations, sqs, queues, startedAt } = await connect(values);
  const queue = queues.find(queueName);
  const select = operations.letterFilter(criteria, startedAt);
  const reveal = values.reveal ?? false;
  const catalogue = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
  const contracts = reveal ? new Map() : await loadAllContracts();
  const consumerOf = (rule: string): string | undefined => {
    const consumer = operations.consumerOfRule(rule, queues.stage, catalogue);
    return consumer && `${consumer.service}.${consumer.function}`;
  };
  const letters: { letter: ShownLetter; content: string }[] = [];
  const look = { select, startedAt, limit, signal: stop.signal };
  const summary = await operations.inspect(sqs, queue, look, (letter) => {
    const shown = operations.shownLetter(letter, contracts, consumerOf);
    if (values.json) {
      console.log(jsonText({ queue: queue.name, ...(reveal ? revealedLetter(letter) : shown) }));
    } else {
      letters.push({ letter: shown, content: reveal ? letter.body : contentOf(shown) });
    }
  });
  letters.sort((a, b) => a.letter.sentAt.getTime() - b.letter.sentAt.getTime());
  for (const { letter, content } of letters) console.log(`${describeLetter(letter, content, startedAt)}\n`);
  sayWhatWasSeen(summary, operations.isFiltering(criteria), queue.name);
  return stop.signal.aborted ? 130 : 0;
}

/** A letter as a paragraph: why it is dead and what it is about first, then the ids to go on with. */
function describeLetter({ messageId, event, reason, sentAt, detail }: ShownLetter, content: string, now: Date): string {
  const { code, attempts, consumer, correlationId, message } = reason;
  const { subject } = (detail?.metadata ?? {}) as { subject?: string };
  const tries = attempts === undefined ? '' : `, ${counted(attempts, 'attempt', 'attempts')}`;
  const lines: [string, string | undefined][] = [
    ['about', subject],
    ['event', event?.id],
    ['consumer', consumer],
    ['message', messageId],
    ['correlation', correlationId],
  ];
  return [
    printable(`${code}  ${event?.detailType ?? 'not an event'}  ${age(sentAt, now)} old${tries}`),
    ...lines.flatMap(([name, text]) => (text === undefined ? [] : [`  ${name.padEnd(13)}${printable(text)}`])),
    ...(message ? [`  ${printable(message)}`] : []),
    `  ${printable(content)}`,
  ].join('\n');
}

/** The event's data, as far as they may be shown. */
function contentOf({ detail, bytes }: ShownLetter): string {
  return detail
    ? JSON.stringify(detail.data)
    : `${counted(bytes, 'byte', 'bytes')} that satisfy no contract (--reveal shows them)`;
}

/** Everything of a letter but its receipt handle, which is of no use any more. */
function revealedLetter({ receiptHandle: _, ...letter }: DeadLetter): object {
  return letter;
}

function loadAllContracts(): ReturnType<typeof loadContracts> {
  return loadContracts(serviceDirectories(findWorkspaceRoot(import.meta.dirname)));
}

function age(sentAt: Date, now: Date): string {
  return formatDuration(now.getTime() - sentAt.getTime());
}

function sayWhatWasSeen({ matched, found, unseen }: LookSummary, filtering: boolean, queue: string): void {
  const matching = filtering ? ` meant, of ${found.toLocaleString('en')} looked at` : '';
  console.error(`${letterCount(matched)}${matching} in ${queue}`);
  if (unseen > 0) console.error(unseenText(unseen));
}

function letterCount(count: number): string {
  return counted(count, 'letter', 'letters');
}

function counted(count: number, one: string, several: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : several}`;
}

function unseenText(unseen: number): string {
  return `about ${unseen.toLocaleString('en')} more could not be received: another look holds them, or letters before them in their message group do`;
}

type Operation = Parameters<Operations['purge']>[0];

/** Runs an operation with filters, shows how far it is, and says what it came to. */
async function act(
  name: string,
  values: Values,
  [queueName = '']: string[],
  run: (context: Context, operation: Operation) => Promise<DrainSummary>,
): Promise<number> {
  const criteria = readCriteria(values);
  const options = readPace(values);
  const context = await connect(values);
  const { operations, sqs, queues, startedAt } = context;
  const queue = queues.find(queueName);
  const progress = new Progress(process.stderr, name);
  const begun = performance.now();
  const summary = await run(context, {
    ...options,
    sqs,
    queues,
    queue,
    select: operations.letterFilter(criteria, startedAt),
    startedAt,
    dryRun: values['dry-run'] ?? false,
    signal: stop.signal,
    onProgress: ({ handled, total, waiting }) => {
      const perSecond = Math.round((handled * 1_000) / (performance.now() - begun));
      const numbers = `${handled.toLocaleString('en')} of ${total.toLocaleString('en')}, ${perSecond}/s`;
      progress.update(handled / total, waiting ? `${numbers}, waiting for letters that are in flight` : numbers);
    },
  });
  progress.end();
  sayWhatBecame(summary, queue.name);
  if (summary.interrupted) return 130;
  return operations.isComplete(summary) ? 0 : 1;
}

function readPace(values: Values): Pick<DrainOptions, 'limit' | 'rate' | 'concurrency'> {
  return {
    limit: readLimit(values),
    rate: readNumber('rate', values.rate, { minimum: 0.01 }),
    concurrency: readNumber('concurrency', values.concurrency, { minimum: 1, whole: true }),
  };
}

function sayWhatBecame(summary: DrainSummary, queue: string): void {
  const { done, left, failed, skipped, arrived, unseen, interrupted, problem, duration, waited, outcomes } = summary;
  for (const { text, count } of outcomes) console.log(`${count.toLocaleString('en').padStart(9)}  ${printable(text)}`);
  const handled = done + left + failed;
  const speed = handled === 0 ? '' : ` in ${duration.toFixed(1)} s, ${Math.round(handled / duration)}/s`;
  const waiting = waited === 0 ? '' : `, and ${waited.toFixed(1)} s of waiting`;
  console.error(`${letterCount(handled)} of ${queue}${speed}${waiting}`);
  if (skipped > 0) console.error(`${counted(skipped, 'other was', 'others were')} looked at, and left there`);
  if (arrived > 0) console.error(`${arrived.toLocaleString('en')} came in the meantime, and stay`);
  if (unseen > 0) console.error(`${unseenText(unseen)}. Run it again`);
  if (problem !== undefined)
    console.error(`Stopped: ${printable(problem)}. Whatever was not handled is still in the queue`);
  if (interrupted) console.error('Interrupted: whatever was not handled is still in the queue');
}

/** A relay's letters go to the relay, all others to the queue that failed. */
async function redrive(context: Context, operation: Operation): Promise<DrainSummary> {
  const { operations, queues, events, endpoint, now } = context;
  const service = operations.relayServiceOf(operation.queue, queues.stage);
  if (service === undefined) return operations.redrive(operation, operations.ruleMessageGroups(events));
  const { relayRepair } = await import('@millrace/lineage/operations');
  const catalogue = await readCatalogue(findWorkspaceRoot(import.meta.dirname));
  // As for npm run sweep: the local DynamoDB looks at its whole table for every page of a segment.
  const options = { segments: endpoint === undefined ? 4 : 1, signal: stop.signal };
  return operations.redriveRelay(operation, relayRepair(context, service, catalogue, now, options));
}

async function purgeAfterAsking(values: Values, args: string[]): Promise<number> {
  if (values.yes || values['dry-run'])
    return act('purge', values, args, ({ operations }, operation) => operations.purge(operation));
  if (!process.stdin.isTTY) throw new UsageError('purge deletes for good: say --yes when nobody is there to be asked');
  return act('purge', values, args, async ({ operations }, operation) => {
    const { purge } = operations;
    // Exactly the letters that were counted: others may arrive while the question stands.
    const asked = new Set<string>();
    const select = (letter: DeadLetter): boolean => {
      const meant = operation.select(letter);
      if (meant) asked.add(letter.messageId);
      return meant;
    };
    const found = await purge({ ...operation, select, dryRun: true, rate: undefined, onProgress: undefined });
    if (found.done === 0 || found.interrupted) return { ...found, outcomes: [] };
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const question = `Delete ${letterCount(found.done)} of ${operation.queue.name} for good? Type yes: `;
      const answer = await terminal.question(question, { signal: stop.signal }).catch(() => undefined);
      if (answer === undefined) return { ...found, done: 0, outcomes: [], interrupted: true };
      if (answer.trim() === 'yes') {
        return await purge({ ...operation, select: ({ messageId }) => asked.has(messageId) });
      }
      return { ...found, done: 0, left: found.done, outcomes: [{ text: 'left: not confirmed', count: found.done }] };
    } finally {
      terminal.close();
    }
  });
}

async function exportToFile(values: Values, [queueName = '', path = '']: string[]): Promise<number> {
  const criteria = readCriteria(values);
  const limit = readLimit(values);
  const { operations, sqs, queues, startedAt } = await connect(values);
  const queue = queues.find(queueName);
  const select = operations.letterFilter(criteria, startedAt);
  const summary = await operations.exportLetters(sqs, queue, path, { select, startedAt, limit, signal: stop.signal });
  sayWhatWasSeen(summary, operations.isFiltering(criteria), queue.name);
  console.error(
    `Written to ${path}, which may hold personal data and only you can read. Edit \`event\`, then: npm run redrive -- import ${path}`,
  );
  return summary.unseen > 0 ? 1 : 0;
}

async function importFile(values: Values, [path = '']: string[]): Promise<number> {
  const text = readFileSync(path, 'utf8');
  const dryRun = values['dry-run'] ?? false;
  const { operations, sqs, queues, startedAt } = await connect(values);
  const contracts = await loadAllContracts();
  const options = { startedAt, dryRun, signal: stop.signal };
  const { imported, unchanged, alreadyImported, problems, gone, failed } = await operations.importLetters(
    sqs,
    queues,
    text,
    contracts,
    options,
  );
  const say = ({ line, path: where, message }: ImportProblem): void => {
    console.error(printable(`${path}:${line}: ${[where, message].filter(Boolean).join(': ')}`));
  };
  problems.forEach(say);
  gone.forEach(say);
  failed.forEach(say);
  if (problems.length > 0) console.error('Nothing was imported');
  for (const { line, oldId, newId, queue } of imported) {
    console.log(`line ${line}: ${newId} ${dryRun ? 'would replace' : 'replaces'} ${oldId} in ${queue}`);
  }
  if (unchanged > 0) console.error(`${counted(unchanged, 'unedited line', 'unedited lines')}: their letters stay`);
  if (alreadyImported > 0) console.error(`${counted(alreadyImported, 'line', 'lines')} imported before`);
  if (!dryRun) sayWhatIsNext(imported);
  if (stop.signal.aborted) return 130;
  return problems.length + gone.length + failed.length > 0 ? 1 : 0;
}

function sayWhatIsNext(imported: readonly ImportedEvent[]): void {
  for (const [queue, events] of Map.groupBy(imported, ({ queue }) => queue)) {
    const ids = events.map(({ newId }) => `--id ${newId}`).join(' ');
    console.error(`
When only this consumer is to see the new events, because the others have handled the old ones:
  npm run redrive -- redrive ${queue} ${ids}
When every consumer is to see them:
  npm run redrive -- reemit ${queue} ${ids}`);
  }
}

async function main(): Promise<number> {
  const { values, positionals } = readOptions();
  const [name, ...args] = positionals;
  const command = name === undefined ? undefined : COMMANDS[name];
  if (name !== undefined && !command) {
    throw new UsageError(`There is no command "${name}": ${Object.keys(COMMANDS).join(', ')}`);
  }
  if (!command) {
    if (!values.help) throw new UsageError('Which command?');
    console.log(HELP);
    return 0;
  }
  if (values.help) {
    console.log(
      `${command.summary}\n\nUsage: npm run redrive -- ${command.usage} [options]\n\n${command.help}\n${GLOBAL_HELP}`,
    );
    return 0;
  }
  const strange = Object.keys(values).find(
    (option) => !['stage', 'endpoint', 'help', ...command.options].includes(option),
  );
  if (strange !== undefined) throw new UsageError(`${name} takes no --${strange}`);
  const wanted = command.usage.split(' ').slice(1);
  if (args.length < wanted.length) throw new UsageError(`${name} wants ${wanted[args.length]}`);
  if (args.length > wanted.length) throw new UsageError(`${name} does not know what "${args[wanted.length]}" is for`);
  return command.run(values, args);
}

await runCommand('redrive', async () => {
  try {
    return await main();
  } catch (error) {
    if (stop.signal.aborted) return 130;
    throw error;
  } finally {
    stop.dispose();
  }
});
