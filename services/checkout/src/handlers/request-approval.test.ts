import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { exampleOrder } from '@millrace/orders/events';
import { lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { Context } from 'aws-lambda';
import { Approvals } from '../adapters/approvals.ts';

let dynamoDb: TestDynamoDb;
let approvals: Approvals;
let handler: (event: unknown, context: Context) => Promise<unknown>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('checkout');
  process.env.MILLRACE_TABLE = 'checkout';
  approvals = new Approvals({ client: documentClient(), name: 'checkout' });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  handler = (await import('./request-approval.ts')).handler;
});
afterAll(() => dynamoDb.stop());

const request = (orderId: string, taskToken: string, attempt: number) =>
  handler(
    {
      ...{ idempotencyKey: `${orderId}:RequestApproval`, cause: { correlationId: 'correlation-1' } },
      ...{ order: { ...exampleOrder, process: 'checkout', orderId }, taskToken, attempt },
    },
    lambdaContext(),
  );

test('an approval that is asked for can be answered by its token', async () => {
  const orderId = randomUUID();
  expect(await approvals.find(orderId)).toBeUndefined();

  await request(orderId, 'token-1', 0);

  expect(await approvals.find(orderId)).toMatchObject({ taskToken: 'token-1' });
});

test('an approval that is asked for again can be answered by the last token, also when the first one comes late', async () => {
  const orderId = randomUUID();

  await request(orderId, 'token-2', 1);
  await request(orderId, 'token-1', 0);

  expect(await approvals.find(orderId)).toMatchObject({ taskToken: 'token-2' });
});
