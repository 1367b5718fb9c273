import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type DocumentClient, documentClient, GetCommand } from '@millrace/aws';
import { exampleOrder } from '@millrace/orders/events';
import { lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
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

test('approvers are told by an event that is stored with the request, once for all attempts', async () => {
  const orderId = randomUUID();

  await request(orderId, 'token-1', 0);
  await request(orderId, 'token-1', 0);
  await request(orderId, 'token-2', 1);

  const events = await storedEvents('checkout', orderId);
  expect(events).toMatchObject([
    {
      detailType: 'CheckoutApprovalRequested.v1',
      metadata: { subject: orderId, correlationId: 'correlation-1' },
      data: { status: 'AWAITING_APPROVAL', total: exampleOrder.total },
    },
  ]);
  const { requestedAt, expiresAt } = events[0]?.data ?? {};
  expect(Date.parse(expiresAt) - Date.parse(requestedAt)).toBe(24 * 60 * 60 * 1000);
  expect(JSON.stringify(events)).not.toMatch(/Ada|ada@|Mill Lane|tok_|token-/);
});

test('a decision is one on the request that waits, also when the approval is asked for again meanwhile', async () => {
  const orderId = randomUUID();
  await request(orderId, 'token-1', 0);
  const client = documentClient();
  let askAgain = async () => request(orderId, 'token-2', 1);
  const send = async (command: Parameters<DocumentClient['send']>[0]) => {
    const answer = await client.send(command);
    if (command instanceof GetCommand) {
      await askAgain();
      askAgain = async () => {};
    }
    return answer;
  };
  const slow = new Approvals({ client: { send } as DocumentClient, name: 'checkout' });

  const decided = await slow.decide(
    orderId,
    { approved: true, decidedBy: 'staff' },
    { correlationId: 'correlation-2' },
  );

  expect(decided).toMatchObject({ taskToken: 'token-2', decision: { approved: true }, wasDecided: false });
  expect(await approvals.find(orderId)).toMatchObject({ taskToken: 'token-2', decision: { approved: true } });
});
