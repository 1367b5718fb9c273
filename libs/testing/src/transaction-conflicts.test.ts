import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient, PutCommand, TransactWriteCommand } from '@millrace/aws';
import { startTestDynamoDb, type TestDynamoDb } from './dynamodb.ts';
import { injectThrottling, TransactionConflicts } from './transaction-conflicts.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('items');
});
afterAll(() => dynamoDb.stop());

const key = (pk: string) => ({ pk, sk: 'ITEM' });
const put = (pk: string) => ({ Put: { TableName: 'items', Item: key(pk) } });
const check = (pk: string) => ({
  ConditionCheck: { TableName: 'items', Key: key(pk), ConditionExpression: 'attribute_not_exists(absent)' },
});
const transaction = (...TransactItems: object[]) => new TransactWriteCommand({ TransactItems: TransactItems as [] });

test('a transaction that meets another one, if only where that one checks, is cancelled with a reason for each item', async () => {
  const conflicts = new TransactionConflicts({ occupiesMs: 20 });
  const [first, second] = [documentClient(), documentClient()].map((client) => conflicts.inject(client));

  const winner = first?.send(transaction(put('a'), check('b')));
  await expect(second?.send(transaction(put('c'), put('b')))).rejects.toMatchObject({
    name: 'TransactionCanceledException',
    CancellationReasons: [{ Code: 'None' }, { Code: 'TransactionConflict' }],
  });
  await winner;

  expect(conflicts).toMatchObject({ transactions: 2, conflicts: 1 });
});

test('another write meets it as well; other items, and the same one afterwards, are free', async () => {
  const conflicts = new TransactionConflicts({ occupiesMs: 20 });
  const client = conflicts.inject(documentClient());
  const write = (pk: string) => client.send(new PutCommand({ TableName: 'items', Item: key(pk) }));

  const transacting = client.send(transaction(put('a')));
  await expect(write('a')).rejects.toMatchObject({ name: 'TransactionConflictException' });
  await write('b');
  await client.send(transaction(put('c')));
  await transacting;
  await write('a');

  expect(conflicts.conflicts).toBe(1);
});

test('a throttled client refuses what it is told to', async () => {
  const client = injectThrottling(documentClient(), (operation) => operation === 'PutItem');

  await expect(client.send(new PutCommand({ TableName: 'items', Item: key('a') }))).rejects.toMatchObject({
    name: 'ProvisionedThroughputExceededException',
  });
  await client.send(transaction(put('a')));
});
