import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DynamoDbUnderTest } from '../../../fixtures/dynamodb-under-test.ts';
import { createTable } from './tables.ts';

const properties = {
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
  TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
  Tags: [{ Key: 'team', Value: 'orders' }],
};
const byKind = {
  IndexName: 'byKind',
  KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
  Projection: { ProjectionType: 'ALL' },
};
const withKind = [...properties.AttributeDefinitions, { AttributeName: 'kind', AttributeType: 'S' }];
let dataDirectory: string;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

const create = ({ dynamodb }: DynamoDbUnderTest, changes: object = {}) =>
  createTable((operation, input) => dynamodb.call(operation, input), 'orders', { ...properties, ...changes });

test('a table is created as its properties say', async () => {
  await using db = new DynamoDbUnderTest();
  const { streamArn } = await create(db);
  expect(streamArn).toMatch(
    /^arn:aws:dynamodb:us-east-1:000000000000:table\/orders\/stream\/2026-01-01T00:00:00\.000$/,
  );
  const { Table } = await db.call('DescribeTable', { TableName: 'orders' });
  expect(Table).toMatchObject({
    KeySchema: properties.KeySchema,
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
  });
  const { TimeToLiveDescription } = await db.call('DescribeTimeToLive', { TableName: 'orders' });
  expect(TimeToLiveDescription).toEqual({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' });
  expect((await db.call('ListTagsOfResource', { ResourceArn: Table.TableArn })).Tags).toEqual(properties.Tags);
});

test('a data directory keeps items, streams and when items expire; other keys than before are an error', async () => {
  const Item = { pk: { S: 'a' }, kind: { S: 'k' }, ttl: { N: String(Date.UTC(2026, 0, 2) / 1000) } };
  const before = await (async () => {
    await using db = new DynamoDbUnderTest({ dataDirectory });
    const created = await create(db);
    await db.call('PutItem', { TableName: 'orders', Item });
    return created;
  })();
  await using db = new DynamoDbUnderTest({ dataDirectory });
  expect(await create(db)).toEqual(before);
  const get = () => db.call('GetItem', { TableName: 'orders', Key: { pk: { S: 'a' } } });
  expect(await get()).toEqual({ Item });
  await expect(create(db, { KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] })).rejects.toThrow(
    'Table orders is already there with other keys or local indexes',
  );
  await db.clock.advance(25 * 60 * 60 * 1000);
  expect(await get()).toEqual({});
});

test('what a template says later is made of the table that is there, and its items stay', async () => {
  await using db = new DynamoDbUnderTest();
  const first = await create(db);
  await db.call('PutItem', { TableName: 'orders', Item: { pk: { S: 'a' }, kind: { S: 'k' } } });
  const changed = await create(db, {
    AttributeDefinitions: withKind,
    GlobalSecondaryIndexes: [byKind],
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    TimeToLiveSpecification: undefined,
    DeletionProtectionEnabled: true,
  });
  expect(changed.streamArn).not.toBe(first.streamArn);
  const query = {
    TableName: 'orders',
    IndexName: 'byKind',
    KeyConditionExpression: 'kind = :k',
    ExpressionAttributeValues: { ':k': { S: 'k' } },
  };
  expect((await db.call('Query', query)).Count).toBe(1);
  await expect(db.call('DeleteTable', { TableName: 'orders' })).rejects.toThrow('protected against deletion');
  await create(db);
  await expect(db.call('Query', query)).rejects.toThrow('The table does not have the specified index: byKind');
  expect((await db.call('DescribeTimeToLive', { TableName: 'orders' })).TimeToLiveDescription).toMatchObject({
    TimeToLiveStatus: 'ENABLED',
  });
});
