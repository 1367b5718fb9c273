import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Random } from '../../test/random.ts';
import { eventsOf, type LakeEvent, scriptedOrders, totalOf, writeLake } from './fixtures/scripted-shop.ts';
import { LakeDatabase } from './lake-database.ts';
import { type NamedQuery, queryDirectory, readNamedQueries } from './named-queries.ts';

const ALL = ['2026-01-01', '2026-12-31'] as const;
const queries = readNamedQueries();
const events = scriptedOrders.flatMap(eventsOf);

/** Everything once or more often, in any order, in deliveries of any size: what at-least-once delivery makes of a shop's events. */
function delivered(seed: number): LakeEvent[][] {
  const random = new Random(seed);
  const copies = events.flatMap((event) => Array<LakeEvent>(random.between(1, 3)).fill(event));
  const shuffled = copies
    .map((event) => ({ event, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ event }) => event);
  const deliveries: LakeEvent[][] = [];
  for (const event of shuffled) {
    if (deliveries.length === 0 || random.chance(0.2)) deliveries.push([]);
    deliveries.at(-1)?.push(event);
  }
  return deliveries;
}

let directory: string;
let database: LakeDatabase;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lake-'));
  database = await LakeDatabase.open(writeLake(directory, delivered(1)));
});
afterAll(() => {
  database?.[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(name: string, days: readonly [string, string] = ALL, from = database) {
  const { sql = '' } = queries.find((query) => query.name === name) ?? {};
  const { columns, rows } = await from.query(sql, days);
  return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column.name, row[index]])));
}

const byDay = <T>(items: readonly T[], dayOf: (item: T) => string) =>
  [...Map.groupBy(items, dayOf)].sort(([one], [other]) => (one < other ? -1 : 1));

/** The money by day and currency, added up from the script. */
function revenueOfScript() {
  const moves = events.flatMap(({ 'detail-type': type, detail }) => {
    const isTaken = type === 'PaymentProcessed.v1';
    if (!isTaken && type !== 'PaymentRefunded.v1') return [];
    const { amount, currency } = (isTaken ? detail.data.total : detail.data.amount) as {
      amount: number;
      currency: string;
    };
    return [{ day: detail.metadata.timestamp.slice(0, 10), currency, isTaken, amount }];
  });
  return byDay(moves, ({ day, currency }) => `${day} ${currency}`).map(([key, all]) => {
    const [day, currency] = key.split(' ');
    const sum = (some: typeof moves) => some.reduce((total, { amount }) => total + amount, 0);
    const taken = all.filter(({ isTaken }) => isTaken);
    const refunded = sum(all.filter(({ isTaken }) => !isTaken));
    return { day, currency, payments: taken.length, taken: sum(taken), refunded, net: sum(taken) - refunded };
  });
}

function funnelOfScript(orders = scriptedOrders) {
  const count = (...outcomes: string[]) => orders.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const placed = orders.length;
  const steps = {
    placed,
    reserved: count('confirmed', 'declined', 'refunded'),
    paid: count('confirmed', 'refunded'),
    shipment: count('confirmed'),
    confirmed: count('confirmed'),
    delivered: 0, // none of them is picked up; scripted-shop.test.ts has some that are
  };
  return Object.entries(steps).map(([step, number]) => ({
    ...{ step, orders: number, percent_of_placed: Math.round((number / placed) * 1000) / 10 },
  }));
}

