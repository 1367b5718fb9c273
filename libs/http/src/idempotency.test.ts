import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { httpRequest, lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import * as z from 'zod';
import { type EndpointResponse, endpoint, HttpError } from './index.ts';

let dynamoDb: TestDynamoDb;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('idempotency', ['id']);
  process.env.MILLRACE_IDEMPOTENCY_TABLE = 'idempotency';
});
afterAll(() => dynamoDb.stop());

/** An endpoint as a container has it; `handle` is told how often it has run in this container. */
function setUp(handle: (run: number) => Promise<EndpointResponse> = async (run) => ({ status: 202, body: { run } })) {
  let runs = 0;
  const handler = endpoint({ body: z.strictObject({ amount: z.int() }), idempotent: true }, async () => {
    runs += 1;
    return handle(runs);
  });
  const send = async (
    key: string,
    { amount = 1, route = 'POST /payments' as `POST /${string}`, subject = 'customer-1' } = {},
  ) => {
    const event = httpRequest(route, {
      body: { amount },
      headers: { 'idempotency-key': key },
      claims: { sub: subject },
    });
    const {
      statusCode,
      headers: { 'x-request-id': requestId, ...headers } = {},
      body,
    } = await handler(event, lambdaContext());
    expect(requestId).toBe(event.requestContext.requestId);
    return { statusCode, headers, body: JSON.parse(body ?? '') };
  };
  return { send, runs: () => runs };
}

describe('an Idempotency-Key', () => {
  test('used again gives the same answer but for the request id, headers included, without running the handler', async () => {
    const { send, runs } = setUp(async (run) => ({ status: 202, body: { run }, headers: { location: `/p/${run}` } }));
    const key = randomUUID();

    const first = await send(key);

    expect(first).toMatchObject({ statusCode: 202, headers: { location: '/p/1' }, body: { run: 1 } });
    expect(await send(key)).toEqual(first);
    expect(await send(`"${key}"`)).toEqual(first);
    expect(runs()).toBe(1);
  });

  test('is known to another container', async () => {
    const key = randomUUID();
    const first = await setUp().send(key);
    const { send, runs } = setUp();

    expect(await send(key)).toEqual(first);
    expect(runs()).toBe(0);
  });

  test('with another body is refused, and the first answer still stands', async () => {
    const { send, runs } = setUp();
    const key = randomUUID();
    const first = await send(key, { amount: 1 });

    expect(await send(key, { amount: 2 })).toMatchObject({
      statusCode: 422,
      headers: { 'content-type': 'application/problem+json' },
      body: { code: 'IDEMPOTENCY_KEY_REUSED', status: 422, title: 'Unprocessable Content' },
    });
    expect(await send(key, { amount: 1 })).toEqual(first);
    expect(runs()).toBe(1);
  });

  test('of another resource is another one', async () => {
    const { send, runs } = setUp();
    const key = randomUUID();

    await send(key, { route: 'POST /payments' });
    await send(key, { route: 'POST /refunds' });

    expect(runs()).toBe(2);
  });

  test('of another caller is another one, whose answer nobody else gets', async () => {
    const { send, runs } = setUp();
    const key = randomUUID();

    const first = await send(key, { subject: 'ada' });
    const second = await send(key, { subject: 'grace', amount: 2 });

    expect([first.body, second]).toMatchObject([{ run: 1 }, { statusCode: 202, body: { run: 2 } }]);
    expect((await send(key, { subject: 'ada' })).body).toEqual(first.body);
    expect(runs()).toBe(2);
  });

  test('of a request that is being handled is a conflict; its handler runs once', async () => {
    let finish: () => void = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let started: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      started = resolve;
    });
    const { send, runs } = setUp(async (run) => {
      started();
      await finished;
      return { status: 202, body: { run } };
    });
    const key = randomUUID();

    const first = send(key);
    await begun;
    const second = await send(key);
    finish();

    expect(second).toMatchObject({ statusCode: 409, body: { code: 'REQUEST_IN_PROGRESS' } });
    expect(await first).toMatchObject({ statusCode: 202 });
    expect(runs()).toBe(1);
  });

  test.each([
    ['a refusal', new HttpError(409, 'SOLD_OUT', 'Sold out'), 409],
    ['a failure', new Error('down'), 500],
  ])('does not keep %s: the request may be sent again', async (_, error, status) => {
    const { send, runs } = setUp(async (run) => {
      if (run === 1) throw error;
      return { status: 202, body: {} };
    });
    const key = randomUUID();

    expect(await send(key)).toMatchObject({ statusCode: status });
    expect(await send(key)).toMatchObject({ statusCode: 202 });
    expect(runs()).toBe(2);
  });
});
