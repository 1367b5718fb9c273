import { basename, dirname, join } from 'node:path';
import { jsonText, readArguments, readNumber, readStage, runCommand, UsageError } from '@millrace/command-line';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { packageServices } from '@millrace/workspace/packaging';
import { type ComparedProcess, comparisonTable, formatComparison } from './comparison.ts';
import { writeComparison } from './comparison-page.ts';
import { withLambdaDuration } from './measurement.ts';
import { COMPARED_PROCESSES, COUNTED_PROCESSES, type CountedProcess } from './order-mix.ts';
import { readPriceTable } from './price-table.ts';
import { readQuotaTable } from './quota-use.ts';
import { formatReport, makeReport } from './report.ts';
import { inventoryOf } from './template-inventory.ts';

const HELP = `Counts what orders use of each AWS service while the local runtime handles them, and tells what a million of them would
cost, what a stage costs without any order, and which quotas they meet. Nothing is asked of AWS.

Usage: npm run cost -- [options]

  --orders <n>       orders, reservations or views to count (100: any multiple of it has the usual mix exactly)
  --clients <n>      customers at once (1); with more of them, messages and events come in batches
  --lambda-ms <ms>   billed for each invocation, instead of what was measured on this machine
  --process <name>   how orders are taken (orders):
                     orders          POST /orders, carried out by the events of the services
                     checkouts       POST /checkouts, carried out by the state machine
                     durable-checkouts  the same, carried out by the durable function
                     partner-orders  a partner's queue and its pipe, carried out by the state machine
                     reservations    no orders: pick-up slots that are reserved, attended, cancelled, missed
                     views           no orders: what visitors look at, POST /interactions, into figures and the lake
  --compare          the same orders by orders, checkouts and durable-checkouts, one after the other: their figures side by side
  --write            with --compare: put the figures into docs/choreography-or-orchestration.md, too
  --stage <name>     stage whose templates are counted (prod)
  --json             everything as JSON
  --help             show this

Prices and quotas, with their dates and sources: scripts/cost/prices.json, scripts/cost/quotas.json.
Exit codes: 0 done, 1 failed, 2 misused.`;

const root = dirname(dirname(import.meta.dirname));

function readOptions() {
  return readArguments({
    options: {
      orders: { type: 'string' },
      clients: { type: 'string' },
      'lambda-ms': { type: 'string' },
      process: { type: 'string' },
      compare: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      stage: { type: 'string', default: 'prod' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

async function main(): Promise<number> {
  const values = readOptions();
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const count = { minimum: 1, whole: true };
  const orders = readNumber('orders', values.orders, count) ?? 100;
  const clients = readNumber('clients', values.clients, count) ?? 1;
  const lambdaMs = readNumber('lambda-ms', values['lambda-ms'], count);
  const stage = readStage(values.stage);
  const processes = readProcesses(values);
  if (values.write && !values.compare) throw new UsageError('--write needs --compare');
  const onProgress = (line: string): void => console.error(`${line} …`);

  // Loaded when it is clear what is wanted: it is the whole local runtime.
  const { countOrders } = await import('./count-orders.ts');
  const directories = serviceDirectories(root);
  // As the runtime will: templates alone would be compiled once more for it.
  const packaged = await packageServices({
    directories,
    stage,
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
    log: onProgress,
  });
  const inventory = inventoryOf(packaged);
  const { tables, timeToLive } = inventory;
  const services = directories.map((directory) => basename(directory));
  const reports: ComparedProcess[] = [];
  for (const process of processes) {
    onProgress(`Starting all services for ${process}`);
    const counted = await countOrders({
      ...{ services: directories, stage, process, orders, clients, tables, timeToLive, onProgress },
    });
    const measurement = lambdaMs === undefined ? counted : withLambdaDuration(counted, lambdaMs);
    const report = makeReport(measurement, readPriceTable(), readQuotaTable(), inventory, services);
    reports.push({ process, report });
  }
  if (values.compare) {
    console.log(values.json ? jsonText(reports, 2) : formatComparison(reports));
    if (values.write) writeComparison(comparisonTable(reports));
  } else {
    for (const { report } of reports) console.log(values.json ? jsonText(report, 2) : formatReport(report));
  }
  return 0;
}

function readProcesses({ process: name, compare }: { process?: string; compare: boolean }): readonly CountedProcess[] {
  if (compare && name !== undefined) throw new UsageError('--compare counts three processes: leave --process out');
  if (compare) return COMPARED_PROCESSES;
  const found = COUNTED_PROCESSES.find((process) => process === (name ?? 'orders'));
  if (!found) throw new UsageError(`--process must be ${COUNTED_PROCESSES.join(', ')}, not ${name}`);
  return [found];
}

/** Runs the command; its exit code becomes that of the process. */
export const runCost = () => runCommand('cost', main);
