import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keyOf, thingsTable } from '../../../../fixtures/dynamodb-under-test.ts';
import { DynamoDbEngine } from '../engine/index.ts';
import { SqliteJournal } from './sqlite-journal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const path = () => join(directory, 'dynamodb.db');

// Answers are JSON of any operation.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Answer = any;

interface Opened {
  journal: SqliteJournal;
  engine: DynamoDbEngine;
  call(operation: string, input: object): Answer;
}

function open({ now = Date.now, ...options }: { maxPages?: number; now?: () => number } = {}): Opened {
  const journal = new SqliteJournal(path(), options);
  const engine = new DynamoDbEngine({ journal, now });
  return {
    journal,
    engine,
    call: (operation, input) => engine.execute(operation, { TableName: 'things', ...input }),
  };
}

/** All records of the table's stream that can be read. */
function recordsOf({ call }: Opened): Answer[] {
  const StreamArn = call('DescribeTable', {}).Table.LatestStreamArn;
  const { Shards } = call('DescribeStream', { StreamArn }).StreamDescription;
  return Shards.flatMap(({ ShardId }: Answer) => {
    const start = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    return call('GetRecords', call('GetShardIterator', start)).Records;
  });
}

const item = (pk: string, text = '') => ({ ...keyOf(pk), text: { S: text } });
const transaction = (ClientRequestToken: string, pk: string) => ({
  ClientRequestToken,
  TransactItems: [{ Put: { TableName: 'things', Item: keyOf(pk), ConditionExpression: 'attribute_not_exists(pk)' } }],
});

