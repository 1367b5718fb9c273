/**
 * `npm run bench`: starts the local cloud, places orders from a closed loop (each client places its next order when
 * its last one is confirmed), and prints what came of it. `npm run bench -- --help` lists what can be set.
 */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { interruptible, runCommand } from '@millrace/command-line';
import { FEW_STORED, HELP, readOptions } from './bench-options.ts';
import { checkOut, commitOf, revisionOf } from './checkout.ts';
import { comparisonTable, measureByTurns, number, type Rounds, ratioOf, type Subject, typical } from './comparison.ts';
import { type LoadOptions, measureOrders, type OrderFigures, percentiles } from './order-load.ts';
import { addRow, lastCommit } from './performance-page.ts';
import { storedSubjects } from './stored-orders.ts';
import { startVersion } from './version.ts';

const root = join(import.meta.dirname, '..', '..');
/** Of `docs/performance.md`. */
const HEADING = 'Orders';

const stop = interruptible(() => console.error('Stopping …'));
await runCommand('bench', main, stop);

async function main(): Promise<number> {
  const { help, ref, compare, record, stored, rounds, load } = readOptions();
  if (help) {
    console.log(HELP);
    return 0;
  }
  const { signal } = stop;
  await using stack = new AsyncDisposableStack();
  const subjectOf = async (name: string): Promise<Subject & { commit: string }> => {
    const { directory, commit } = stack.use(await checkOut(root, name, log, signal));
    return { name: commit, commit, start: (ending) => startVersion({ checkout: directory }, ending) };
  };

  if (stored !== undefined) {
    const options = { few: FEW_STORED, many: stored, clients: load.clients };
    const subjects = await storedSubjects(root, options, stack, log, signal);
    await compareTwo(subjects, { rounds, ...load });
    return 0;
  }
  const base = record ? lastCommit(HEADING) : compare;
  // An unknown one is told before anything is checked out.
  for (const name of [ref, base]) if (name !== undefined) await commitOf(root, name);
  if (record && ref === undefined && (await revisionOf(root)).isChanged) {
    throw new Error(
      'Some files are not committed (git status), and a row names the commit that was measured: commit them first',
    );
  }
  const subject: Subject =
    ref === undefined
      ? { name: await ownName(), start: (ending) => startVersion({ checkout: root }, ending) }
      : await subjectOf(ref);
  if (base !== undefined) {
    const measured = await compareTwo([await subjectOf(base), subject], { rounds, ...load });
    if (record) await writeRow(ref ?? 'HEAD', measured[1], ratioText(measured));
    return 0;
  }
  if (record) {
    const [figures = []] = await measureByTurns([subject], { rounds, ...load }, log, signal);
    await writeRow(ref ?? 'HEAD', figures, '–');
    return 0;
  }
  await using system = await subject.start(signal);
  print(await measureOrders(system, load, signal), load, system.startSeconds);
  return 0;
}

async function ownName(): Promise<string> {
  // It may be measured without git.
  const revision = await revisionOf(root).catch(() => undefined);
  return `this tree${revision ? ` (${revision.commit}${revision.isChanged ? ' and changes' : ''})` : ''}`;
}

async function compareTwo(
  subjects: readonly [Subject, Subject],
  options: LoadOptions & { rounds: number },
): Promise<Rounds> {
  console.log(
    `${machine()}, ${options.clients} clients, ${options.rounds} rounds of ${options.orders} orders by turns`,
  );
  const [base = [], other = []] = await measureByTurns(subjects, options, log, stop.signal);
  const rounds: Rounds = [base, other];
  console.log(`\n${comparisonTable([subjects[0].name, subjects[1].name], rounds)}`);
  return rounds;
}

function ratioText(rounds: Parameters<typeof ratioOf>[1]): string {
  const ratio = ratioOf('cpuMs', rounds);
  return ratio ? `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})` : '–';
}

async function writeRow(ref: string, rounds: readonly OrderFigures[], ratio: string): Promise<void> {
  const { commit, date } = await commitOf(root, ref);
  addRow(HEADING, {
    Commit: `\`${commit}\``,
    Date: date.slice(0, 16).replace('T', ' '),
    'Orders/s': typical('ordersPerSecond', rounds),
    'CPU ms an order': typical('cpuMs', rounds),
    'CPU × row above': ratio,
    'Lone p50 ms': typical('loneP50', rounds),
    'Load p50 ms': typical('loadP50', rounds),
    'Peak MiB': typical('peakMiB', rounds),
    'DynamoDB requests': typical('requests', rounds),
    Invocations: typical('invocations', rounds),
    Machine: machine(),
  });
  log(`docs/performance.md has a row of ${commit}`);
}

function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node ${process.versions.node}`;
}

function log(line: string): void {
  console.error(line);
}

function print(figures: OrderFigures, { orders, clients, lone }: LoadOptions, startSeconds: number): void {
  const { ordersPerSecond, eventsPerOrder, ratesByQuarter, counts, cpuMsPerOrder, ownCpuMsPerOrder, peakMiB } = figures;
  console.log(`${machine()}, ${clients} clients`);
  console.log(`start               ${startSeconds.toFixed(1)} s`);
  console.log(`lone order          ${percentiles(figures.lone)}   (${lone} orders, one at a time)`);
  console.log(`under load          ${percentiles(figures.times)}   (${orders} orders)`);
  console.log(
    `throughput          ${ordersPerSecond.toFixed(1)} orders/s   ${(ordersPerSecond * eventsPerOrder).toFixed(0)} events/s`,
  );
  console.log(`by quarter          ${ratesByQuarter.map((rate) => rate.toFixed(1)).join('   ')} orders/s`);
  const [first = 1, , , last = 1] = ratesByQuarter;
  console.log(`last over first     ${((100 * last) / first).toFixed(0)} %`);
  console.log(
    `functions           ${number(counts.requests, 1)} DynamoDB requests and ${number(counts.invocations, 1)} invocations an order`,
  );
  if (cpuMsPerOrder === undefined || peakMiB === undefined) return;
  console.log(
    `runtime             ${cpuMsPerOrder.toFixed(1)} ms of CPU an order   ${peakMiB.toFixed(0)} MiB at its peak`,
  );
  console.log(`benchmark           ${ownCpuMsPerOrder.toFixed(1)} ms of CPU an order`);
}
