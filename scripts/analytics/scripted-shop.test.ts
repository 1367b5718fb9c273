import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { delivered, ORDERS, scriptedShop } from '../../services/live-figures/fixtures/scripted-shop.ts';
import { writeLake } from './fixtures/scripted-shop.ts';
import { LakeDatabase } from './lake-database.ts';
import { readNamedQueries } from './named-queries.ts';

/*
 * The script of a thousand orders and what visitors looked at, which the suite of live-figures is held to as well: SQL over the lake gives
 * the same figures.
 */

const { start, events, views, expected } = scriptedShop();
const last = new Date(start.getTime() + 24 * 60 * 60 * 1000);
const days = [start, last].map((time) => time.toISOString().slice(0, 10)) as [string, string];

let directory: string;
let lake: LakeDatabase;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lake-'));
  const lines = events.map((text) => JSON.parse(text));
  // Firehose delivers what came in a minute, whatever that is of.
  lake = await LakeDatabase.open(writeLake(directory, [...delivered(lines, 11, 500), ...delivered(views, 11, 200)]));
});
afterAll(() => {
  lake?.[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(name: string) {
  const { sql = '' } = readNamedQueries().find((query) => query.name === name) ?? {};
  const { columns, rows } = await lake.query(sql, days);
  return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column.name, row[index]])));
}

const sum = (rows: Record<string, unknown>[], column: string) =>
  rows.reduce((all, row) => all + Number(row[column]), 0);

describe('after a thousand orders and hundreds of visits, whose events and views came twice and in any order', () => {
  test('the lake has more lines than there were events and views', async () => {
    const { rows } = await lake.query('SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM views)', days);
    const [[ofEvents, ofViews] = []] = rows;
    expect(Number(ofEvents)).toBeGreaterThan(events.length * 1.1);
    expect(Number(ofViews)).toBeGreaterThan(views.length * 1.1);
  });

  test('the funnel is that of the script', async () => {
    const { placed, reserved, paid, shipped, confirmed, delivered: delivery } = expected.funnel;
    expect(placed).toBe(ORDERS);
    expect(delivery).toBeGreaterThan(ORDERS / 10);
    const steps = (await ask('funnel')).map(({ step, orders }) => [step, orders]);
    expect(Object.fromEntries(steps)).toEqual({
      placed,
      reserved,
      paid,
      shipment: shipped,
      confirmed,
      delivered: delivery,
    });
  });

  test('the revenue of each day is that of the script, in each currency', async () => {
    const found = (await ask('daily-revenue')).map(({ day, currency, net, ...money }) => {
      expect(net).toBe(Number(money.taken) - Number(money.refunded));
      return [`${day} ${currency}`, money];
    });
    expect(found).toHaveLength(4);
    expect(Object.fromEntries(found)).toEqual(expected.revenue);
  });

  test('views and sessions are those of the script', async () => {
    expect(sum(await ask('page-views'), 'views')).toBe(expected.views);
    const lengths = Object.fromEntries((await ask('session-lengths')).map(({ views: of, sessions }) => [of, sessions]));
    const said = (from: number, to: number) =>
      Object.entries(expected.sessionsByViews).reduce(
        (all, [length, sessions]) => (Number(length) >= from && Number(length) <= to ? all + sessions : all),
        0,
      );
    expect(lengths).toEqual({
      ...{ '1': said(1, 1), '2 to 3': said(2, 3), '4 to 6': said(4, 6), '7 to 12': said(7, 12) },
      ...(said(13, 99) > 0 && { '13 and more': said(13, 99) }),
    });
  });

  test('each product has its viewers and its orders', async () => {
    const rows = await ask('product-conversion');
    expect(rows).toHaveLength(20);
    for (const { sku, sessions, orders, pieces, orders_per_100_sessions: rate } of rows) {
      const key = String(sku);
      expect({ sku, sessions, orders, pieces }).toEqual({
        ...{ sku, sessions: expected.viewers[key], orders: expected.orders[key], pieces: expected.pieces[key] },
      });
      expect(rate).toBeCloseTo((100 * Number(orders)) / Number(sessions), 0);
    }
  });

  test('each day has its ten products that most looked at', async () => {
    const rows = await ask('product-views');
    const ofDays = Map.groupBy(rows, ({ day }) => day);
    expect([...ofDays.keys()]).toEqual([days[0], new Date(start.getTime() + 3_700_000).toISOString().slice(0, 10)]);
    for (const products of ofDays.values()) {
      expect(products).toHaveLength(10);
      const sessions = products.map((product) => Number(product.sessions));
      expect(sessions).toEqual([...sessions].sort((one, other) => other - one));
    }
  });
});

describe('a lake without views', () => {
  test('has a table without rows, so that queries of views answer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lake-'));
    try {
      const lines = events.slice(0, 3).map((text) => JSON.parse(text));
      using other = await LakeDatabase.open(writeLake(folder, [lines]));
      for (const { name, sql } of readNamedQueries().filter(({ sql: text }) => text.includes('FROM views'))) {
        expect([name, (await other.query(sql, days)).rows]).toEqual([name, []]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
