import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient, PutCommand } from '@millrace/aws';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { newCircuit } from './circuit.ts';
import { DynamoDbCircuitStore } from './index.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('circuits');
});
afterAll(() => dynamoDb.stop());

test.each([
  ['of another version', { status: 'closed', failures: 3 }],
  ['of a state that is not known', { status: 'ajar' }],
  ['without a window', { status: 'closed', window: {} }],
  ['that is a text', 'closed'],
])('an item %s begins anew, on condition like any other', async (_, circuit) => {
  const client = documentClient();
  const key = { pk: randomUUID(), sk: 'CIRCUIT' };
  await client.send(new PutCommand({ TableName: 'circuits', Item: { ...key, circuit, revision: 7 } }));
  const store = new DynamoDbCircuitStore({ client, name: 'circuits' }, key);

  expect(await store.load()).toEqual({ circuit: newCircuit, revision: 7 });
  expect(await store.save(newCircuit, 6)).toBe(false);
  expect(await store.save(newCircuit, 7)).toBe(true);
});
