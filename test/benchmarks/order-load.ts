import { Aws } from '../end-to-end/aws.ts';
import { orderOf, Shop } from '../end-to-end/shop.ts';
import { CloudCounts, type Counts } from './cloud-counts.ts';
import { usageOf } from './process-usage.ts';
import { percentile } from './statistics.ts';
import type { RunningVersion } from './version.ts';

/** How much is measured. */
export interface LoadOptions {
  /** Placed under load. */
  orders: number;
  /** At once; each waits for its order before it places the next. */
  clients: number;
  /** Placed first and not counted. */
  warmUp: number;
  /** Placed one at a time before the load. */
  lone: number;
}

/** What came of one run. */
export interface OrderFigures {
  /** Of an order placed alone, in ms from placed to confirmed. */
  lone: number[];
  /** Under load, likewise. */
  times: number[];
  /** By quarter of the orders. */
  ratesByQuarter: number[];
  ordersPerSecond: number;
  /** That one confirmed order puts on the bus. */
  eventsPerOrder: number;
  /** Of the local cloud and everything below it, an order. */
  cpuMsPerOrder?: number;
  peakMiB?: number;
  /** Of this process, an order. */
  ownCpuMsPerOrder: number;
  /** What the functions did, an order. */
  counts: Counts;
}

/** An order that is not confirmed by then was lost. */
const CONFIRMED_WITHIN_MS = 30_000;

/**
 * Measures a local cloud by its HTTP and AWS APIs alone, whatever its version: a warm-up, orders one at a time, and orders from a closed
 * loop of clients, until all that follows from them has happened.
 *
 * @param system to measure; it should do nothing else meanwhile
 * @param signal ends it
 * @throws Error when an order is not confirmed within 30 seconds
 * @example const { ordersPerSecond } = await measureOrders(system, { orders: 400, clients: 16, warmUp: 300, lone: 20 }, signal);
 */
export async function measureOrders(
  system: RunningVersion,
  { orders, clients, warmUp, lone }: LoadOptions,
  signal?: AbortSignal,
): Promise<OrderFigures> {
  const aws = new Aws(system);
  const counts = new CloudCounts(system.awsUrl);
  const customers = await Customers.of(system, aws, clients, signal);
  try {
    await customers.load(warmUp);
    const eventsPerOrder = await customers.eventsOfAnOrder();
    const loneTimes: number[] = [];
    for (let index = 0; index < lone; index += 1) loneTimes.push(await customers.placeAndWait());
    await aws.quiet();

    const countsBefore = await counts.read();
    const [before, ownBefore] = [usageOf(system.pid), process.cpuUsage()];
    const { times, finished } = await customers.load(orders);
    await aws.quiet();
    const [after, own] = [usageOf(system.pid), process.cpuUsage(ownBefore)];
    return {
      lone: loneTimes,
      times,
      ratesByQuarter: ratesByQuarter(finished),
      ordersPerSecond: (orders * 1000) / (finished.at(-1) ?? Number.NaN),
      eventsPerOrder,
      ...(before && after && { cpuMsPerOrder: (after.cpuMs - before.cpuMs) / orders, peakMiB: after.peakMiB }),
      ownCpuMsPerOrder: (own.user + own.system) / 1000 / orders,
      counts: counts.perOrder(countsBefore, await counts.read(), orders),
    };
  } finally {
    await customers.close();
  }
}

/**
 * Places orders from a closed loop of clients and waits until all that follows from them has happened.
 * @throws Error when an order is not confirmed within 30 seconds
 */
export async function placeOrders(
  system: RunningVersion,
  { orders, clients }: Pick<LoadOptions, 'orders' | 'clients'>,
  signal?: AbortSignal,
): Promise<void> {
  const aws = new Aws(system);
  const customers = await Customers.of(system, aws, clients, signal);
  try {
    await customers.load(orders);
    await aws.quiet();
  } finally {
    await customers.close();
  }
}

/** Orders a second in each quarter of a run, from when each was finished. */
function ratesByQuarter(finished: readonly number[]): number[] {
  const quarter = Math.floor(finished.length / 4);
  return [0, 1, 2, 3].map((index) => {
    const from = index === 0 ? 0 : (finished[index * quarter - 1] ?? 0);
    return (quarter * 1000) / ((finished[(index + 1) * quarter - 1] ?? 0) - from);
  });
}

