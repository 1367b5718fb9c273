import * as fc from 'fast-check';
import * as z from 'zod';
import { approvalRequest } from '../../services/checkout/src/domain/approval-request.ts';
import { viewsRequest } from '../../services/interactions/src/domain/views-request.ts';
import { stockCountRequest, stockLevelRequest } from '../../services/inventory/src/domain/stock-level-request.ts';
import { placeCheckoutRequest, placeOrderRequest } from '../../services/orders/src/domain/place-order-request.ts';
import { checkInRequest } from '../../services/reservations/src/domain/check-in-request.ts';
import { hostileTexts, invalidUtf8, oversized } from './hostile-json.ts';
import { valuesOf } from './json-schema-values.ts';
import { requestBytes } from './raw-http.ts';

/** A request to the shop, byte by byte. */
export interface HttpInput {
  way: 'http';
  kind: string;
  route: string;
  bytes: Buffer;
  /** The only statuses that are right; without them every one below 500 is. */
  statuses?: readonly number[];
}

/** Whom requests come from, as bearer tokens. */
export interface Tokens {
  customer: string;
  staff: string;
  expired: string;
  /** Of another issuer. */
  foreign: string;
}

interface AttackedRoute {
  method: string;
  /** With `{id}` for the path parameter. */
  path: string;
  /** A visitor has no token, and whoever has one, of whatever kind, is a visitor as well. */
  by: 'customer' | 'staff' | 'visitor';
  /** A sound query, where there is one. */
  query?: Readonly<Record<string, string>>;
  /** What the body should look like; absent where there is none. */
  body?: z.ZodType;
  /** The most that a body may have, where it is less than an endpoint's usual limit. */
  maxBodyBytes?: number;
  /** What a sound request is answered with. */
  sound: readonly number[];
}

