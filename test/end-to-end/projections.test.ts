import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient, paginateScan } from '@millrace/aws';
import { EmittedEvents } from '@millrace/event-store';
import {
  type Pointer,
  Pointers,
  type Projection,
  ProjectionReader,
  ProjectionTable,
  type RebuildSummary,
  rebuild,
} from '@millrace/projections';
import { eventually } from '@millrace/testing';
import * as projections from '../../services/orders/projections/index.ts';
import { startScript } from '../run-script.ts';
import { Aws } from './aws.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

/** Orders before a rebuild, and while it is under way. */
const BEFORE = 20;
const MEANWHILE = 20;

const all: readonly Projection[] = Object.values(projections) as Projection[];

let system: System;
let shop: Shop;
let aws: Aws;
let emitted: EmittedEvents;
let table: ProjectionTable;
let pointers: Pointers;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = documentClient({ endpoint: system.awsUrl, region: 'us-east-1', credentials });
  emitted = new EmittedEvents(client, 'millrace-orders-dev');
  table = new ProjectionTable(client, 'millrace-orders-dev-projections');
  pointers = new Pointers(table);
});
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

/** Waits until these orders are as they end in each of the read models, and nothing else is under way. */
async function settled(cancelled: number): Promise<void> {
  await eventually(
    async () => {
      const list = await shop.request('GET', '/orders?limit=100&status=CANCELLED');
      expect(list.body.orders).toHaveLength(cancelled);
      // Where they could not be written together, one may be behind the others.
      for (const projection of all) {
        const items = await itemsOf(projection);
        const events = projection.events.filter(({ name }) => /^Order(Placed|Cancelled)$/.test(name)).length;
        for (const { orderId } of list.body.orders) {
          expect(items.get(`MARK#${orderId} MARK`)).toMatchObject({ events });
        }
      }
    },
    { intervalMs: 500 },
  );
  await aws.quiet();
}

async function pointerOf({ name }: Projection): Promise<Pointer> {
  const [pointer] = await pointers.read([name]);
  if (!pointer) throw new Error(`No pointer of ${name}`);
  return pointer;
}

/** Every item of the version that is read, by its key without the version. */
async function itemsOf(projection: Projection): Promise<Map<string, unknown>> {
  const prefix = `${projection.name}#${(await pointerOf(projection)).live}#`;
  const items = new Map<string, unknown>();
  for await (const { Items = [] } of paginateScan(table.client, { TableName: table.tableName })) {
    for (const { pk, sk, ...item } of Items) {
      if (pk.startsWith(prefix)) items.set(`${pk.slice(prefix.length)} ${sk}`, item);
    }
  }
  return items;
}

/** Rebuilds a projection as `npm run rebuild` does, without another process that has to start first, and takes others for dead soon. */
async function rebuilt(projection: Projection): Promise<RebuildSummary> {
  const leaseTimes = { beatEvery: 100, deadAfter: 1_000 };
  const summary = await rebuild({ emitted, table, projection, leaseTimes });
  expect(summary.outcome).toBe('complete');
  return summary;
}

test('the read models follow from orders', async () => {
  const customer = new Shop(system);
  const sku = await customer.stocked(5);
  const confirmed = await customer.place(orderOf(sku, 2, { currency: 'XPF' }));
  await customer.orderWith(confirmed, 'OrderConfirmed');
  const cancelled = await customer.place(orderOf(sku, 1, { currency: 'XPF', paymentToken: 'tok_declined' }));
  await customer.orderWith(cancelled, 'OrderCancelled');

  await eventually(async () => {
    const { body } = await customer.request('GET', '/orders');
    expect(body.orders).toMatchObject([
      { orderId: cancelled, status: 'CANCELLED', total: { amount: 349, currency: 'XPF' } },
      { orderId: confirmed, status: 'CONFIRMED', total: { amount: 698, currency: 'XPF' } },
    ]);
    const sales = await customer.request('GET', `/reports/daily-sales?from=${today()}&to=${today()}`);
    expect(sales.body.days.filter(({ currency }) => currency === 'XPF')).toEqual([
      { day: today(), currency: 'XPF', confirmed: 1, revenue: 698, cancelled: 1 },
    ]);
    const { rows: summaries } = await new ProjectionReader(table).query(projections.orderSummary, confirmed);
    expect(summaries.map(({ row }) => row)).toMatchObject([
      { orderId: confirmed, customerId: customer.customerId, status: 'CONFIRMED', pieces: 2, skus: 1 },
    ]);
  });
});