describe('after duplicates and reordering', () => {
  test('the script has what makes it hard: copies, and orders on both sides of midnight', async () => {
    const counts = await ask('event-counts');
    expect(counts.reduce((sum, { events: number }) => sum + Number(number), 0)).toBe(events.length);
    expect(counts.reduce((sum, { copies }) => sum + Number(copies), 0)).toBeGreaterThan(10);
    const days = (id: string) =>
      new Set(events.filter(({ detail }) => detail.data.orderId === id).map(({ time }) => time.slice(0, 10)));
    expect([days('o2').size, days('o3').size]).toEqual([2, 2]);
  });

  test('daily-revenue is the money of the script', async () => {
    const expected = revenueOfScript();
    expect(expected).toHaveLength(3);
    expect(await ask('daily-revenue')).toEqual(expected);
  });

  test('funnel is how far the orders of the script came', async () => {
    expect(await ask('funnel')).toEqual(funnelOfScript());
  });

  test.each(Array.from({ length: 20 }, (_, index) => index + 2))('both are, in delivery %i', async (seed) => {
    const other = mkdtempSync(join(tmpdir(), 'lake-'));
    try {
      using lake = await LakeDatabase.open(writeLake(other, delivered(seed)));
      expect(await ask('daily-revenue', ALL, lake)).toEqual(revenueOfScript());
      expect(await ask('funnel', ALL, lake)).toEqual(funnelOfScript());
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  test('orders-by-outcome counts each order once, on the day on which it was placed', async () => {
    expect(await ask('orders-by-outcome')).toEqual([
      { day: '2026-03-01', placed: 3, confirmed: 2, cancelled: 1, still_open: 0 },
      { day: '2026-03-02', placed: 4, confirmed: 1, cancelled: 2, still_open: 1 },
    ]);
  });

  test('cancellations-by-reason has what was lost', async () => {
    const lostBy = (id: string) =>
      totalOf(scriptedOrders.find((order) => order.id === id) as (typeof scriptedOrders)[0]);
    expect(await ask('cancellations-by-reason')).toEqual([
      { reason: 'CUSTOMER_REQUEST', currency: 'EUR', orders: 1, lost: lostBy('o3') },
      { reason: 'OUT_OF_STOCK', currency: 'EUR', orders: 1, lost: lostBy('o5') },
      { reason: 'PAYMENT_FAILED', currency: 'EUR', orders: 1, lost: lostBy('o4') },
    ]);
  });

  test('top-skus adds up the lines of the orders', async () => {
    expect(await ask('top-skus')).toEqual([
      { sku: 'FLOUR', currency: 'EUR', orders: 3, pieces: 13, amount: 13 * 349, cancelled_pieces: 10 },
      { sku: 'RYE', currency: 'EUR', orders: 1, pieces: 7, amount: 1400, cancelled_pieces: 7 },
      { sku: 'YEAST', currency: 'EUR', orders: 2, pieces: 6, amount: 720, cancelled_pieces: 0 },
      { sku: 'SALT', currency: 'EUR', orders: 2, pieces: 4, amount: 396, cancelled_pieces: 4 },
      { sku: 'YEAST', currency: 'USD', orders: 1, pieces: 1, amount: 150, cancelled_pieces: 0 },
    ]);
  });

  test('payment-failures has days and reasons', async () => {
    expect(await ask('payment-failures')).toEqual([
      { day: '2026-03-02', reason: 'card_declined', currency: 'EUR', failures: 1, orders: 1, amount: 3490 },
    ]);
  });

  test('order-values has what was ordered, whatever became of it', async () => {
    expect(await ask('order-values')).toEqual([
      { day: '2026-03-01', currency: 'EUR', orders: 3, total: 1824, average: 608, smallest: 297, largest: 829 },
      { day: '2026-03-02', currency: 'EUR', orders: 3, total: 5229, average: 1743, smallest: 240, largest: 3490 },
      { day: '2026-03-02', currency: 'USD', orders: 1, total: 150, average: 150, smallest: 150, largest: 150 },
    ]);
  });

  test('time-to-confirm is measured by the time of the events', async () => {
    expect(await ask('time-to-confirm')).toEqual([
      { day: '2026-03-01', confirmed_orders: 2, shortest_seconds: 4, average_seconds: 4, longest_seconds: 4 },
      { day: '2026-03-02', confirmed_orders: 1, shortest_seconds: 4, average_seconds: 4, longest_seconds: 4 },
    ]);
  });

  test('orders-by-hour is in UTC', async () => {
    expect(await ask('orders-by-hour')).toEqual([
      { hour: '00', orders: 1 },
      { hour: '10', orders: 3 },
      { hour: '23', orders: 3 },
    ]);
  });

  test('stock-shortages has the pieces that were missing', async () => {
    expect(await ask('stock-shortages')).toEqual([
      { sku: 'RYE', orders: 1, requested_pieces: 7, missing_pieces: 5 },
      { sku: 'SALT', orders: 1, requested_pieces: 1, missing_pieces: 1 },
    ]);
  });
});

describe('a range of days', () => {
  test('takes the money of those days', async () => {
    const of = (day: string) => revenueOfScript().filter((row) => row.day === day);
    expect(await ask('daily-revenue', ['2026-03-01', '2026-03-01'])).toEqual(of('2026-03-01'));
    expect(await ask('daily-revenue', ['2026-03-02', '2026-03-02'])).toEqual(of('2026-03-02'));
  });

  test('takes the orders that were placed on those days, with what became of them later', async () => {
    const first = scriptedOrders.filter(({ time }) => time.startsWith('2026-03-01'));
    expect(await ask('funnel', ['2026-03-01', '2026-03-01'])).toEqual(funnelOfScript(first));
  });

  test('without orders has no share', async () => {
    expect(await ask('funnel', ['2027-01-01', '2027-01-01'])).toContainEqual({
      ...{ step: 'placed', orders: 0, percent_of_placed: null },
    });
  });
});

/** In both Trino, which Athena runs, and DuckDB; those of lake-database.ts by its macros. */
const COMMON_FUNCTIONS = [
  ...['avg', 'cast', 'coalesce', 'count', 'max', 'min', 'nullif', 'round', 'row_number', 'substr', 'sum', 'unnest'],
  ...['from_iso8601_timestamp', 'json_array_length', 'json_extract', 'json_extract_scalar', 'sequence', 'to_unixtime'],
];

describe.each(queries.map((query): [string, NamedQuery] => [query.name, query]))('%s', (name, { sql, chart }) => {
  const code = sql.replace(/--.*$/gm, '').replace(/'[^']*'/g, "''");

  test('uses nothing but what Athena and DuckDB both have', () => {
    const called = [...code.matchAll(/\b([a-z_][a-z0-9_]*)\s*\(/gi)].map(([, word = '']) => word.toLowerCase());
    const keywords = ['in', 'as', 'and', 'or', 'numbers', 'by', 'over'];
    expect(called.filter((word) => ![...COMMON_FUNCTIONS, ...keywords].includes(word))).toEqual([]);
    // Casts, lists, regular expressions and clauses that one of them alone knows, and what ends a statement.
    expect(code).not.toMatch(/::|\bqualify\b|\bexclude\b|\bilike\b|\bpivot\b|[{}[\];~`]|\bgroup by all\b/i);
    expect(code).not.toMatch(/\binterval\b|\bdate\b/i);
  });

  test('reads the partitions of its days alone, and says which days by two parameters', () => {
    const tables = code.match(/FROM (events|views)\b/g) ?? [];
    expect(code.match(/\?/g)).toHaveLength(2 * tables.length);
    expect(code.match(/FROM (events|views)\s+WHERE (event|view)_date (BETWEEN \? AND \?|>= \?)/g)).toHaveLength(
      tables.length,
    );
  });

  test('draws columns that it has', async () => {
    const { columns } = await database.query(sql, ALL);
    const names = columns.map((column) => column.name);
    expect(names).toEqual(expect.arrayContaining(Object.values(chart)));
    expect(columns.find((column) => column.name === chart.value)?.isNumber).toBe(true);
  });

  test('is in the template of the service, with its description', () => {
    const [template] = ['catalog', 'views-on']
      .map((file) => readFileSync(join(queryDirectory, '..', `${file}.yml`), 'utf8'))
      .filter((text) => text.includes(`lake/queries/${name}.sql`));
    const { description } = queries.find((query) => query.name === name) as NamedQuery;
    expect(template).toContain(`Name: ${name}\n      Description: '${description}'`);
    expect(template).toContain(`QueryString: \${file(lake/queries/${name}.sql)}`);
  });
});