test('everything is there again: items, indexes, tags, streams with their records, request tokens', async () => {
  const first = open();
  first.call('CreateTable', {
    ...thingsTable,
    LocalSecondaryIndexes: [
      {
        IndexName: 'byText',
        KeySchema: [thingsTable.KeySchema[0], { AttributeName: 'text', KeyType: 'RANGE' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
    AttributeDefinitions: [...thingsTable.AttributeDefinitions, { AttributeName: 'text', AttributeType: 'S' }],
    Tags: [{ Key: 'team', Value: 'orders' }],
  });
  for (const name of ['a', 'b', 'c']) first.call('PutItem', { Item: item(name, 'one') });
  first.call('PutItem', { Item: item('a', 'two') });
  first.call('DeleteItem', { Key: keyOf('b') });
  first.call('TransactWriteItems', transaction('token', 'd'));
  const table = first.call('DescribeTable', {});
  first.journal.close();

  const again = open();
  expect(again.call('DescribeTable', {})).toEqual(table);
  const keys = again.call('Scan', {}).Items.map(({ pk }: Answer) => pk.S);
  expect(keys.sort()).toEqual(['a', 'c', 'd']);
  const query = {
    IndexName: 'byText',
    KeyConditionExpression: 'pk = :a AND #t = :two',
    ExpressionAttributeNames: { '#t': 'text' },
    ExpressionAttributeValues: { ':a': { S: 'a' }, ':two': { S: 'two' } },
  };
  expect(again.call('Query', query).Count).toBe(1);
  expect(again.call('TransactWriteItems', transaction('token', 'd'))).toEqual({});
  expect(recordsOf(again).map(({ eventName }: Answer) => eventName)).toEqual([
    ...['INSERT', 'INSERT', 'INSERT', 'MODIFY', 'REMOVE', 'INSERT'],
  ]);
  again.call('PutItem', { Item: item('e', 'one') });
  expect(new Set(recordsOf(again).map(({ dynamodb }) => dynamodb.SequenceNumber)).size).toBe(7);
  again.journal.close();
});

test('a table that is deleted and made anew begins without items', () => {
  const first = open();
  first.call('CreateTable', thingsTable);
  first.call('PutItem', { Item: item('a') });
  first.call('DeleteTable', {});
  first.call('CreateTable', thingsTable);
  first.call('PutItem', { Item: item('b') });
  first.journal.close();
  const again = open();
  expect(again.call('Scan', {}).Items).toEqual([item('b')]);
  expect(again.call('ListStreams', {}).Streams).toHaveLength(2);
  again.journal.close();
});

test('what happens in one turn of the event loop is kept by one commit', async () => {
  const { journal, call } = open();
  call('CreateTable', thingsTable);
  const kept = journal.committed();
  for (let count = 0; count < 10; count += 1) call('PutItem', { Item: item(`i${count}`) });
  expect(journal.committed()).toBe(kept);
  await kept;
  expect(journal.committed()).toBeUndefined();
  journal.close();
});

test('only one process has the file', () => {
  const { journal } = open();
  expect(() => open()).toThrow(`The data of DynamoDB in ${path()} is in use by another process`);
  journal.close();
  open().journal.close();
});

describe('when the disk is full', () => {
  test('the writes of the turn are undone and refused with the reason, and later ones are kept', async () => {
    const { journal, call, engine } = open({ maxPages: 60 });
    call('CreateTable', thingsTable);
    call('PutItem', { Item: item('kept', 'x'.repeat(1000)) });
    await journal.committed();

    call('PutItem', { Item: item('kept', 'lost') });
    call('UpdateTimeToLive', { TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } });
    call('TransactWriteItems', transaction('token', 'lost'));
    call('PutItem', { Item: item('large', 'x'.repeat(390_000)) });
    call('CreateTable', { ...thingsTable, TableName: 'lost' });
    await expect(journal.committed()).rejects.toThrow(/the disk is full: free some space and try again/);

    expect(call('Scan', {}).Items).toEqual([item('kept', 'x'.repeat(1000))]);
    expect(call('DescribeTimeToLive', {}).TimeToLiveDescription.TimeToLiveStatus).toBe('DISABLED');
    expect(engine.table('lost')).toBeUndefined();

    call('TransactWriteItems', transaction('token', 'small'));
    await journal.committed();
    journal.close();

    const again = open();
    expect(again.call('Scan', {}).Count).toBe(2);
    expect(recordsOf(again)).toHaveLength(2);
    again.journal.close();
  });

  test('a table keeps the stream that it had, and takes the same change later', async () => {
    const opened = open({ maxPages: 60 });
    const { journal, call } = opened;
    call('CreateTable', thingsTable);
    await journal.committed();
    const stream = call('DescribeTable', {}).Table.LatestStreamArn;
    const failing = async (StreamSpecification: object) => {
      call('UpdateTable', { StreamSpecification });
      call('PutItem', { Item: item('large', 'x'.repeat(390_000)) });
      await expect(journal.committed()).rejects.toThrow('the disk is full');
    };

    await failing({ StreamEnabled: false });
    call('PutItem', { Item: item('a') });
    await journal.committed();
    expect(call('DescribeTable', {}).Table.LatestStreamArn).toBe(stream);
    expect(recordsOf(opened)).toHaveLength(1);

    call('UpdateTable', { StreamSpecification: { StreamEnabled: false } });
    await journal.committed();
    await failing(thingsTable.StreamSpecification);
    call('UpdateTable', { StreamSpecification: thingsTable.StreamSpecification });
    call('PutItem', { Item: item('b') });
    await journal.committed();
    expect(recordsOf(opened)).toHaveLength(1);
    journal.close();
  });

  test('records of a stream that cannot be deleted stay, and the next ones get numbers of their own', async () => {
    const day = 25 * 60 * 60 * 1000;
    let time = Date.UTC(2026, 0, 1);
    const now = () => time;
    const first = open({ maxPages: 60, now });
    first.call('CreateTable', thingsTable);
    for (const name of ['a', 'b']) first.call('PutItem', { Item: item(name) });
    await first.journal.committed();
    time += day;
    expect(recordsOf(first)).toEqual([]);
    first.call('PutItem', { Item: item('large', 'x'.repeat(390_000)) });
    await expect(first.journal.committed()).rejects.toThrow('the disk is full');
    first.call('PutItem', { Item: item('c') });
    time += day;
    expect(recordsOf(first)).toEqual([]);
    first.call('PutItem', { Item: item('d') });
    first.journal.close();

    const again = open({ now });
    again.call('PutItem', { Item: item('e') });
    const records = recordsOf(again);
    expect(records.map(({ dynamodb }) => dynamodb.Keys.pk.S)).toEqual(['d', 'e']);
    expect(new Set(records.map(({ dynamodb }) => dynamodb.SequenceNumber)).size).toBe(2);
    again.journal.close();
  });
});
