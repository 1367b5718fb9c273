import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { type Runtime, startRuntime, Usage } from '@millrace/local';
import { Browsers } from './browsers.ts';
import { chooseCheckoutProcess } from './checkout-process.ts';
import { Customers } from './customers.ts';
import { storedBytesOf } from './item-size.ts';
import type { Load } from './load.ts';
import type { Measurement, StoredBytes } from './measurement.ts';
import type { CountedProcess } from './order-mix.ts';
import { Visitors } from './visitors.ts';

export interface CountOptions {
  /** Directories of the services. */
  services: string[];
  stage: string;
  process: CountedProcess;
  /** Orders, reservations or views. */
  orders: number;
  /** Customers at once. Each orders its own SKUs, again and again. */
  clients: number;
  /** Name of the attribute with the time to live, by table. */
  timeToLive: ReadonlyMap<string, string>;
  tables: readonly string[];
  onProgress: (line: string) => void;
}

/** Orders before the counting starts, at most as many as are counted: functions load their code, and get faster. */
const WARM_UP = 20;
const QUIET_MS = 2_000;
const QUIET_DEADLINE_MS = 60_000;

/**
 * Starts the local runtime, places orders of the usual mix, and returns what they used once everything that follows from
 * them has happened.
 *
 * @throws Error when the runtime cannot start, or an order does not end within a minute
 */
export async function countOrders(options: CountOptions): Promise<Measurement> {
  const { services, stage, process, orders, clients, onProgress } = options;
  const usage = new Usage();
  const runtime = await startRuntime({
    services,
    stage,
    usage,
    apiPort: 0,
    awsPort: 0,
    // The orders before the counting start those that are used.
    coldFunctions: true,
    onProgress,
  });
  const load = loadOf({ runtime, stage, process, clients, usage });
  const what = process === 'reservations' || process === 'views' ? process : 'orders';
  const warmUp = Math.min(WARM_UP, orders);
  try {
    if (what === 'orders') await chooseProcess(runtime, process);
    await load.prepare(warmUp);
    await load.prepare(orders);
    // What was prepared is where customers look for it, such as slots on display.
    await untilQuiet(usage);
    onProgress('Warming up');
    await load.run(warmUp);
    await untilQuiet(usage);
    const storedBefore = await storedBytes(runtime, options);
    usage.clear();
    onProgress(`Counting ${orders} ${what}`);
    const latenciesMs = await load.run(orders);
    await untilQuiet(usage);
    const storedAfter = await storedBytes(runtime, options);
    const stored = difference(storedAfter, storedBefore);
    return { what, orders, clients, stage, usage: usage.entries(), latenciesMs, stored };
  } finally {
    load.close();
    await runtime.stop();
  }
}

function loadOf({
  process,
  ...options
}: { runtime: Runtime; usage: Usage } & Pick<CountOptions, 'stage' | 'process' | 'clients'>): Load {
  if (process === 'views') return new Browsers(options);
  return process === 'reservations' ? new Visitors(options) : new Customers({ process, ...options });
}

/** Has checkouts carried out by the process that is to be counted, whatever the stage has chosen. */
async function chooseProcess({ awsUrl }: Runtime, process: CountedProcess): Promise<void> {
  const credentials = { accessKeyId: 'cost', secretAccessKey: 'local' };
  const client = new LambdaClient({ endpoint: awsUrl, region: 'us-east-1', credentials });
  await chooseCheckoutProcess(client, process === 'durable-checkouts' ? 'durable-function' : 'state-machine');
  client.destroy();
}

/**
 * Waits until nothing has been counted for a while.
 * @throws Error when something is counted for a minute
 * @example await untilQuiet(usage);
 */
export async function untilQuiet(usage: Usage): Promise<void> {
  const deadline = Date.now() + QUIET_DEADLINE_MS;
  for (let quietSince = Date.now(), last = usage.additions; Date.now() - quietSince < QUIET_MS; await delay(50)) {
    if (usage.additions !== last) {
      quietSince = Date.now();
      last = usage.additions;
    }
    if (Date.now() > deadline) throw new Error(`The system was not quiet within ${QUIET_DEADLINE_MS / 1000} s`);
  }
}

async function storedBytes(
  { awsUrl }: Runtime,
  { tables, timeToLive }: Pick<CountOptions, 'tables' | 'timeToLive'>,
): Promise<StoredBytes[]> {
  const client = new DynamoDBClient({
    endpoint: awsUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'cost', secretAccessKey: 'local' },
  });
  const stored: StoredBytes[] = [];
  for (const table of tables) {
    const bytes = { table, kept: 0, expiring: 0 };
    for await (const { Items = [] } of paginateScan({ client }, { TableName: table })) {
      for (const item of Items) {
        const kind = (timeToLive.get(table) ?? '') in item ? 'expiring' : 'kept';
        bytes[kind] += storedBytesOf(item);
      }
    }
    stored.push(bytes);
  }
  client.destroy();
  return stored;
}

function difference(after: readonly StoredBytes[], before: readonly StoredBytes[]): StoredBytes[] {
  return after
    .map(({ table, kept, expiring }) => {
      const earlier = before.find((other) => other.table === table);
      return { table, kept: kept - (earlier?.kept ?? 0), expiring: expiring - (earlier?.expiring ?? 0) };
    })
    .filter(({ kept, expiring }) => kept !== 0 || expiring !== 0);
}
