import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient, GetCommand, PutCommand } from '@millrace/aws';
import { parseEnvelope } from '@millrace/events';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, sampleEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { cohortsOf } from '../domain/cohorts.ts';
import { Cohorts } from './cohorts.ts';

const TableName = 'cohorts';
const Key = { pk: 'COHORTS#2026', sk: '2026-01-15#0' };

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable(TableName);
});
afterAll(() => dynamoDb.stop());

test('a day of an earlier release, whose item was to expire, is read as others are, and stays once it is written again', async () => {
  const table = { client: documentClient(), name: TableName };
  const cohorts = new Cohorts(table, { retentionDays: 400, random: () => 0 });
  const Item = { ...Key, customers: 1, orders: 1, 'ordered.EUR': 500, ttl: 1_802_000_000 };
  await table.client.send(new PutCommand({ TableName, Item }));
  const ordered = async () =>
    cohortsOf(await cohorts.between('2026-01-15', '2026-01-16'), 'day').map((cohort) => cohort.ordered);
  expect(await ordered()).toEqual([{ EUR: 500 }]);

  const placed = sampleEvent(
    OrderPlaced,
    { total: { amount: 300, currency: 'EUR' } },
    { time: new Date('2026-01-15') },
  );
  const variant = placed.analyticsVariant((id) => `p-${id}`);
  await cohorts.record([OrderPlaced.analytics.parse(parseEnvelope(envelopeText(variant as never)))]);

  expect(await ordered()).toEqual([{ EUR: 800 }]);
  const { Item: kept } = await table.client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  expect(kept).not.toHaveProperty('ttl');
});
