import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { httpRequest, lambdaContext } from '@millrace/testing';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

let stream: Server;
/** What the stream answers for each of its records. */
let refuse: (index: number) => boolean;
let handler: (event: never, context: never) => Promise<unknown>;

beforeAll(async () => {
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
    ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    MILLRACE_INTERACTION_STREAM: 'millrace-interactions-test',
    MILLRACE_INTERACTION_ORIGINS: 'https://shop.example',
    AWS_ENDPOINT_URL_KINESIS: `http://127.0.0.1:${(stream.address() as AddressInfo).port}`,
  });
  // It reads its environment when it is imported, as in Lambda's init phase.
  handler = (await import('./post-interactions.ts')).handler as never;
});
beforeEach(() => {
  refuse = () => false;
});
afterAll(() => void stream.close());

const shop = { origin: 'https://shop.example' };
const views = [
  { id: randomUUID(), page: 'home' },
  { id: randomUUID(), page: 'product', sku: 'FLOUR-1KG' },
];

async function post(
  body: unknown,
  headers: Record<string, string> = shop,
): Promise<{ status: number | undefined; headers: object; body: Record<string, unknown> }> {
  const answer = (await handler(
    httpRequest('POST /interactions', { body, headers, claims: null }) as never,
    lambdaContext() as never,
  )) as APIGatewayProxyStructuredResultV2;
  return { status: answer.statusCode, headers: answer.headers ?? {}, body: JSON.parse(answer.body ?? '') };
}

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

  test.each<[string, { sessionId?: string; views?: object[]; customerId?: string }, string]>([
    ['no session', { views: [{ page: 'home' }] }, '/sessionId'],
    ['a session that is not a UUID', { sessionId: 'ada' }, '/sessionId'],
    ['no views', { views: [] }, '/views'],
    ['more views than a request may have', { views: Array.from({ length: 51 }, () => ({ page: 'home' })) }, '/views'],
    ['a product without its SKU', { views: [{ page: 'product' }] }, '/views/0/sku'],
    ['a SKU of another page', { views: [{ page: 'home', sku: 'A' }] }, '/views/0/sku'],
    ['a SKU with a blank', { views: [{ page: 'product', sku: 'Ada Lovelace' }] }, '/views/0/sku'],
    ['a wait below nothing', { views: [{ page: 'home', queueTimeMs: -1 }] }, '/views/0/queueTimeMs'],
    ['a wait of days', { views: [{ page: 'home', queueTimeMs: 1e9 }] }, '/views/0/queueTimeMs'],
    ['a customer', { customerId: 'ada' }, '/customerId'],
  ])('refuses %s by its field', async (title, { views = [{ page: 'home' }], ...rest }, field) => {
    const body = {
      ...(title !== 'no session' && { sessionId: randomUUID() }),
      views: views.map((view) => ({ id: randomUUID(), ...view })),
      ...rest,
    };
    expect(await post(body)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', errors: expect.arrayContaining([expect.objectContaining({ field })]) },
    });
  });
});

test('the fixture of sls invoke local is what its function takes', async () => {
  const event = JSON.parse(readFileSync(new URL('../../fixtures/post-interactions.json', import.meta.url), 'utf8'));

  expect(await handler(event as never, lambdaContext() as never)).toMatchObject({ statusCode: 202 });
});
