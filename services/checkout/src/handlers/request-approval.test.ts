import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient, UpdateCommand } from '@millrace/aws';
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

test('a decision is the one of the request that it was made on, even when the approval is asked for again meanwhile', async () => {
  const orderId = randomUUID();
  await request(orderId, 'token-1', 0);
  const client = documentClient();
  const send = async (command: Parameters<DocumentClient['send']>[0]) => {
    const answer = await client.send(command);
    if (command instanceof UpdateCommand) await request(orderId, 'token-2', 1);
    return answer;
  };
  const slow = new Approvals({ client: { send } as DocumentClient, name: 'checkout' });

  const decided = await slow.decide(orderId, { approved: true, decidedBy: 'staff' });

  expect(decided).toMatchObject({ taskToken: 'token-1', decision: { approved: true }, wasDecided: false });
  expect(await approvals.find(orderId)).toMatchObject({ taskToken: 'token-2' });
});
