import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { consumerVariables, httpRequest, kinesisEvent, lambdaContext } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

let dynamoDb: TestDynamoDb;
let stream: Server;
/** What the stream answers for each of its records. */
let refuse: (index: number) => boolean;
let handlers: Record<'post' | 'session' | 'minutes', (event: never, context: never) => Promise<unknown>>;
let onView: typeof import('./on-view.ts').handler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('interactions');
  stream = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as { Records: object[] };
    const answers = Records.map((_, index) =>
      refuse(index) ? { ErrorCode: 'InternalFailure' } : { SequenceNumber: '1' },
    );
    response.end(JSON.stringify({ Records: answers }));
  });
  await new Promise<void>((resolve) => stream.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    ...consumerVariables('interactions.onView'),
    MILLRACE_TABLE: 'interactions',
    MILLRACE_INTERACTION_RETENTION_DAYS: '30',
    MILLRACE_INTERACTION_STREAM: 'millrace-interactions-test',
    MILLRACE_INTERACTION_ORIGINS: 'https://shop.example',
    AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${(stream.address() as AddressInfo).port}`,
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  handlers = {
    post: (await import('./post-interactions.ts')).handler as never,
    session: (await import('./get-session.ts')).handler as never,
    minutes: (await import('./get-minutes.ts')).handler as never,
  };
  onView = (await import('./on-view.ts')).handler;
});
beforeEach(() => {
  refuse = () => false;
});
afterAll(async () => {
  stream.close();
  await dynamoDb.stop();
});

type RequestOptions = NonNullable<Parameters<typeof httpRequest>[1]>;

async function call(
  handler: keyof typeof handlers,
  route: `${string} ${string}`,
  options: RequestOptions,
): Promise<{ status: number | undefined; headers: object; body: Record<string, unknown> }> {
  const answer = (await handlers[handler](
    httpRequest(route, options) as never,
    lambdaContext() as never,
  )) as APIGatewayProxyStructuredResultV2;
  return { status: answer.statusCode, headers: answer.headers ?? {}, body: JSON.parse(answer.body ?? '') };
}

const shop = { origin: 'https://shop.example' };
const views = [
  { id: randomUUID(), page: 'home' },
  { id: randomUUID(), page: 'product', sku: 'FLOUR-1KG' },
];
const post = (body: unknown, headers: Record<string, string> = shop) =>
  call('post', 'POST /interactions', { body, headers, claims: null });

describe('POST /interactions', () => {
  test('takes views from a page of the shop, without a token', async () => {
    expect(await post({ sessionId: randomUUID(), views })).toMatchObject({
      status: 202,
      body: { stored: 2, unstored: [] },
    });
  });

  test.each([{}, { origin: 'https://evil.example' }, { origin: 'null' }])(
    'refuses pages of others: %j',
    async (headers) => {
      expect(await post({ sessionId: randomUUID(), views }, headers as Record<string, string>)).toMatchObject({
        status: 403,
        body: { code: 'ORIGIN_NOT_ALLOWED', errors: [{ field: 'Origin' }] },
      });
    },
  );

  test('names what could not be stored, for the browser to send it again', async () => {
    refuse = (index) => index === 0;

    expect(await post({ sessionId: randomUUID(), views })).toMatchObject({
      status: 202,
      headers: { 'retry-after': '1' },
      body: { stored: 1, unstored: [views[0]?.id] },
    });
  });

  test('says when to come again if nothing could be stored', async () => {
    refuse = () => true;

    expect(await post({ sessionId: randomUUID(), views })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'VIEWS_NOT_STORED' },
    });
  });

  test('refuses more than a browser sends at once', async () => {
    expect(await post(`"${'x'.repeat(64 * 1024)}"`)).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });

  test('names the field that is wrong', async () => {
    expect(await post({ sessionId: randomUUID(), views: [{ id: randomUUID(), page: '/account/ada' }] })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', errors: [{ field: '/views/0/page' }] },
    });
  });
});

test('records of the stream are to be seen as a session and in its minute', async () => {
  const sessionId = randomUUID();
  const viewedAt = '2026-01-15T09:30:00.000Z';
  const records = views.map((each, position) => ({ ...each, sessionId, viewedAt, position }));

  expect(await onView(kinesisEvent(...records, { ...records[0], email: 'x' }), lambdaContext())).toMatchObject({
    // Nobody answers at the dead-letter queue, so it stays in the stream.
    batchItemFailures: [{ itemIdentifier: '3' }],
  });

  expect(await call('session', 'GET /interactions/sessions/{sessionId}', { path: { sessionId } })).toMatchObject({
    status: 200,
    body: { sessionId, durationMs: 0, path: [{ page: 'home' }, { page: 'product' }] },
  });
  expect(
    await call('minutes', 'GET /interactions/minutes', {
      query: { from: '2026-01-15T09:30Z', to: '2026-01-15T09:31Z' },
    }),
  ).toMatchObject({
    status: 200,
    body: { minutes: [{ minute: '2026-01-15T09:30Z', views: 2, productViews: 1, sessions: 1 }] },
  });
});

test('a session that is not there is a 404, and an id that is not one a 400', async () => {
  const session = (sessionId: string) =>
    call('session', 'GET /interactions/sessions/{sessionId}', { path: { sessionId } });

  expect(await session(randomUUID())).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
  expect(await session('ada')).toMatchObject({ status: 400, body: { errors: [{ field: 'sessionId' }] } });
});

test('the fixture of sls invoke local is what its function takes', async () => {
  const event = JSON.parse(readFileSync(new URL('../../fixtures/post-interactions.json', import.meta.url), 'utf8'));

  expect(await handlers.post(event as never, lambdaContext() as never)).toMatchObject({ statusCode: 202 });
});
