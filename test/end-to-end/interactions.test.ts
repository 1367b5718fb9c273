import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';
import { minuteOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
});
afterAll(() => system?.stop());

const stream = 'arn:aws:kinesis:us-east-1:000000000000:stream/millrace-interactions-dev';

/** As a browser sends it: without a token. */
async function post(body: object) {
  const response = await fetch(`${system.apiUrl}/interactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** The session, once it has so many views. */
const session = (sessionId: string, views: number) =>
  eventually(async () => {
    const { status, body } = await shop.request('GET', `/analytics/sessions/${sessionId}`);
    expect([status, body.path?.length]).toEqual([200, views]);
    return body;
  });

test('what a visitor looks at is a session, however often and in whatever order the browser sends it', async () => {
  const sessionId = randomUUID();
  const [home, product, cart] = [
    { id: randomUUID(), page: 'home', queueTimeMs: 60_000 },
    { id: randomUUID(), page: 'product', sku: 'FLOUR-1KG', queueTimeMs: 30_000 },
    { id: randomUUID(), page: 'cart' },
  ];

  for (const views of [[product, cart], [home, product], [cart]]) {
    expect(await post({ sessionId, views })).toEqual({ status: 202, body: { stored: views.length, unstored: [] } });
  }

  const { path, durationMs } = await session(sessionId, 3);
  expect(path.map(({ page, sku }) => [page, sku])).toEqual([
    ['home', undefined],
    ['product', 'FLOUR-1KG'],
    ['cart', undefined],
  ]);
  expect(durationMs).toBeGreaterThan(50_000);
});

test('a hundred visitors are counted once each, in the minutes of their views', async () => {
  // Nothing else is so old.
  const queueTimeMs = 3 * 60 * 60 * 1000;
  const sessions = Array.from({ length: 100 }, () => randomUUID());
  const request = (sessionId: string) => ({
    sessionId,
    views: [
      { id: sessionId, page: 'home', queueTimeMs },
      { id: randomUUID(), page: 'product', sku: 'FLOUR-1KG', queueTimeMs },
    ],
  });
  const requests = sessions.map(request);
  const before = Date.now() - queueTimeMs;
  await Promise.all([...requests, ...requests.slice(0, 20)].map(post));
  const range = `from=${minuteOf(before)}&to=${minuteOf(Date.now() - queueTimeMs + 60_000)}`;

  await eventually(async () => {
    const { body } = await shop.request('GET', `/analytics/series?of=views&${range}`);
    const sum = (key: 'views' | 'productViews' | 'sessions') => body.minutes.reduce((all, each) => all + each[key], 0);
    expect([sum('views'), sum('productViews'), sum('sessions')]).toEqual([200, 100, 100]);
  });
  const { body } = await shop.request('GET', `/analytics/funnel?${range}`);
  expect(body.steps[0]).toEqual({ step: 'viewed', count: 100, share: 1 });
  const listed: string[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const query = `limit=30&${range}${cursor === undefined ? '' : `&cursor=${cursor}`}`;
    const page = await shop.request('GET', `/analytics/sessions?${query}`);
    listed.push(...page.body.sessions.map(({ sessionId }) => sessionId));
    cursor = page.body.cursor;
  }
  expect(listed.toSorted()).toEqual(sessions.toSorted());
});

test('a record that is none of ours is a dead letter with its reason, and the records around it are handled', async () => {
  const sessionId = randomUUID();
  const poison = { sessionId, email: `${randomUUID()}@example.com` };
  await post({ sessionId, views: [{ id: randomUUID(), page: 'home' }] });
  await aws.putRecord(stream, JSON.stringify(poison), sessionId);
  await post({ sessionId, views: [{ id: randomUUID(), page: 'cart' }] });

  await session(sessionId, 2);
  const queueUrl = await aws.queueUrl('live-figures', 'on-view-dlq');
  const data = Buffer.from(JSON.stringify(poison)).toString('base64');
  await eventually(async () => {
    const letter = (await aws.take(String(queueUrl))).find(({ Body }) => Body?.includes(data));
    expect(letter?.MessageAttributes?.ErrorCode?.StringValue).toBe('SCHEMA_VIOLATION');
    expect(letter?.MessageAttributes?.Consumer?.StringValue).toBe('live-figures.onView');
  });
  expect(system.output?.() ?? '').not.toContain(poison.email);
});

test('a page that may hold a name is refused, and is in no log', async () => {
  const page = `/account/${randomUUID()}`;

  expect(await post({ sessionId: randomUUID(), views: [{ id: randomUUID(), page }] })).toMatchObject({
    status: 400,
    body: { code: 'INVALID_REQUEST', errors: [{ field: '/views/0/page' }] },
  });
  expect(system.output?.() ?? '').not.toContain(page);
});
