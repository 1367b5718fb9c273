import { setTimeout as delay } from 'node:timers/promises';
import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Pointer, Pointers, ProjectionReader, ProjectionTable } from '@millrace/projections';
import { eventually } from '@millrace/testing';
import * as projections from '../../services/orders/projections/index.ts';
import { type RunningScript, startScript } from '../run-script.ts';
import { Aws } from './aws.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

/** Orders before a rebuild, and while it is under way. */
const BEFORE = 150;
const MEANWHILE = 60;

const names = Object.values(projections).map(({ name }) => name);

let system: System;
let shop: Shop;
let aws: Aws;
let table: ProjectionTable;
let pointers: Pointers;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  table = new ProjectionTable(aws.dynamodb as DynamoDBDocumentClient, 'millrace-orders-dev-projections');
  pointers = new Pointers(table);
}, 90_000);
afterAll(() => system?.stop());

const today = () => new Date().toISOString().slice(0, 10);

/** Places orders, a few at a time. For want of stock each of them is cancelled. */
async function placeOrders(count: number, sku: string): Promise<void> {
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const customer = async () => {
    for (const _ of numbers) await shop.place(orderOf(sku));
  };
  await Promise.all(Array.from({ length: 6 }, customer));
}

async function pointerOf(name: string): Promise<Pointer> {
  const [pointer] = await pointers.read([name]);
  if (!pointer) throw new Error(`No pointer of ${name}`);
  return pointer;
}

/** Every item of the version that is read, by its key without the version. */
async function itemsOf(name: string): Promise<Map<string, unknown>> {
  const prefix = `${name}#${(await pointerOf(name)).live}#`;
  const items = new Map<string, unknown>();
  for await (const { Items = [] } of paginateScan({ client: aws.dynamodb }, { TableName: table.tableName })) {
    for (const { pk, sk, ...item } of Items) {
      if (pk.startsWith(prefix)) items.set(`${pk.slice(prefix.length)} ${sk}`, item);
    }
  }
  return items;
}

function startRebuild(name: string): RunningScript {
  return startScript('rebuild', [name, '--endpoint', system.awsUrl]);
}

async function rebuilt(name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await startRebuild(name).ended;
  if (exitCode !== 0) throw new Error(`rebuild ${name} ended with ${exitCode}: ${stdout}${stderr}`);
  return stdout;
}

test('the read models follow from orders', async () => {
  const customer = new Shop(system);
  const sku = await customer.stocked(5);
  const confirmed = await customer.place(orderOf(sku, 2, { currency: 'XTS' }));
  await customer.orderWith(confirmed, 'OrderConfirmed');
  const cancelled = await customer.place(orderOf(sku, 1, { currency: 'XTS', paymentToken: 'tok_declined' }));
  await customer.orderWith(cancelled, 'OrderCancelled');

  await eventually(
    async () => {
      const { body } = await customer.request('GET', '/orders');
      expect(body.orders).toMatchObject([
        { orderId: cancelled, status: 'CANCELLED', total: { amount: 349, currency: 'XTS' } },
        { orderId: confirmed, status: 'CONFIRMED', total: { amount: 698, currency: 'XTS' } },
      ]);
      const sales = await customer.request('GET', `/reports/daily-sales?from=${today()}&to=${today()}`);
      expect(sales.body.days.filter(({ currency }) => currency === 'XTS')).toEqual([
        { day: today(), currency: 'XTS', confirmed: 1, revenue: 698, cancelled: 1 },
      ]);
      const summaries = await new ProjectionReader(table).query(projections.orderSummary, confirmed);
      expect(summaries.map(({ row }) => row)).toMatchObject([
        { orderId: confirmed, customerId: customer.customerId, status: 'CONFIRMED', pieces: 2, skus: 1 },
      ]);
    },
    { deadlineMs: 20_000 },
  );
}, 60_000);

test('a rebuild while orders arrive ends equal to the live projection, item by item', async () => {
  const sku = await shop.stocked(0);
  await placeOrders(BEFORE, sku);
  await aws.quiet(120_000);
  const before = new Map(await Promise.all(names.map(async (name) => [name, await itemsOf(name)] as const)));

  const [outputs] = await Promise.all([Promise.all(names.map(rebuilt)), placeOrders(MEANWHILE, sku)]);
  await aws.quiet(120_000);

  for (const [index, name] of names.entries()) {
    expect(outputs[index]).toContain(`Version 2 of ${name} is read`);
    const items = await itemsOf(name);
    // What was finished before is as the live projection had it.
    if (name !== 'daily-sales') {
      expect([...items].filter(([key]) => before.get(name)?.has(key))).toHaveLength(before.get(name)?.size ?? 0);
      for (const [key, item] of before.get(name) ?? []) expect(items.get(key)).toEqual(item);
    }
    // And all of it is what a rebuild makes of it when nothing happens.
    await rebuilt(name);
    expect(await itemsOf(name)).toEqual(items);
  }
  const list = await shop.request('GET', '/orders?limit=100&status=CANCELLED');
  expect(list.body.orders).toHaveLength(100);
}, 300_000);

test('a rebuild that is killed goes on when it is started again, and nobody notices', async () => {
  const [name = ''] = names;
  const before = await itemsOf(name);
  const { live } = await pointerOf(name);
  for (let kill = 0; kill < 2; kill += 1) {
    const { child, ended } = startRebuild(name);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    await eventually(
      async () => {
        const { building, rebuilder } = await pointerOf(name);
        expect(over || (building && rebuilder)).toBeTruthy();
      },
      { deadlineMs: 60_000, intervalMs: 5 },
    );
    // Anywhere: while it reads, writes, checkpoints, switches or deletes.
    await delay(Math.random() * 400);
    child.kill('SIGKILL');
    await ended;
    expect((await shop.request('GET', '/orders')).body.orders).toHaveLength(20);
    expect(await itemsOf(name)).toEqual(before);
  }

  await rebuilt(name);

  const pointer = await pointerOf(name);
  expect(pointer.live).toBeGreaterThan(live);
  expect(pointer).toEqual({ live: pointer.live });
  expect(await itemsOf(name)).toEqual(before);
}, 240_000);
