import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { requestToken } from '@millrace/local/request-token';
import { eventually } from '@millrace/testing';
import { readCompiledWorkspace } from '../policies/compiled-workspace.ts';
import { entriesOf } from '../policies/template.ts';
import { orderOf, Shop, scopesOf } from './shop.ts';
import { CODE, slotOf } from './slots.ts';
import { type System, startSystem } from './system.ts';

/** What a route answers to whom. */
interface Row {
  /** The one scope of the route: whose token has it gets in. */
  scope: string;
  body?: () => unknown;
  query?: () => string;
  /** To somebody with the scope, about what is theirs. */
  own: number;
  /** To somebody else with the scope. */
  others: number;
}

/** The routes that anybody may call, with a body that they take. */
const publicRoutes: Readonly<Record<string, () => unknown>> = {
  'POST /interactions': () => ({ sessionId: randomUUID(), views: [{ id: randomUUID(), page: 'home' }] }),
};

/** Every other route of the shop. A new one needs a row here. */
const rows: Readonly<Record<string, Row>> = {
  'POST /orders': { scope: 'orders:write', body: () => orderOf(sku), own: 202, others: 202 },
  'GET /orders/{orderId}': { scope: 'orders:read', own: 200, others: 404 },
  // For want of stock the order is never shipped, and to cancel one that is cancelled already is a success.
  'POST /orders/{orderId}/cancellation': { scope: 'orders:write', own: 202, others: 404 },
  'POST /checkouts': { scope: 'checkouts:write', body: () => orderOf(sku), own: 202, others: 202 },
  'GET /checkouts/{checkoutId}': { scope: 'checkouts:read', own: 200, others: 404 },
  // Out of stock, so it waits for nobody; and who approves is not the customer.
  'POST /checkouts/{checkoutId}/approval': {
    scope: 'approvals:write',
    body: () => ({ approved: true }),
    own: 403,
    others: 409,
  },
  'GET /orders': { scope: 'orders:read', query: () => `customer=${shop.customerId}`, own: 200, others: 403 },
  'GET /reports/daily-sales': {
    scope: 'reports:read',
    query: () => 'from=2026-01-01&to=2026-01-31',
    own: 200,
    others: 200,
  },
  'GET /stock/{sku}': { scope: 'stock:read', own: 200, others: 200 },
  'POST /stock/{sku}/count': { scope: 'stock:write', body: () => ({ counted: 0 }), own: 200, others: 200 },
  'PUT /stock/{sku}': { scope: 'stock:write', body: () => ({ available: 0 }), own: 200, others: 200 },
  // Each of these has a slot of its own, so that none depends on what another one did.
  'POST /slots/{slotId}/reservation': { scope: 'slots:write', own: 200, others: 409 },
  'DELETE /slots/{slotId}/reservation': { scope: 'slots:write', own: 200, others: 404 },
  'POST /slots/{slotId}/check-in': { scope: 'slots:write', body: () => ({ code: CODE }), own: 200, others: 404 },
  'POST /slots/{slotId}/check-out': { scope: 'slots:write', own: 200, others: 404 },
  'POST /slots/{slotId}/closure': { scope: 'closures:write', own: 200, others: 200 },
  'DELETE /slots/{slotId}/closure': { scope: 'closures:write', own: 200, others: 200 },
  // Not known: its location has no slot yet.
  'GET /locations/{locationId}/slots': { scope: 'slots:read', query: () => 'date=2026-01-31', own: 404, others: 404 },
  'GET /slots/{slotId}': { scope: 'slots:read', own: 200, others: 200 },
  'GET /events': {
    scope: 'events:read',
    query: () => 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z',
    own: 200,
    others: 200,
  },
  'GET /events/{eventId}': { scope: 'events:read', own: 200, others: 200 },
  // Nobody was there.
  'GET /analytics/sessions/{sessionId}': { scope: 'analytics:read', own: 404, others: 404 },
  ...Object.fromEntries(
    ['series', 'funnel', 'top', 'anomalies', 'sessions'].map((name) => [
      `GET /analytics/${name}`,
      { scope: 'analytics:read', query: () => 'from=2026-01-01T00:00Z&to=2026-01-01T01:00Z', own: 200, others: 200 },
    ]),
  ),
  'GET /analytics/cohorts': {
    scope: 'analytics:read',
    query: () => 'from=2026-01-01&to=2026-02-01',
    own: 200,
    others: 200,
  },
  'GET /lineage/{id}': { scope: 'events:read', own: 200, others: 200 },
};

