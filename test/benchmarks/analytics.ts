/**
 * `npm run bench:analytics`: how soon a figure is to be seen, what live figures cost the orders, and what they cost.
 * `npm run bench:analytics -- --help` lists what can be set.
 */

import { join } from 'node:path';
import { interruptible, readArguments, readNumber, runCommand } from '@millrace/command-line';
import { startRuntime, Usage } from '@millrace/local';
import { eventually } from '@millrace/testing';
import { untilQuiet } from '../../scripts/cost/count-orders.ts';
import { dollarsFor, readPriceTable } from '../../scripts/cost/price-table.ts';
import { minuteOf, orderOf, Shop } from '../end-to-end/shop.ts';
import { percentile } from './statistics.ts';

const HELP = `Measures the live figures on the local cloud: how soon an order is to be seen in them, how many orders a second the shop
takes with and without them, and what a million of their events cost beside a row for each event.

Usage: npm run bench:analytics -- [options]

  --orders <n>    orders under load, with and without (300)
  --clients <n>   of them at once (8)
  --lone <n>      orders one at a time, each until it is to be seen (100)
  --help          show this

Exit codes: 0 done, 1 something failed, 2 misused, 130 interrupted.`;

const root = join(import.meta.dirname, '..', '..');
const shopServices = ['event-bus', 'orders', 'inventory', 'payments', 'fulfillment'];
const MILLION = 1_000_000;
const WARM_UP = 50;

const stop = interruptible(() => console.error('Stopping …'));
await runCommand('bench:analytics', main, stop);

async function main(): Promise<number> {
  const { values } = readArguments({
    options: {
      orders: { type: 'string' },
      clients: { type: 'string' },
      lone: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const count = { minimum: 1, whole: true };
  const orders = readNumber('orders', values.orders, count) ?? 300;
  const clients = readNumber('clients', values.clients, count) ?? 8;
  const lone = readNumber('lone', values.lone, count) ?? 100;

  const without = await run(shopServices, { orders, clients, lone: 0 });
  const figures = await run([...shopServices, 'interactions', 'live-figures'], { orders, clients, lone });
  const writes = figures.usage('dynamodb.writeUnits') / figures.events;
  const reads = figures.usage('dynamodb.readUnits') / figures.events;
  const price = (name: string, amount: number) => dollarsFor(readPriceTable(), name, amount * MILLION) ?? Number.NaN;
  const dollars = price('dynamodb.writeUnits', writes) + price('dynamodb.readUnits', reads);
  const rows = [
    ['figure to be seen after', `p50 ${ms(figures.seen, 0.5)}   p99 ${ms(figures.seen, 0.99)}   (${lone} orders)`],
    ['orders/s', `${figures.rate.toFixed(1)} with live figures   ${without.rate.toFixed(1)} without`],
    ['ratio', `${((figures.rate / without.rate) * 100).toFixed(0)} %`],
    [
      'a million events',
      `$${dollars.toFixed(2)} of DynamoDB, cohorts included   (${writes.toFixed(2)} write units an event)`,
    ],
    ['a row for each', `$${price('dynamodb.writeUnits', 1).toFixed(2)}, before any figure is read`],
  ];
  console.log(rows.map(([what = '', value = '']) => `${what.padEnd(24)}${value}`).join('\n'));
  return 0;
}

interface RunFigures {
  rate: number;
  /** From the answer to the order to the figure, in ms. */
  seen: number[];
  /** Events under load that the figures count. */
  events: number;
  /** Of the table of the figures, under load. */
  usage: (meter: 'dynamodb.writeUnits' | 'dynamodb.readUnits') => number;
}

async function run(
  services: readonly string[],
  { orders, clients, lone }: { orders: number; clients: number; lone: number },
): Promise<RunFigures> {
  const usage = new Usage();
  const runtime = await startRuntime({
    services: services.map((name) => join(root, 'services', name)),
    ...{ apiPort: 0, awsPort: 0, usage, onFunctionLog: () => {}, onWarning: () => {} },
  });
  try {
    await runtime.warm;
    const { apiUrl, awsUrl, issuerUrl } = runtime;
    const shop = new Shop({ apiUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages` });
    await load(shop, WARM_UP, clients);
    const seen: number[] = [];
    for (let index = 0; index < lone; index += 1) seen.push(await untilSeen(shop));
    await untilQuiet(usage);
    usage.clear();
    const started = performance.now();
    await load(shop, orders, clients);
    const rate = orders / ((performance.now() - started) / 1000);
    await untilQuiet(usage);
    const totals = usage.entries().filter(({ resource }) => resource === 'millrace-live-figures-dev');
    return {
      ...{ rate, seen },
      // Placed, reserved, paid, shipped, confirmed.
      events: orders * 5,
      usage: (meter) => totals.reduce((sum, each) => sum + (each.meter === meter ? each.amount : 0), 0),
    };
  } finally {
    await runtime.stop();
  }
}

/** Places orders, each client the next one when its last one is confirmed. */
async function load(shop: Shop, orders: number, clients: number): Promise<void> {
  const sku = await shop.stocked(orders * 2);
  const places = Array.from({ length: orders }, (_, index) => index).values();
  const client = async () => {
    for (const _ of places) {
      const orderId = await shop.place(orderOf(sku, 1));
      await until(10, async () => {
        const { status } = await shop.order(orderId);
        if (status !== 'CONFIRMED') throw new Error(`Order ${orderId} is ${status}, not CONFIRMED`);
      });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** Places an order, and waits until it is in the figures. */
async function untilSeen(shop: Shop): Promise<number> {
  const sku = await shop.stocked(1);
  const range = `from=${minuteOf(Date.now() - 60_000)}&to=${minuteOf(Date.now() + 120_000)}`;
  await shop.place(orderOf(sku, 1));
  const placed = performance.now();
  await until(5, async () => {
    const { body } = await shop.request('GET', `/analytics/series?of=skus&${range}`);
    if (!body.minutes.some((each) => sku in each)) throw new Error(`${sku} is not in the figures`);
  });
  return performance.now() - placed;
}

/** Asks every so many ms, and gives up after a minute, or when it is interrupted. */
function until(intervalMs: number, check: () => Promise<void>): Promise<void> {
  return eventually(check, { intervalMs, deadlineMs: 60_000, signal: stop.signal });
}

function ms(values: readonly number[], share: number): string {
  return `${percentile(values, share).toFixed(0)} ms`;
}
