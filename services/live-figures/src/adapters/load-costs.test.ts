import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { costsOf } from '../../fixtures/load-model.ts';

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());

test.each([1, 10, 100, 1_000])(
  '%d events a second',
  async (perSecond) => {
    await dynamoDb.createTable(`load-${perSecond}`);
    const costs = await costsOf(perSecond, `load-${perSecond}`);
    process.stderr.write(`DBG ${perSecond} ${JSON.stringify(costs)}\n`);
    expect(costs.writeUnits).toBeLessThan(100);
  },
  120_000,
);