test('rebuilds while orders arrive end equal to the live projections, item by item', async () => {
  // Suites begin with empty queues: with those that were emptied, the read models have lost events of earlier suites' orders.
  for (const projection of all) await rebuilt(projection);
  const sku = await shop.stocked(0);
  await placeOrders(BEFORE, sku);
  await settled(BEFORE);
  const before = new Map(await Promise.all(all.map(async (each) => [each, await itemsOf(each)] as const)));

  let arriving = true;
  const orders = placeOrders(MEANWHILE, sku).finally(() => {
    arriving = false;
  });
  const rebuilds = async () => {
    while (arriving) await Promise.all(all.map(rebuilt));
  };
  await Promise.all([orders, rebuilds()]);
  await settled(BEFORE + MEANWHILE);

  for (const projection of all) {
    const items = await itemsOf(projection);
    // What was finished before is as the live projection had it.
    if (projection !== projections.dailySales) {
      for (const [key, item] of before.get(projection) ?? []) expect(items.get(key)).toEqual(item);
    }
    // And all of it is what a rebuild makes of it when nothing happens.
    await rebuilt(projection);
    expect(await itemsOf(projection)).toEqual(items);
  }
}, 400_000);

test('a rebuild that is killed goes on when it is started again, and nobody notices', async () => {
  const projection: Projection = projections.orderSummary as Projection;
  const before = await itemsOf(projection);
  const { live } = await pointerOf(projection);

  // In so many segments that it takes a while.
  const { child, ended } = startScript('rebuild', [projection.name, '--segments', '32', '--endpoint', system.awsUrl]);
  // It has named the new version, and is about to read.
  await eventually(async () => expect((await pointerOf(projection)).building).toBeTruthy(), { intervalMs: 5 });
  child.kill('SIGKILL');

  expect(await ended).toMatchObject({ signal: 'SIGKILL' });
  expect((await pointerOf(projection)).live).toBe(live);
  expect((await shop.request('GET', '/orders')).body.orders).toHaveLength(20);
  expect(await itemsOf(projection)).toEqual(before);

  expect(await rebuilt(projection)).toMatchObject({ resumed: true, live: live + 1 });
  expect(await pointerOf(projection)).toEqual({ live: live + 1 });
  expect(await itemsOf(projection)).toEqual(before);
});

test('an event that has waited in vain for the one before it is a dead letter that says so; put back after that one, it counts', async () => {
  const letters = 'millrace-orders-dev-project-orders-dlq';
  const operator = new Operator(system);
  const customer = new Shop(system);
  const listed = async () =>
    (await customer.request('GET', '/orders')).body.orders.map(({ status }: { status: string }) => status);

  const QueueUrl = await aws.queueUrl('orders', 'project-orders');
  const resume = await aws.pause('orders', 'projectOrders');
  const orderId = await customer.place(orderOf(await customer.stocked(5)));
  await customer.orderWith(orderId, 'OrderConfirmed');
  const taken = new Map<string, string>();
  await eventually(async () => {
    for (const { Body = '' } of await aws.takeAll(QueueUrl)) taken.set(JSON.parse(Body)['detail-type'], Body);
    expect([...taken.keys()].sort()).toEqual(['OrderConfirmed.v1', 'OrderPlaced.v1']);
  });
  await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: taken.get('OrderConfirmed.v1') }));
  // All attempts but the last one: with the time between them they would take minutes.
  for (let attempt = 1; attempt < 10; attempt += 1) {
    await eventually(async () => {
      const { Messages } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
      expect(Messages).toHaveLength(1);
    });
  }
  await resume();

  await aws.depthOfAtLeast(letters, 1);
  const found = await eventually(async () => {
    const all = await operator.inspect(letters);
    expect(all).not.toEqual([]);
    return all;
  });
  // A message that came to its consumer twice left two letters.
  for (const letter of found) {
    expect(letter).toMatchObject({
      event: { detailType: 'OrderConfirmed.v1' },
      reason: { code: 'SEQUENCE_GAP', consumer: 'orders.projectOrders', message: expect.stringContaining(orderId) },
    });
  }
  expect(await listed()).toEqual([]);

  await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: taken.get('OrderPlaced.v1') }));
  await eventually(async () => expect(await listed()).toEqual(['PLACED']));
  await operator.redrive('redrive', 'orders.projectOrders');
  await eventually(async () => expect(await listed()).toEqual(['CONFIRMED']));
});
