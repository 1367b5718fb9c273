import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReemitRequest, ReemitResponse } from '@millrace/dead-letters';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';

let dynamoDb: TestDynamoDb;
let handler: (request: unknown) => Promise<ReemitResponse>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('ledger');
  Object.assign(process.env, {
    MILLRACE_EVENT_BUS: 'millrace-dev',
    MILLRACE_TABLE: 'ledger',
    MILLRACE_STAGE: 'dev',
    MILLRACE_PARKING_QUEUE_URL: 'http://127.0.0.1:1/000000000000/millrace-re-emitter-dev-parking',
    AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
    AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:1',
    AWS_MAX_ATTEMPTS: '1',
  });
  handler = (await import('./reemit.ts')).handler as typeof handler;
});
afterAll(() => dynamoDb.stop());

const fixture = (): ReemitRequest =>
  JSON.parse(readFileSync(new URL('../../fixtures/reemit.json', import.meta.url), 'utf8'));

describe('the request', () => {
  test('of the fixture is understood; without a bus its messages are kept, with the reason', async () => {
    const request = fixture();
    const { results } = await handler(request);
    expect(results).toEqual(
      request.messages.map(({ messageId }) => ({
        messageId,
        outcome: 'kept',
        code: expect.any(String),
        reason: expect.stringContaining('ECONNREFUSED'),
      })),
    );
  });

  test.each([
    ['nothing', undefined, 'expected object'],
    ['no messages', { ...fixture(), messages: [] }, 'messages'],
    ['a message without a body', { ...fixture(), messages: [{ messageId: '1', receiptHandle: '2' }] }, 'body'],
    ...[
      ['a queue that is not a dead-letter queue', 'millrace-x-dev-y'],
      ['a queue of another stage', 'millrace-x-prod-y-dlq'],
      ['a queue of another application', 'other-x-dev-y-dlq'],
      ['the URL of a queue', 'https://sqs.us-east-1.amazonaws.com/123456789012/millrace-x-dev-y-dlq'],
      ['an URL that ends like a queue', '//elsewhere.example/millrace-x-dev-y-dlq'],
      ['a path that leads elsewhere', '../millrace-x-dev-y-dlq'],
    ].map(([what, queueName]) => [what, { ...fixture(), queueName }, 'queueName'] as const),
    ['a URL in place of a name', { ...fixture(), queueUrl: 'http://127.0.0.1/0/millrace-x-dev-y-dlq' }, 'queueUrl'],
    ['a field that is not known', { ...fixture(), force: true }, 'force'],
  ])('with %s is refused', async (_, request, named) => {
    await expect(handler(request)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining(named),
    });
  });
});
