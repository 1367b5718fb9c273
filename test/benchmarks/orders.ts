/**
 * `npm run bench`: starts the local runtime, places orders from a closed loop (each client places its next order when
 * its last one is confirmed), and prints what came of it. `npm run bench -- --help` lists what can be set.
 */
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { readArguments, readNumber, runCommand } from '@millrace/command-line';
import { Aws } from '../end-to-end/aws.ts';
import { orderOf, Shop } from '../end-to-end/shop.ts';
import { type System, startSystem } from '../end-to-end/system.ts';

const HELP = `Measures the local runtime: orders/s by quarter, time from placed to confirmed, events/s, peak memory.

Usage: npm run bench -- [options]

  --orders <n>    orders placed under load (2000)
  --clients <n>   customers at once (16); each waits for its order before it places the next
  --warm-up <n>   orders placed first and not counted (800): every function compiles its own code
  --lone <n>      orders placed one at a time before the load, for the latency of a lone order (40)
  --help          show this

Exit codes: 0 done, 1 failed, 2 misused.`;

await runCommand('bench', async () => {
  const { values } = readArguments({
    options: {
      orders: { type: 'string' },
      clients: { type: 'string' },
      'warm-up': { type: 'string' },
      lone: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const count = { minimum: 1, whole: true };
  const options = {
    orders: readNumber('orders', values.orders, count) ?? 2000,
    clients: readNumber('clients', values.clients, count) ?? 16,
    warmUp: readNumber('warm-up', values['warm-up'], count) ?? 800,
    lone: readNumber('lone', values.lone, count) ?? 40,
  };
  const system = await startSystem({ shuffle: false });
  try {
    await measure(system, options);
  } finally {
    await system.stop();
  }
  return 0;
});

interface Options {
  orders: number;
  clients: number;
  warmUp: number;
  lone: number;
}

async function measure(system: System, { orders, clients, warmUp, lone }: Options): Promise<void> {
  const shop = new Shop(system);
  const aws = new Aws(system);
  const confirmations = new Map<string, () => void>();
  const tap = await aws.tap('OrderConfirmed.v1');
  let listening = true;

  /** Wakes the client whose order was confirmed. */
  async function listen(): Promise<void> {
    while (listening) {
      for (const { event } of await tap.next()) confirmations.get(String(event.data.orderId))?.();
    }
  }

  /** How many events one confirmed order puts on the bus, counted rather than assumed. */
  async function eventsOfAnOrder(sku: string): Promise<number> {
    const everything = await aws.tap();
    await placeAndWait(sku);
    await aws.quiet();
    let count = 0;
    for (let events = await everything.next(); events.length > 0; events = await everything.next())
      count += events.length;
    await everything.close();
    return count;
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

  /** The runtime and this benchmark. */
  function usageOfAll(): { name: string; cpuMs: number; peakMiB: number }[] {
    if (!existsSync('/proc/self/stat') || system.pid === undefined) return [];
    return [
      { name: 'runtime', ...usage(String(system.pid)) },
      { name: 'benchmark', ...usage('self') },
    ];
  }

  /** Places `count` orders from all clients at once; returns each one's milliseconds and when it was confirmed. */
  async function load(count: number, skus: readonly string[]): Promise<{ times: number[]; finished: number[] }> {
    const times: number[] = [];
    const finished: number[] = [];
    const started = performance.now();
    let placed = 0;
    await Promise.all(
      skus.map(async (sku) => {
        while (placed < count) {
          placed += 1;
          times.push(await placeAndWait(sku));
          finished.push(performance.now() - started);
        }
      }),
    );
    return { times, finished };
  }

  const listener = listen();
  try {
    // As many SKUs as clients: what is measured is the flow, not the contention for one item.
    const skus = await Promise.all(Array.from({ length: clients }, () => shop.stocked(1_000_000)));
    await load(warmUp, skus);
    const eventsAnOrder = await eventsOfAnOrder(skus[0] ?? '');

    const loneTimes: number[] = [];
    for (let index = 0; index < lone; index += 1) loneTimes.push(await placeAndWait(skus[0] ?? ''));

    const usageBefore = usageOfAll();
    const { times, finished } = await load(orders, skus);
    const usageAfter = usageOfAll();
    const seconds = (finished.at(-1) ?? 0) / 1000;

    console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.version}, ${clients} clients`);
    console.log(`lone order          ${percentiles(loneTimes)}   (${lone} orders, one at a time)`);
    console.log(`under load          ${percentiles(times)}   (${orders} orders)`);
    console.log(
      `throughput          ${(orders / seconds).toFixed(1)} orders/s   ${((orders * eventsAnOrder) / seconds).toFixed(0)} events/s`,
    );
    const quarter = Math.floor(orders / 4);
    const rates = [0, 1, 2, 3].map((index) => {
      const from = index === 0 ? 0 : (finished[index * quarter - 1] ?? 0);
      return (quarter * 1000) / ((finished[(index + 1) * quarter - 1] ?? 0) - from);
    });
    console.log(`by quarter          ${rates.map((rate) => rate.toFixed(1)).join('   ')} orders/s`);
    const [first = 1, , , last = 1] = rates;
    console.log(`last over first     ${((100 * last) / first).toFixed(0)} %`);
    for (const [index, { name, cpuMs, peakMiB }] of usageAfter.entries()) {
      const perOrder = (cpuMs - (usageBefore[index]?.cpuMs ?? 0)) / orders;
      console.log(
        `${name.padEnd(20)}${perOrder.toFixed(1)} ms of CPU an order   ${peakMiB.toFixed(0)} MiB at its peak`,
      );
    }
  } finally {
    listening = false;
    await listener;
    await tap.close();
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function percentiles(milliseconds: readonly number[]): string {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  return [50, 95, 99].map((p) => `p${p} ${percentile(sorted, p / 100).toFixed(0)} ms`).join('   ');
}

/** What a process has used so far, where the system has /proc: CPU time in ms, and its peak resident memory in MiB. */
function usage(pid: string): { cpuMs: number; peakMiB: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  // Ticks of 10 ms, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, peakMiB: Number(peak ?? 0) / 1024 };
}
