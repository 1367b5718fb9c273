import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { documentClient, paginateScan } from '@millrace/aws';
import { consumeBatch } from '@millrace/consumer';

import { ShipmentCreated } from '@millrace/fulfillment/events';
import { OrderCancelled, OrderPlaced } from '@millrace/orders/events';
import { consumerSettings, envelopeText, SqsQueue, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { injectThrottling, TransactionConflicts } from '@millrace/testing/transaction-conflicts';
import { Warehouse } from './warehouse.ts';

/** As serverless.yml has them. */
const CONTAINERS = 2;
const BATCH_SIZE = 10;

const settings = consumerSettings('inventory.test');
const cause = {
  correlationId: 'correlation-1',
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
};

let dynamoDb: TestDynamoDb;
let tableName: string;
let conflicts: TransactionConflicts;
let throttles = () => false;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());
beforeEach(async () => {
  throttles = () => false;
  tableName = `inventory-${randomUUID()}`;
  await dynamoDb.createTable(tableName);
  conflicts = new TransactionConflicts({ occupiesMs: 10 });
});

/** A container: a warehouse with a client of its own. */
const newWarehouse = () => {
  const client = injectThrottling(conflicts.inject(documentClient()), () => throttles());
  return new Warehouse({ client, name: tableName });
};

const reserving = (queue: SqsQueue) => {
  const warehouse = newWarehouse();
  return consumeBatch(
    [OrderPlaced],
    (records) =>
      warehouse.reserve(
        records.map(({ event: { data: order }, context }) => ({ orderId: order.orderId, order, ...context })),
      ),
    {},
    { settings, sqs: queue.sqs },
  );
};
const releasing = (queue: SqsQueue) => {
  const warehouse = newWarehouse();
  return consumeBatch(
    [OrderCancelled],
    (records) => warehouse.release(records.map(({ event, context }) => ({ orderId: event.data.orderId, ...context }))),
    {},
    { settings, sqs: queue.sqs },
  );
};
const shipping = (queue: SqsQueue) => {
  const warehouse = newWarehouse();
  return consumeBatch(
    [ShipmentCreated],
    (records) => warehouse.ship(records.map(({ event, context }) => ({ orderId: event.data.orderId, ...context }))),
    {},
    { settings, sqs: queue.sqs },
  );
};
const containers = <Container>(make: (queue: SqsQueue) => Container, queue: SqsQueue, count = CONTAINERS) =>
  Array.from({ length: count }, () => make(queue));

const lines = [{ sku: 'FLOUR', quantity: 1, unitPrice: 100 }];
const ordersOf = (count: number) => Array.from({ length: count }, () => randomUUID());
const placed = (orderId: string) => envelopeText(sampleEvent(OrderPlaced, { orderId, lines }));
const cancelled = (orderId: string) => envelopeText(sampleEvent(OrderCancelled, { orderId, lines }));
const shipped = (orderId: string) => envelopeText(sampleEvent(ShipmentCreated, { orderId, lines }));

/** How often each event was stored for the relay. */
async function emitted(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const client = documentClient();
  for await (const { Items = [] } of paginateScan(client, { TableName: tableName })) {
    for (const { outbox } of Items) if (outbox) counts[outbox.detailType] = (counts[outbox.detailType] ?? 0) + 1;
  }
  return counts;
}

describe('waiting orders of one SKU, where transactions that meet are cancelled,', () => {
  test('2,000 of them, are all decided, without a dead letter, by fewer transactions than there are orders', async () => {
    await newWarehouse().setStock('FLOUR', { available: 1_500, lowStockThreshold: 100 }, cause);
    const queue = new SqsQueue(settings);
    queue.send(...ordersOf(2_000).map(placed));
    conflicts.transactions = 0;

    await queue.drain(containers(reserving, queue), { batchSize: BATCH_SIZE });

    expect(queue.deadLetters).toEqual([]);
    expect(conflicts.conflicts).toBeGreaterThan(0);
    expect(conflicts.transactions).toBeLessThan(1_000);
    expect(await newWarehouse().stock('FLOUR')).toMatchObject({ available: 0, reserved: 1_500 });
    expect(await emitted()).toEqual({
      'StockReserved.v1': 1_500,
      'StockReservationFailed.v1': 500,
      'StockRanLow.v1': 1,
    });
  });

  test('are given back and shipped in the same way, while as many are reserved', async () => {
    await newWarehouse().setStock('FLOUR', { available: 1_000, lowStockThreshold: 0 }, cause);
    const orders = ordersOf(300);
    const queue = new SqsQueue(settings);
    queue.send(...orders.map(placed));
    await queue.drain(containers(reserving, queue), { batchSize: BATCH_SIZE });
    const [coming, going, leaving] = [new SqsQueue(settings), new SqsQueue(settings), new SqsQueue(settings)];
    coming.send(...ordersOf(300).map(placed));
    going.send(...orders.slice(0, 100).map(cancelled));
    leaving.send(...orders.slice(100).map(shipped));
    conflicts.transactions = 0;

    await Promise.all([
      coming.drain(containers(reserving, coming), { batchSize: BATCH_SIZE }),
      going.drain(containers(releasing, going), { batchSize: BATCH_SIZE }),
      leaving.drain(containers(shipping, leaving), { batchSize: BATCH_SIZE }),
    ]);

    expect([...coming.deadLetters, ...going.deadLetters, ...leaving.deadLetters]).toEqual([]);
    expect(conflicts.transactions).toBeLessThan(300);
    expect(await newWarehouse().stock('FLOUR')).toMatchObject({ available: 500, reserved: 300, shipped: 200 });
    expect(await emitted()).toEqual({ 'StockReserved.v1': 600, 'StockReleased.v1': 100 });
  });

  test('are late and not lost when the table throttles, reads and writes', async () => {
    await newWarehouse().setStock('FLOUR', { available: 100, lowStockThreshold: 0 }, cause);
    const queue = new SqsQueue(settings);
    queue.send(...ordersOf(100).map(placed));
    let requests = 0;
    // The first 150 requests, which is more than five attempts of each batch, and then every third.
    throttles = () => {
      requests += 1;
      return requests <= 150 || requests % 3 === 0;
    };

    await queue.drain(containers(reserving, queue), { batchSize: BATCH_SIZE });

    expect(queue.deadLetters).toEqual([]);
    expect(queue.deferrals).toBeGreaterThan(100 * settings.maxReceiveCount);
    throttles = () => false;
    expect(await newWarehouse().stock('FLOUR')).toMatchObject({ available: 0, reserved: 100 });
    expect(await emitted()).toEqual({ 'StockReserved.v1': 100 });
  });

  test('are late and not lost when the SKU is busier than the function has time for', async () => {
    await newWarehouse().setStock('FLOUR', { available: 50, lowStockThreshold: 0 }, cause);
    const queue = new SqsQueue(settings);
    queue.send(...ordersOf(50).map(placed));

    // Far more containers than the mapping allows, and hardly any time.
    await queue.drain(containers(reserving, queue, 20), { batchSize: 1, timeoutMs: 1_000 });

    expect(queue.deadLetters).toEqual([]);
    expect(queue.deferrals).toBeGreaterThan(0);
    expect(await newWarehouse().stock('FLOUR')).toMatchObject({ available: 0, reserved: 50 });
  });
});