/** p50, p95 and p99 in one text. */
export function percentiles(milliseconds: readonly number[]): string {
  return [50, 95, 99].map((p) => `p${p} ${percentile(milliseconds, p / 100).toFixed(0)} ms`).join('   ');
}

type Confirmation = ReturnType<typeof Promise.withResolvers<void>>;

/** The customers of a running shop, who hear on the bus that their orders are confirmed. */
class Customers {
  readonly #shop: Shop;
  readonly #aws: Aws;
  readonly #signal: AbortSignal | undefined;
  readonly #tap: Awaited<ReturnType<Aws['tap']>>;
  /** As many as clients: what is measured is the flow, not the contention for one item. */
  readonly #skus: readonly string[];
  readonly #waiting = new Map<string, Confirmation>();
  readonly #listener: Promise<void>;
  #isListening = true;

  private constructor(
    { shop, aws, tap, skus }: { shop: Shop; aws: Aws; tap: Awaited<ReturnType<Aws['tap']>>; skus: readonly string[] },
    signal: AbortSignal | undefined,
  ) {
    this.#shop = shop;
    this.#aws = aws;
    this.#tap = tap;
    this.#skus = skus;
    this.#signal = signal;
    this.#listener = this.#listen();
    signal?.addEventListener('abort', () => this.#giveUp(signal.reason), { once: true });
  }

  static async of(system: RunningVersion, aws: Aws, clients: number, signal?: AbortSignal): Promise<Customers> {
    const shop = new Shop(system);
    const tap = await aws.tap('OrderConfirmed.v1');
    const skus = await Promise.all(Array.from({ length: clients }, () => shop.stocked(1_000_000)));
    return new Customers({ shop, aws, tap, skus }, signal);
  }

  /** Places `count` orders from all clients at once; returns each one's milliseconds and when it was confirmed. */
  async load(count: number): Promise<{ times: number[]; finished: number[] }> {
    const times: number[] = [];
    const finished: number[] = [];
    const started = performance.now();
    let placed = 0;
    await Promise.all(
      this.#skus.map(async (sku) => {
        while (placed < count) {
          placed += 1;
          times.push(await this.placeAndWait(sku));
          finished.push(performance.now() - started);
        }
      }),
    );
    return { times, finished };
  }

  /** Places one order and returns the milliseconds until its confirmation was on the bus. */
  async placeAndWait(sku = this.#skus[0] ?? ''): Promise<number> {
    this.#signal?.throwIfAborted();
    const started = performance.now();
    const orderId = await this.#shop.place(orderOf(sku));
    const confirmation = Promise.withResolvers<void>();
    this.#waiting.set(orderId, confirmation);
    const late = `Order ${orderId} was not confirmed within ${CONFIRMED_WITHIN_MS / 1000} s`;
    const timer = setTimeout(() => confirmation.reject(new Error(late)), CONFIRMED_WITHIN_MS);
    try {
      await confirmation.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(orderId);
    }
    return performance.now() - started;
  }

  /** How many events one confirmed order puts on the bus, counted rather than assumed. */
  async eventsOfAnOrder(): Promise<number> {
    const everything = await this.#aws.tap();
    await this.placeAndWait();
    await this.#aws.quiet();
    let count = 0;
    for (let events = await everything.next(); events.length > 0; events = await everything.next())
      count += events.length;
    await everything.close();
    return count;
  }

  async close(): Promise<void> {
    this.#isListening = false;
    await this.#listener;
    // A cloud that has ended has no queue to remove.
    if (!this.#signal?.aborted) await this.#tap.close();
  }

  /** Wakes the client whose order was confirmed. */
  async #listen(): Promise<void> {
    try {
      while (this.#isListening) {
        for (const { event } of await this.#tap.next()) this.#waiting.get(String(event.data.orderId))?.resolve();
      }
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(reason: unknown): void {
    this.#isListening = false;
    for (const { reject } of this.#waiting.values()) reject(reason);
  }
}
