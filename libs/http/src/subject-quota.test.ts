import { randomUUID } from 'node:crypto';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { HttpError } from './problem.ts';
import { SubjectQuota, subjectQuotaFromEnvironment } from './subject-quota.ts';

const NOON = Date.UTC(2026, 0, 31, 12);
const hour = { name: 'orders', windowSeconds: 3600, limit: 3, maxFailures: 2 };

let dynamoDb: TestDynamoDb;
let now: Date;
let ada: string;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('requests', ['id']);
});
afterAll(() => dynamoDb.stop());
beforeEach(() => {
  now = new Date(NOON + 60_000);
  ada = `ada-${randomUUID()}`;
});

/** As another container of the service has it: nothing is shared but the table. */
const container = () => new SubjectQuota(documentClient(), 'requests', hour, () => now);
const refusal = (subject: string) =>
  container()
    .take(subject)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
async function taken(times: number, subject = ada): Promise<void> {
  for (let count = 0; count < times; count += 1) await container().take(subject);
}

describe('the quota of a subject', () => {
  test('without a limit of failures counts uses alone', async () => {
    const { maxFailures: _, ...usesAlone } = hour;
    const quota = new SubjectQuota(documentClient(), 'requests', usesAlone, () => now);
    for (const failure of ['order-1', 'order-2', 'order-3']) await quota.countFailure(ada, failure, now);
    for (let count = 0; count < 3; count += 1) await quota.take(ada);

    await expect(quota.take(ada)).rejects.toMatchObject({ status: 429 });
  });

  test('is used up by all containers together, and says when it begins anew', async () => {
    await taken(3);

    const error = await refusal(ada);

    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ status: 429, code: 'QUOTA_EXCEEDED', retryAfterSeconds: 3540 });
  });

  test('is never exceeded by requests at the same time', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => container().take(ada)));

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  test('is one subject’s alone', async () => {
    await taken(3);

    await taken(3, `eve-${randomUUID()}`);
  });

  test('begins anew with the next window', async () => {
    await taken(3);
    now = new Date(NOON + 3_600_000);

    await taken(3);
  });

  test('ends early after failures, each of which counts once', async () => {
    await container().countFailure(ada, 'order-1', now);
    await container().countFailure(ada, 'order-1', now);
    await taken(1);
    await container().countFailure(ada, 'order-2', now);

    expect(await refusal(ada)).toMatchObject({ status: 429, retryAfterSeconds: 3540 });
  });

  test('is not touched by failures of another window', async () => {
    for (const key of ['order-1', 'order-2']) await container().countFailure(ada, key, new Date(NOON - 1));

    await taken(3);
  });

  test('leaves an item that expires with its window and does not grow', async () => {
    for (let count = 0; count < 5; count += 1) await container().countFailure(ada, `order-${count}`, now);

    const Key = { id: { S: `quota#orders#${NOON / 1000}#${ada}` } };
    const { Item } = await dynamoDb.client.send(new GetItemCommand({ TableName: 'requests', Key }));
    expect(Item).toMatchObject({ expiration: { N: String(NOON / 1000 + 3600) } });
    expect(Item?.failures?.SS).toHaveLength(2);
  });

  test('refuses everything when the table does not answer', async () => {
    const quota = new SubjectQuota(documentClient(), 'nowhere', hour);

    await expect(quota.take(ada)).rejects.toThrow();
  });
});

describe('a quota of the environment', () => {
  test.each([Number.NaN, 0, 1.5, -1])('with the limit %s stops the start', (limit) => {
    expect(() => subjectQuotaFromEnvironment({ ...hour, limit }, 'requests')).toThrow('orders');
  });

  test('without a table stops the start', () => {
    expect(() => subjectQuotaFromEnvironment(hour)).toThrow('MILLRACE_IDEMPOTENCY_TABLE');
  });
});