/** Every route of the templates, by its key there. */
export const attackedRoutes: Readonly<Record<string, AttackedRoute>> = {
  'POST /orders': { method: 'POST', path: '/orders', by: 'customer', body: placeOrderRequest, sound: [202] },
  'GET /orders/{orderId}': { method: 'GET', path: '/orders/{id}', by: 'customer', sound: [200] },
  // 409 once it is shipped, 429 where there are too many of them at once.
  'POST /orders/{orderId}/cancellation': {
    method: 'POST',
    path: '/orders/{id}/cancellation',
    by: 'customer',
    sound: [202, 409, 429],
  },
  'GET /orders': { method: 'GET', path: '/orders', by: 'customer', query: { limit: '10' }, sound: [200] },
  'GET /reports/daily-sales': {
    method: 'GET',
    path: '/reports/daily-sales',
    by: 'staff',
    query: { from: '2026-01-01', to: '2026-01-31' },
    sound: [200],
  },
  'POST /checkouts': { method: 'POST', path: '/checkouts', by: 'customer', body: placeCheckoutRequest, sound: [202] },
  // The ids are those of orders without a checkout, and for staff those of articles.
  'GET /checkouts/{checkoutId}': { method: 'GET', path: '/checkouts/{id}', by: 'customer', sound: [404] },
  'POST /checkouts/{checkoutId}/approval': {
    method: 'POST',
    path: '/checkouts/{id}/approval',
    by: 'staff',
    body: approvalRequest,
    sound: [400],
  },
  // The ids are those of orders, so there is no slot of them.
  'POST /slots/{slotId}/reservation': { method: 'POST', path: '/slots/{id}/reservation', by: 'customer', sound: [404] },
  'DELETE /slots/{slotId}/reservation': {
    method: 'DELETE',
    path: '/slots/{id}/reservation',
    by: 'customer',
    sound: [404],
  },
  'POST /slots/{slotId}/check-in': {
    method: 'POST',
    path: '/slots/{id}/check-in',
    by: 'customer',
    body: checkInRequest,
    sound: [404],
  },
  'POST /slots/{slotId}/check-out': { method: 'POST', path: '/slots/{id}/check-out', by: 'customer', sound: [404] },
  'GET /slots/{slotId}': { method: 'GET', path: '/slots/{id}', by: 'customer', sound: [404] },
  'GET /locations/{locationId}/slots': {
    method: 'GET',
    path: '/locations/{id}/slots',
    by: 'customer',
    query: { date: '2026-01-31' },
    sound: [404],
  },
  // For staff the ids are those of articles.
  'POST /slots/{slotId}/closure': { method: 'POST', path: '/slots/{id}/closure', by: 'staff', sound: [400] },
  'DELETE /slots/{slotId}/closure': { method: 'DELETE', path: '/slots/{id}/closure', by: 'staff', sound: [400] },
  'GET /events': {
    method: 'GET',
    path: '/events',
    by: 'staff',
    query: { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' },
    sound: [200],
  },
  'GET /events/{eventId}': { method: 'GET', path: '/events/{id}', by: 'staff', sound: [200, 404] },
  'GET /lineage/{id}': { method: 'GET', path: '/lineage/{id}', by: 'staff', sound: [200, 404] },
  'POST /interactions': {
    method: 'POST',
    path: '/interactions',
    by: 'visitor',
    body: viewsRequest,
    maxBodyBytes: 64 * 1024,
    sound: [202, 429],
  },
  // The ids are those of articles.
  'GET /analytics/sessions/{sessionId}': {
    method: 'GET',
    path: '/analytics/sessions/{id}',
    by: 'staff',
    sound: [400],
  },
  ...Object.fromEntries(
    ['series', 'funnel', 'top', 'anomalies', 'sessions'].map((name) => [
      `GET /analytics/${name}`,
      {
        method: 'GET',
        path: `/analytics/${name}`,
        by: 'staff' as const,
        query: { from: '2026-01-01T00:00Z', to: '2026-01-01T01:00Z' },
        sound: [200],
      },
    ]),
  ),
  'GET /analytics/cohorts': {
    method: 'GET',
    path: '/analytics/cohorts',
    by: 'staff',
    query: { from: '2026-01-01', to: '2026-02-01' },
    sound: [200],
  },
  'GET /stock/{sku}': { method: 'GET', path: '/stock/{id}', by: 'staff', sound: [200, 404] },
  'PUT /stock/{sku}': { method: 'PUT', path: '/stock/{id}', by: 'staff', body: stockLevelRequest, sound: [200] },
  'POST /stock/{sku}/count': {
    method: 'POST',
    path: '/stock/{id}/count',
    by: 'staff',
    body: stockCountRequest,
    sound: [200, 409],
  },
};

const hostilePaths = [
  ...[
    '/',
    '//',
    '/..',
    '/.',
    '/%00',
    '/%',
    '/%zz',
    '/%2e%2e%2f',
    '/%2F',
    '/%5c',
    '/;',
    '/?',
    '/%ff',
    '/%ed%a0%80',
    '/%c0%af',
  ],
  ...['/%E2%80%AE', '/%F0%9F%91%BE', '/%20', '/+', '/a%0d%0aset-cookie:x', '/__proto__', '/constructor', '/{id}', '/*'],
  ...[
    `/${'x'.repeat(3_000)}`,
    `/${'%61'.repeat(2_000)}`,
    '/00000000-0000-4000-8000-000000000000',
    '/42',
    '/cancellation',
  ],
];
const hostileQueries = [
  ...[
    '?',
    '?&&&',
    '?=',
    '?a',
    '?a=%',
    '?a=%ff&a=%00',
    '?__proto__=x&constructor=y',
    '?a[]=1&a[]=2',
    '?a=b?c=d',
    '?%E2%80%AE',
  ],
  ...[`?a=${'x'.repeat(5_000)}`, `?${'a=1&'.repeat(2_000)}`, '?orderId=x', '?a=1;b=2', '?+'],
];
/** Of a parameter that a route knows, already encoded. */
const hostileValues = [
  ...[
    '',
    '%00',
    '%0a',
    '%ff',
    '-1',
    '0',
    '1e999',
    '9007199254740993',
    'NaN',
    '2026-13-45',
    '9999-12-31',
    '0000-01-01',
    'true',
    '%F0%9F%91%BE',
  ],
  ...[
    '__proto__',
    '{}',
    '[]',
    '%22',
    '%E2%80%AE',
    'x'.repeat(3_000),
    'e30',
    'bnVsbA',
    'W10',
    'AAAA',
    '..%2f..',
    '%23',
    '*',
  ],
];
const otherParameters = ['cursor', 'limit', 'customer', 'status', 'type', 'from', 'to', 'unknown'];
const hostileHeaders: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    'x-correlation-id',
    ['', ' ', 'a b', 'x'.repeat(129), 'x'.repeat(7_000), '\u00ff\u00fe', '../..', '<script>', 'a,b', '__proto__'],
  ],
  [
    'traceparent',
    [
      '',
      'x',
      '00-0-0-0',
      `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
      `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      'x'.repeat(7_000),
    ],
  ],
  [
    'idempotency-key',
    ['', ' ', '"', '""', '"a', 'a b', 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(7_000), '\u00e9', '#', '"a"b"'],
  ],
  [
    'content-type',
    [
      '',
      'text/plain',
      'application/octet-stream',
      'application/json; charset=utf-16',
      'multipart/form-data',
      'x',
      '\u00ff/\u00ff',
      'application/xml',
    ],
  ],
  ['content-encoding', ['gzip', 'br', 'identity', 'x', '']],
  ['accept', ['image/png', '', '*/*;q=0', 'x'.repeat(7_000)]],
  ['x-forwarded-for', ['127.0.0.1, evil', '\u00ff', '']],
  ['cookie', ['a=b; __proto__=c; ;;=', 'x'.repeat(7_000), '']],
  ['__proto__', ['x', '']],
  ['x-request-id', ['forged']],
  ['x-http-method-override', ['DELETE']],
];
/** What a browser says on behalf of a page that has no business here. */
const foreignPages: readonly (readonly [name: string, value: string])[] = [
  ...['', 'evil.example', '[', 'a b', '..', '127.0.0.1'].map((host) => ['host', host] as const),
  ...['null', 'https://evil.example', '', 'http://localhost:5173'].map((origin) => ['origin', origin] as const),
  ['sec-fetch-site', 'cross-site'],
];
const hostileTokens = [
  ...[
    '',
    'Bearer',
    'Bearer ',
    'Bearer garbage',
    'Bearer a.b.c',
    'Bearer ..',
    'Bearer null',
    'Basic YTpi',
    'bearer',
    'Bearer \u00ff',
  ],
  ...[
    `Bearer ${'x'.repeat(7_000)}`,
    'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJjdXN0b21lci0xIn0.',
    'Bearer e30.e30.e30',
    'Bearer W10.W10.W10',
  ],
];
/** A method, a version, headers and lengths that no client would send. Node's parser has the first word on them. */
const hostileProtocol: readonly ((path: string, token: string, host: string) => Buffer)[] = [
  (path, _, host) => requestBytes(`FOO ${path} HTTP/1.1`, [['host', host]]),
  (path, _, host) => requestBytes(`get ${path} HTTP/1.1`, [['host', host]]),
  (path, _, host) => requestBytes(`GET ${path} HTTP/9.9`, [['host', host]]),
  (path) => requestBytes(`GET ${path}`, []),
  (path) => requestBytes(`GET ${path} HTTP/1.1`, []),
  (path, _, host) => requestBytes(`GET  ${path}  HTTP/1.1`, [['host', host]]),
  (path, token, host) =>
    requestBytes(`GET ${path} HTTP/1.1`, [
      ['host', host],
      ['no colon', '\u0000'],
      ['authorization', token],
    ]),
  (path, _, host) =>
    requestBytes(`GET ${path} HTTP/1.1`, [
      ['host', host],
      ['x', 'y'.repeat(70_000)],
    ]),
  (path, _, host) =>
    requestBytes(`POST ${path} HTTP/1.1`, [
      ['host', host],
      ['content-length', '-1'],
    ]),
  (path, _, host) =>
    requestBytes(`POST ${path} HTTP/1.1`, [
      ['host', host],
      ['content-length', '1'],
      ['transfer-encoding', 'chunked'],
    ]),
  (path, _, host) =>
    requestBytes(
      `POST ${path} HTTP/1.1`,
      [
        ['host', host],
        ['transfer-encoding', 'chunked'],
      ],
      Buffer.from('zz\r\nxx\r\n'),
    ),
  (path, _, host) =>
    requestBytes(`POST ${path} HTTP/1.1`, [
      ['host', host],
      ['expect', 'a miracle'],
      ['connection', 'close'],
    ]),
  (_path, _token, host) =>
    requestBytes('GET http://evil.example/orders HTTP/1.1', [
      ['host', host],
      ['connection', 'close'],
    ]),
  (_path, _token, host) =>
    requestBytes('GET http://[ HTTP/1.1', [
      ['host', host],
      ['connection', 'close'],
    ]),
  (_path, _token, host) =>
    requestBytes('OPTIONS * HTTP/1.1', [
      ['host', host],
      ['connection', 'close'],
    ]),
  () => Buffer.from('\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 'latin1'),
  () => Buffer.from('\r\n\r\n\r\n\r\nGET\r\n\r\n'),
];

const KIB = 1024;
/** The endpoint's own limit, a limit of others, and API Gateway's 6 MB with an envelope around it. */
const bodySizes = [128 * KIB - 1, 128 * KIB, 128 * KIB + 1, 1024 * KIB, 1024 * KIB + 1];
const hugeSizes = [6_000_000, 6 * KIB * KIB, 10 * KIB * KIB, 10 * KIB * KIB + 1];
const MAX_BODY_BYTES = 128 * KIB;

interface RequestParts {
  id?: string;
  query?: string;
  authorization?: string | undefined;
  headers?: readonly (readonly [string, string])[];
  body?: Buffer | string;
}

/**
 * Requests to every route.
 * @param orderIds of orders of the customer
 * @param host of the HTTP API, e.g. 127.0.0.1:3000
 */
export function httpInputs(tokens: Tokens, orderIds: readonly string[], host: string): fc.Arbitrary<HttpInput> {
  return fc.oneof(
    ...Object.entries(attackedRoutes).map(([route, attacked]) => inputsOf(route, attacked, tokens, orderIds, host)),
  );
}

function inputsOf(
  route: string,
  { method, path, by, query: soundQuery = {}, body: schema, maxBodyBytes = MAX_BODY_BYTES, sound }: AttackedRoute,
  tokens: Tokens,
  orderIds: readonly string[],
  host: string,
): fc.Arbitrary<HttpInput> {
  const goodIds =
    by === 'customer' ? fc.constantFrom(...orderIds) : fc.integer({ max: 999, min: 0 }).map((n) => `SKU-${n}`);
  const goodBodies = schema ? soundBodies(schema) : undefined;
  const other = by === 'customer' ? tokens.staff : tokens.customer;
  const own = by === 'visitor' ? undefined : `Bearer ${tokens[by]}`;

  const queryText = (parameters: Readonly<Record<string, string>>) => {
    const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
  };
  const build = ({ id = '', query = queryText(soundQuery), headers = [], authorization = own, body }: RequestParts) => {
    const bytes = body === undefined ? undefined : Buffer.from(body as string);
    const named = new Set(headers.map(([name]) => name));
    const usual = [
      ['host', host],
      ['connection', 'close'],
      ...(authorization === undefined ? [] : [['authorization', authorization]]),
      ...(bytes ? [['content-type', 'application/json']] : []),
    ] as [string, string][];
    const lengths: [string, string][] = bytes ? [['content-length', String(bytes.length)]] : [];
    return requestBytes(
      `${method} ${path.replace('{id}', () => id)}${query} HTTP/1.1`,
      [...usual.filter(([name]) => !named.has(name)), ...headers, ...lengths],
      bytes,
    );
  };
  const attack = (weight: number, kind: string, parts: fc.Arbitrary<RequestParts>, statuses?: readonly number[]) => ({
    weight,
    arbitrary: fc.tuple(goodIds, parts).map(
      ([id, part]): HttpInput => ({
        way: 'http',
        kind,
        route,
        bytes: build({ id, ...part }),
        ...(statuses && { statuses }),
      }),
    ),
  });
  const withBody = <Parts extends object>(parts: fc.Arbitrary<Parts>): fc.Arbitrary<Parts & RequestParts> =>
    goodBodies ? fc.tuple(parts, goodBodies).map(([part, value]) => ({ ...part, body: JSON.stringify(value) })) : parts;

  const bodies = goodBodies ?? fc.constant({ unwanted: 1 });
  const hostileBody = hostileTexts(bodies);
  const takesBody = method !== 'GET';
  return fc.oneof(
    attack(10, 'valid', withBody(fc.constant({})), sound),
    ...(takesBody
      ? [
          {
            weight: 40,
            arbitrary: fc.tuple(goodIds, hostileBody).map(
              ([id, { kind, text, broken }]): HttpInput => ({
                way: 'http',
                kind: `body: ${kind}`,
                route,
                bytes: build({ id, body: text }),
                // An endpoint without a body takes an empty one.
                ...(broken && (schema || text !== '') ? { statuses: [400, 413, 429] } : {}),
              }),
            ),
          },
          attack(
            2,
            'body: invalid UTF-8',
            invalidUtf8(bodies).map((body) => ({ body })),
          ),
          {
            weight: 1,
            arbitrary: fc.tuple(goodIds, oversized(bodies, [maxBodyBytes, maxBodyBytes + 1, ...bodySizes])).map(
              ([id, { text, bytes }]): HttpInput => ({
                way: 'http',
                kind: 'body: at a limit',
                route,
                bytes: build({ id, body: text }),
                statuses: bytes > maxBodyBytes ? [413, 429] : [400, 429],
              }),
            ),
          },
        ]
      : []),
    attack(
      4,
      'token of another role',
      withBody(fc.constant({ authorization: `Bearer ${other}` })),
      by === 'visitor' ? sound : [403, 429],
    ),
    attack(
      6,
      'no sound token',
      withBody(fc.constantFrom(...hostileTokens).map((authorization) => ({ authorization }))),
      by === 'visitor' ? sound : [401, 429],
    ),
    attack(
      2,
      "another issuer's or an expired token",
      withBody(fc.constantFrom(tokens.expired, tokens.foreign).map((token) => ({ authorization: `Bearer ${token}` }))),
      by === 'visitor' ? sound : [401, 429],
    ),
    attack(
      14,
      'header',
      withBody(
        fc.constantFrom(...hostileHeaders).chain(([name, values]) =>
          fc.tuple(fc.constantFrom(...values), fc.boolean()).map(([value, twice]) => ({
            headers: (twice
              ? [
                  [name, value],
                  [name, value],
                ]
              : [[name, value]]) as [string, string][],
          })),
        ),
      ),
    ),
    attack(
      2,
      'foreign page',
      withBody(fc.constantFrom(...foreignPages).map((header) => ({ headers: [header] }))),
      [400, 403],
    ),
    attack(10, 'path', withBody(fc.constantFrom(...hostilePaths).map((text) => ({ id: text.slice(1) })))),
    attack(
      Object.keys(soundQuery).length > 0 ? 40 : 2,
      'query: hostile value',
      withBody(
        fc
          .tuple(
            fc.constantFrom(...Object.keys(soundQuery), ...otherParameters),
            fc.constantFrom(...hostileValues),
            fc.boolean(),
          )
          .map(([name, value, twice]) => ({
            query: `${queryText({ ...soundQuery, [name]: value })}${twice ? `&${name}=${value}` : ''}`,
          })),
      ),
    ),
    attack(5, 'query', withBody(fc.constantFrom(...hostileQueries).map((query) => ({ query })))),
    {
      weight: 2,
      arbitrary: fc.tuple(goodIds, fc.constantFrom(...hostileProtocol)).map(
        ([id, make]): HttpInput => ({
          way: 'http',
          kind: 'protocol',
          route,
          bytes: make(
            path.replace('{id}', () => id),
            own ?? '',
            host,
          ),
        }),
      ),
    },
  );
}

/** Bodies near API Gateway's and Lambda's limits: few, for they are large. */
export function hugeRequests(tokens: Tokens, host: string): fc.Arbitrary<HttpInput> {
  return fc.constantFrom(...hugeSizes).map((size) => {
    const body = Buffer.alloc(size, 'x');
    const headers = [
      ['host', host],
      ['connection', 'close'],
      ['authorization', `Bearer ${tokens.customer}`],
      ['content-type', 'application/json'],
      ['content-length', String(size)],
    ] as [string, string][];
    return {
      way: 'http',
      kind: 'body: megabytes',
      route: 'POST /orders',
      bytes: requestBytes('POST /orders HTTP/1.1', headers, body),
      statuses: [413, 429],
    };
  });
}

/** Bodies that the endpoint takes: what the JSON Schema cannot say is seen to here. */
function soundBodies(schema: z.ZodType): fc.Arbitrary<object> {
  const values = valuesOf(z.toJSONSchema(schema, { io: 'input' })) as fc.Arbitrary<{ lines?: object[] }>;
  return (
    values
      .map((value) => ({
        ...value,
        ...(value.lines ? { lines: value.lines.map((line, index) => ({ ...line, sku: `SKU-${index}` })) } : {}),
      }))
      // JSON Schema has no words for texts without links and hidden characters.
      .filter((value) => schema.safeParse(value).success)
  );
}