const allScopes = Object.values(scopesOf).join(' ');

let system: System;
/** The customer whose order it is. */
let shop: Shop;
let sku: string;
let orderId: string;
let checkoutId: string;
/** The slot of each route that has one: the customer has it. */
const slotIds = new Map<string, string>();
/** Of the first event about it. */
let eventId: string;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  sku = await shop.stocked(0);
  orderId = await shop.place(orderOf(sku));
  checkoutId = await shop.checkOut(orderOf(sku));
  for (const route of Object.keys(rows).filter((each) => each.includes('{slotId}'))) {
    const { slotId } = await slotOf(system, {
      ...{ startsIn: -1, holder: shop.customerId, checkedIn: route.includes('check-out') },
    });
    slotIds.set(route, slotId);
  }
  eventId = await eventually(async () => {
    const { body } = await shop.request('GET', `/lineage/${orderId}`);
    return body.trees[0]?.events[0]?.id ?? '';
  });
});

afterAll(() => system?.stop());

function send(route: string, authorization: string | undefined) {
  const [method = '', template = ''] = route.split(' ');
  const slotId = slotIds.get(route) ?? '';
  const ids = {
    '{slotId}': slotId,
    '{locationId}': 'no-such-location',
    '{orderId}': orderId,
    '{checkoutId}': checkoutId,
    '{sku}': sku,
    '{eventId}': eventId,
    '{id}': orderId,
    '{sessionId}': randomUUID(),
  };
  const path = Object.entries(ids).reduce((text, [name, id]) => text.replace(name, id), template);
  const query = rows[route]?.query?.();
  const body = (publicRoutes[route] ?? rows[route]?.body)?.();
  return fetch(`${system.apiUrl}${path}${query === undefined ? '' : `?${query}`}`, {
    method,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

type Wish = Partial<Parameters<typeof requestToken>[1]>;

/** A token of the order's customer that may do everything, unless the wish says otherwise. */
const tokenOf = (wish: Wish = {}) =>
  requestToken(system.issuerUrl, { subject: shop.customerId, scope: allScopes, ...wish });

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString());

/** A good token that somebody has changed without the issuer's key. */
async function forged(change: (header: object, claims: object) => [header: object, claims: object]): Promise<string> {
  const [header, claims, signature] = (await tokenOf()).split('.');
  const [newHeader, newClaims] = change(decode(header), decode(claims));
  return `${encode(newHeader)}.${encode(newClaims)}.${'alg' in newHeader && newHeader.alg === 'none' ? '' : signature}`;
}

const strangers: [who: string, authorization: () => Promise<string | undefined>][] = [
  ['a request without a token', async () => undefined],
  ['an empty header', async () => ''],
  ['garbage', async () => 'Bearer garbage'],
  ['a token that has expired', async () => `Bearer ${await tokenOf({ expiresIn: -1 })}`],
  ["another issuer's token", async () => `Bearer ${await tokenOf({ issuer: 'https://auth.elsewhere.example' })}`],
  [
    'a token for another audience',
    async () => `Bearer ${await tokenOf({ audience: 'https://api.elsewhere.example' })}`,
  ],
  [
    'a token without a signature',
    async () => `Bearer ${await forged((header, claims) => [{ ...header, alg: 'none' }, claims])}`,
  ],
  [
    "somebody else's name in a signed token",
    async () => `Bearer ${await forged((header, claims) => [header, { ...claims, sub: 'customer-1' }])}`,
  ],
  [
    'a token that is signed by a key nobody knows',
    async () => `Bearer ${await forged((header, claims) => [{ ...header, kid: randomUUID() }, claims])}`,
  ],
  ['a password', async () => `Basic ${Buffer.from('ada:secret').toString('base64')}`],
];

test('every route of the templates has a row here, with its scope', async () => {
  const { services } = await readCompiledWorkspace('dev');
  const routes = services.flatMap((service) =>
    entriesOf(service, 'AWS::ApiGatewayV2::Route').map(({ properties: { RouteKey, AuthorizationScopes } }) => ({
      route: String(RouteKey),
      scopes: AuthorizationScopes,
      file: service.file,
    })),
  );

  const missing = routes.filter(({ route }) => !rows[route] && !publicRoutes[route]);
  expect(
    missing.map(({ file, route }) => `${file}: ${route}: say in test/end-to-end/authorization.test.ts who may`),
  ).toEqual([]);
  expect(Object.fromEntries(routes.map(({ route, scopes }) => [route, scopes]))).toEqual(
    Object.fromEntries([
      ...Object.entries(rows).map(([route, { scope }]) => [route, [scope]]),
      ...Object.keys(publicRoutes).map((route) => [route, undefined]),
    ]),
  );
});

test.each(Object.keys(publicRoutes))('%s asks nobody who they are', async (route) => {
  for (const [, authorization] of strangers) {
    const answer = await send(route, await authorization());

    expect([answer.status, await answer.json()]).toEqual([202, { stored: 1, unstored: [] }]);
  }
});

describe.each(Object.entries(rows))('%s', (route, { scope, own, others }) => {
  /** API Gateway's own answer: the function was not asked. */
  async function expectRefusal(authorization: string | undefined, status: number, message: string): Promise<void> {
    const answer = await send(route, authorization);

    expect([answer.status, await answer.json()]).toEqual([status, { message }]);
    expect(answer.headers.get('x-request-id')).toBeNull();
  }

  test.each(strangers)('refuses %s', async (_, authorization) => {
    await expectRefusal(await authorization(), 401, 'Unauthorized');
  });

  test('refuses a token with all scopes but its own', async () => {
    const others = allScopes.split(' ').filter((each) => each !== scope);

    await expectRefusal(`Bearer ${await tokenOf({ scope: others.join(' ') })}`, 403, 'Forbidden');
    await expectRefusal(`Bearer ${await tokenOf({ scope: '' })}`, 403, 'Forbidden');
  });

  test(`answers ${others} to another customer with the scope`, async () => {
    const answer = await send(route, `Bearer ${await tokenOf({ subject: `other-${randomUUID()}`, scope })}`);

    expect([answer.status, await answer.json()]).toEqual([others, expect.anything()]);
    expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
  });

  test(`answers ${own} to the customer or staff that it is for`, async () => {
    const answer = await send(route, `Bearer ${await tokenOf({ scope })}`);

    expect([answer.status, await answer.json()]).toEqual([own, expect.anything()]);
    expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
  });
});

describe("another customer's order", () => {
  test.each([
    ['GET', ''],
    ['POST', '/cancellation'],
  ])('is not to be told from one that nobody placed: %s', async (method, suffix) => {
    const stranger = new Shop(system);
    const answerAbout = async (id: string) => {
      const { status, headers, body } = await stranger.request(method, `/orders/${id}${suffix}`);
      const { requestId, ...problem } = body;
      // Ids of the request, and when it was answered.
      const others = [...headers].filter(([name]) => !/request-?id|correlation-id|^date$/.test(name));
      return { status, headers: others, problem };
    };

    const answer = await answerAbout(orderId);

    expect(answer).toMatchObject({ status: 404, problem: { code: 'ORDER_NOT_FOUND' } });
    expect(answer).toEqual(await answerAbout(randomUUID()));
  });
});

test('the same Idempotency-Key of two customers places two orders', async () => {
  const [ada, grace] = [new Shop(system), new Shop(system)];
  const key = { 'idempotency-key': randomUUID() };
  const order = orderOf(sku);

  const orders = [await ada.place(order, key), await grace.place(order, key)];

  expect(await ada.place(order, key)).toBe(orders[0]);
  expect(new Set(orders).size).toBe(2);
  expect((await grace.request('GET', `/orders/${orders[0]}`)).status).toBe(404);
  expect((await grace.order(orders[1] ?? '')).orderId).toBe(orders[1]);
});

test('a token whose sub no event can carry is a 401', async () => {
  const authorization = `Bearer ${await tokenOf({ subject: 'x'.repeat(256) })}`;

  const { status, body } = await shop.request('POST', '/orders', orderOf(sku), { authorization });

  expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
});

test("staff see any customer's orders", async () => {
  const scope = 'orders:read orders:read:all';
  const authorization = `Bearer ${await tokenOf({ subject: 'staff-1', scope })}`;

  await eventually(async () => {
    const path = `/orders?customer=${shop.customerId}&limit=100`;
    const { status, body } = await shop.request('GET', path, undefined, { authorization });
    expect(status).toBe(200);
    expect(body.orders).toContainEqual(expect.objectContaining({ orderId }));
  });
});
