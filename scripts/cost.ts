/** `npm run cost`: what orders cost on AWS, counted from a run on this machine. `npm run cost -- --help` lists what can be said. */
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readStage, UsageError } from '@millrace/dead-letters/operations';
import { serviceDirectories } from '@millrace/events/catalogue';
import { packageServices } from '@millrace/local';
import { countOrders } from './cost/count-orders.ts';
import { withLambdaDuration } from './cost/measurement.ts';
import { readPriceTable } from './cost/price-table.ts';
import { readQuotaTable } from './cost/quota-use.ts';
import { formatReport, makeReport } from './cost/report.ts';
import { inventoryOf } from './cost/template-inventory.ts';

const HELP = `Counts what orders use of each AWS service while the local runtime handles them, and tells what a million of them would
cost, what stands there without any order, and which quotas they meet. Nothing is asked of AWS.

Usage: npm run cost -- [options]

  --orders <n>       orders to count (100: any multiple of it has the usual mix exactly)
  --clients <n>      customers at once (1); with more of them, messages and events come in batches
  --lambda-ms <ms>   billed for each invocation, instead of what was measured on this machine
  --stage <name>     stage whose templates are counted (prod)
  --json             everything as JSON
  --help             show this

Prices and quotas, with their dates and sources: scripts/cost/prices.json, scripts/cost/quotas.json.
Exit codes: 0 done, 1 failed, 2 misused.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function readArguments() {
  try {
    return parseArgs({
      options: {
        orders: { type: 'string', default: '100' },
        clients: { type: 'string', default: '1' },
        'lambda-ms': { type: 'string' },
        stage: { type: 'string', default: 'prod' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readCount(flag: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new UsageError(`--${flag} must be a whole number from 1 up, not "${value}"`);
  return Number(value);
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values.help) {
    console.log(HELP);
    return;
  }
  const orders = readCount('orders', values.orders);
  const clients = readCount('clients', values.clients);
  const lambdaMs = values['lambda-ms'] === undefined ? undefined : readCount('lambda-ms', values['lambda-ms']);
  const stage = readStage(values.stage);
  const onProgress = (line: string): void => console.error(`${line} …`);

  const directories = serviceDirectories(root);
  const packaged = await packageServices({
    directories,
    stage,
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
    log: onProgress,
  });
  const inventory = inventoryOf(packaged);
  const { tables, timeToLive } = inventory;
  const counted = await countOrders({ services: directories, stage, orders, clients, tables, timeToLive, onProgress });
  const measurement = lambdaMs === undefined ? counted : withLambdaDuration(counted, lambdaMs);
  const services = directories.map((directory) => basename(directory));
  const report = makeReport(measurement, readPriceTable(), readQuotaTable(), inventory, services);
  console.log(values.json ? JSON.stringify(report, null, 2) : formatReport(report));
}

try {
  await main();
} catch (error) {
  const misused = error instanceof UsageError;
  console.error(`${(error as Error).message}${misused ? ' (npm run cost -- --help)' : ''}`);
  process.exitCode = misused ? 2 : 1;
}
