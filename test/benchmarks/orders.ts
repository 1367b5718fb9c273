/**
 * `npm run bench`: starts the local runtime, places orders from a closed loop (each client places its next order when
 * its last one is confirmed), and prints what came of it. `npm run bench -- --help` lists what can be set.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Aws } from '../end-to-end/aws.ts';
import { orderOf, Shop } from '../end-to-end/shop.ts';
import { startSystem } from '../end-to-end/system.ts';

const help = `Measures the local runtime: orders/s by quarter, time from placed to confirmed, events/s, peak memory.

Usage: npm run bench -- [--orders 2000] [--clients 16] [--lone 40]

  --orders   orders placed under load
  --clients  customers at once; each waits for its order before it places the next
  --lone     orders placed one at a time before the load, for the latency of a lone order`;

function options() {
  try {
    const { values } = parseArgs({
      options: {
        orders: { type: 'string', default: '2000' },
        clients: { type: 'string', default: '16' },
        lone: { type: 'string', default: '40' },
        help: { type: 'boolean', default: false },
      },
    });
    const count = (name: 'orders' | 'clients' | 'lone') => {
      const value = Number(values[name]);
      if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1 up`);
      return value;
    };
    return { orders: count('orders'), clients: count('clients'), lone: count('lone'), help: values.help };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

const { orders, clients, lone, help: wantsHelp } = options();
if (wantsHelp) {
  console.log(help);
  process.exit(0);
}

const system = await startSystem();
const shop = new Shop(system);
const aws = new Aws(system);
const confirmations = new Map<string, () => void>();
const tap = await aws.tap();
let events = 0;
let listening = true;

/** Hears every event on the bus and wakes the client whose order was confirmed. */
async function listen(): Promise<void> {
  while (listening) {
    for (const { detailType, event } of await tap.next()) {
      events += 1;
      if (detailType === 'OrderConfirmed.v1') confirmations.get(String(event.data.orderId))?.();
    }
  }
}

/** Places one order and returns the milliseconds until its confirmation was on the bus. */
async function placeAndWait(sku: string): Promise<number> {
  const started = performance.now();
  const orderId = await shop.place(orderOf(sku));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Order ${orderId} was not confirmed within 30 s`)), 30_000);
    confirmations.set(orderId, () => {
      clearTimeout(timer);
      confirmations.delete(orderId);
      resolve();
    });
  });
  return performance.now() - started;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function percentiles(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  return [50, 95, 99].map((p) => `p${p} ${percentile(sorted, p / 100).toFixed(0)} ms`).join('   ');
}

/** Peak resident memory in MiB of the runtime and the processes it started, where the system has /proc. */
function peakMemory(): { runtime: number; children: number } | undefined {
  const { pid } = system;
  try {
    const peak = (process: string) =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${process}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const children = readdirSync('/proc').filter(
      (name) =>
        /^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid),
    );
    return { runtime: peak(String(pid)), children: children.reduce((sum, child) => sum + peak(child), 0) };
  } catch {
    return undefined;
  }
}

const listener = listen();
try {
  // As many SKUs as clients: what is measured is the flow, not the contention for one item.
  const skus = await Promise.all(Array.from({ length: clients }, () => shop.stocked(1_000_000)));
  for (const sku of skus) await placeAndWait(sku);

  const loneTimes: number[] = [];
  for (let index = 0; index < lone; index += 1) loneTimes.push(await placeAndWait(skus[0] ?? ''));

  const finished: number[] = [];
  const times: number[] = [];
  let placed = 0;
  const eventsBefore = events;
  const started = performance.now();
  await Promise.all(
    skus.map(async (sku) => {
      while (placed < orders) {
        placed += 1;
        times.push(await placeAndWait(sku));
        finished.push(performance.now() - started);
      }
    }),
  );
  const seconds = (finished.at(-1) ?? 0) / 1000;

  console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.version}, ${clients} clients`);
  console.log(`lone order          ${percentiles(loneTimes)}   (${lone} orders, one at a time)`);
  console.log(`under load          ${percentiles(times)}   (${orders} orders)`);
  console.log(
    `throughput          ${(orders / seconds).toFixed(1)} orders/s   ${((events - eventsBefore) / seconds).toFixed(0)} events/s`,
  );
  const quarter = Math.floor(orders / 4);
  const rates = [0, 1, 2, 3].map((index) => {
    const from = index === 0 ? 0 : (finished[index * quarter - 1] ?? 0);
    return (quarter * 1000) / ((finished[(index + 1) * quarter - 1] ?? 0) - from);
  });
  console.log(`by quarter          ${rates.map((rate) => rate.toFixed(1)).join('   ')} orders/s`);
  const [first = 1, , , last = 1] = rates;
  console.log(`last over first     ${((100 * last) / first).toFixed(0)} %`);
  const memory = peakMemory();
  if (memory)
    console.log(
      `peak memory         runtime ${memory.runtime.toFixed(0)} MiB, database ${memory.children.toFixed(0)} MiB`,
    );
} finally {
  listening = false;
  await listener;
  await tap.close();
  await system.stop();
}
