import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { consumeBatch } from '@millrace/consumer';
import { EmittedEvents } from '@millrace/event-store';
import { ProjectionReader, ProjectionTable, Projector } from '@millrace/projections';
import { consumerSettings, envelopeText, SqsQueue, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { TransactionConflicts } from '@millrace/testing/transaction-conflicts';
import { OrderConfirmed, OrderPlaced } from '../../events/index.ts';
import { type DailySales, dailySalesPartitions, totalsOf } from '../../projections/daily-sales.ts';
import * as projections from '../../projections/index.ts';
import { streamOf } from './orders.ts';

/** As serverless.yml has them. */
const CONTAINERS = 2;
const BATCH_SIZE = 10;

const settings = consumerSettings('orders.test', { maxReceiveCount: 10, replays: 'handle' });

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('orders');
  await dynamoDb.createTable('read-models');
});
afterAll(() => dynamoDb.stop());

test('2,000 events of orders of one day are in the read models, without a dead letter, by fewer transactions than events', async () => {
  const conflicts = new TransactionConflicts({ occupiesMs: 10 });
  const queue = new SqsQueue(settings);
  const newContainer = () => {
    const client = conflicts.inject(documentClient());
    const history = { emitted: new EmittedEvents(client, 'orders'), streamOf };
    const projector = new Projector(new ProjectionTable(client, 'read-models'), Object.values(projections), history);
    return consumeBatch(
      [OrderPlaced, OrderConfirmed],
      async (records) => {
        const results = await projector.handleAll(records.map(({ event }) => event));
        return results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
      },
      { deduplication: 'permanent' },
      { settings, sqs: queue.sqs },
    );
  };
  for (let orders = 0; orders < 1_000; orders += 1) {
    const orderId = randomUUID();
    queue.send(
      envelopeText(sampleEvent(OrderPlaced, { orderId }, { subject: orderId, sequence: 1 })),
      envelopeText(sampleEvent(OrderConfirmed, { orderId }, { subject: orderId, sequence: 2 })),
    );
  }

  await queue.drain(Array.from({ length: CONTAINERS }, newContainer), { batchSize: BATCH_SIZE });

  expect(queue.deadLetters).toEqual([]);
  expect(conflicts.conflicts).toBeGreaterThan(0);
  expect(conflicts.transactions).toBeLessThan(1_000);
  const reader = new ProjectionReader(new ProjectionTable(documentClient(), 'read-models'));
  const shards = await Promise.all(
    dailySalesPartitions.map(async (shard) => (await reader.query<DailySales>(projections.dailySales, shard)).rows),
  );
  const confirmed = totalsOf(shards.flat().map(({ row }) => row)).reduce((sum, day) => sum + day.confirmed, 0);
  expect(confirmed).toBe(1_000);
});
