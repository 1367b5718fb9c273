import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EmittableEvent } from '@millrace/events';
import { StockReleased } from '@millrace/inventory/events';
import { sampleEvent } from '@millrace/testing';
import { Aws, type Tap } from './aws.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

const table = 'millrace-inventory-dev';
const letters = 'millrace-inventory-dev-relay-dlq';

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;
let tap: Tap;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-relay-'));
  system = await startSystem({ mayBeRefused: ['millrace-inventory-dev-relay events:PutEvents'] });
  shop = new Shop(system);
  aws = new Aws(system);
  operator = new Operator(system);
  tap = await aws.tap();
});
afterAll(async () => {
  await tap?.close();
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Stores events in the outbox of inventory, as its functions would. */
async function store(...events: EmittableEvent[]): Promise<void> {
  const PutRequests = events.map(({ entry }) => {
    const key = { pk: `RELAY-TEST#${randomUUID()}`, sk: `OUTBOX#${randomUUID()}` };
    return { PutRequest: { Item: { ...key, outbox: entry, ttl: Math.floor(Date.now() / 1_000) + 30 * 86_400 } } };
  });
  await aws.dynamodb.send(new BatchWriteCommand({ RequestItems: { [table]: PutRequests } }));
}

/** The letters that are there although all were redriven. */
const left = () => operator.leftIn(letters, () => operator.redrive('redrive', 'inventory.relay'));

/** An event that no consumer but the event log takes. */
const released = (orderId: string = randomUUID()) =>
  sampleEvent(StockReleased, { orderId }, { id: randomUUID(), subject: orderId, time: new Date() });
const orderOfEvent = ({ event }: EmittableEvent) => (event as { data: { orderId: string } }).data.orderId;

test('a row of another service is a dead letter at once, holds nothing back, and is emitted when it is mended', async () => {
  const strange = released();
  const forged = new EmittableEvent({ ...strange.entry, source: 'millrace.payments' });
  const neighbours = Array.from({ length: 9 }, () => released());

  await store(...neighbours.slice(0, 4), forged, ...neighbours.slice(4));

  for (const neighbour of neighbours) await tap.waitFor(orderOfEvent(neighbour), 'StockReleased.v1');
  await aws.depthOfAtLeast(letters, 1);
  const { stdout } = await operator.redrive('list');
  expect(stdout).toMatch(/millrace-inventory-dev-relay-dlq +1 .*NotAuthorizedForSourceException ×1/);
  const { stdout: inspected } = await operator.redrive('inspect', 'inventory.relay');
  expect(inspected).toContain('EventBridge refused it: NotAuthorizedForSourceException');

  // As long as the cause is there it is refused again, and the letter is there again.
  const again = await operator.redrive('redrive', 'inventory.relay');
  expect([again.exitCode, again.stdout]).toEqual([1, expect.stringContaining('refused again')]);

  const file = join(folder, 'letters.ndjson');
  expect((await operator.redrive('export', 'inventory.relay', file)).exitCode).toBe(0);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replaceAll('"source":"millrace.payments"', '"source":"millrace.inventory"'),
  );
  expect(await operator.redrive('import', file)).toMatchObject({ exitCode: 0 });
  // SQS may deliver the old letter once more, after it was deleted: a second import parks it again, and makes no second event.
  await operator.redrive('import', file);
  const mended = await operator.redrive('redrive', 'inventory.relay');
  expect([mended.exitCode, mended.stdout]).toEqual([
    0,
    expect.stringContaining('emitted by millrace-inventory-dev-relay'),
  ]);
  await tap.waitFor(orderOfEvent(strange), 'StockReleased.v1');
  expect(await left()).toEqual([]);

  // The row of the old event is still in the table, and its letter is parked: that one is not emitted any more.
  await aws.quiet();
  const swept = await operator.sweep('inventory', '--from', '10m', '--grace', '0s', '--dry-run');
  expect(swept.stdout).not.toContain('missing');
});

test('what a relay that stood still has never emitted, a sweep has it emit; coming late, the relay does no harm', async () => {
  const sku = await shop.stocked(5);
  const resume = await aws.pause('orders', 'relay');
  try {
    const orderId = await shop.place(orderOf(sku));

    const dryRun = await operator.sweep('orders', '--from', '10m', '--grace', '0s', '--dry-run');
    expect(dryRun.exitCode).toBe(1);
    expect(dryRun.stdout).toMatch(/OrderPlaced\.v1 {2}\S+ {2}missing/);

    const swept = await operator.sweep('orders', '--from', '10m', '--grace', '0s');
    expect([swept.exitCode, swept.stdout]).toEqual([0, expect.stringMatching(/OrderPlaced\.v1 {2}\S+ {2}emitted/)]);
    expect(swept.stderr).toMatch(/orders: stored from .* known to the event log, \d+ missing/);
    await tap.waitFor(orderId, 'OrderPlaced.v1', 'PaymentProcessed.v1', 'ShipmentCreated.v1');
  } finally {
    await resume();
  }
  await aws.quiet();
  const again = await operator.sweep('orders', '--from', '10m', '--grace', '0s');
  expect(again).toMatchObject({ exitCode: 0, stdout: '' });
  // Reserved once, although its OrderPlaced came twice.
  expect(await shop.stock(sku)).toMatchObject({ available: 4 });
});

test('records that Lambda gave up are a letter of positions; redriven, they are swept', async () => {
  const event = released();
  const resume = await aws.pause('inventory', 'relay');
  try {
    await store(event);
    // As Lambda writes it when the records are a day old: it says where they were, and not what was in them.
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const DDBStreamBatchInfo = {
      ...{ shardId: 'shardId-1', startSequenceNumber: '1', endSequenceNumber: '1', batchSize: 1 },
      ...{ approximateArrivalOfFirstRecord: now, approximateArrivalOfLastRecord: now },
      streamArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}/stream/1`,
    };
    const body = { requestContext: { condition: 'RecordAgeExceeded' }, version: '1.0', DDBStreamBatchInfo };
    await aws.sendAll(await aws.queueUrl('inventory', 'relay-dlq'), [JSON.stringify(body)]);
    expect((await operator.redrive('list')).stdout).toMatch(
      /millrace-inventory-dev-relay-dlq +1 .*RecordAgeExceeded ×1/,
    );

    const { exitCode, stdout } = await operator.redrive('redrive', 'inventory.relay');

    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/swept: \d+ events of their time had never been emitted/),
    ]);
    await tap.waitFor(orderOfEvent(event), 'StockReleased.v1');
    expect(await left()).toEqual([]);
  } finally {
    await resume();
  }
});
