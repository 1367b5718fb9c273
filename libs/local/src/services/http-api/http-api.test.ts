import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { arnOf, declaredService as service } from '../../../fixtures/declared-service.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { InvocationResult } from '../lambda/function-pool.ts';
import { type HttpApi, startHttpApi } from './http-api.ts';

interface Event {
  routeKey: string;
  pathParameters?: Record<string, string>;
  [key: string]: unknown;
}

let api: HttpApi | undefined;
let events: Event[];
let warnings: string[];
let answer: (event: Event) => unknown;
/** Of the last call. */
let signal: AbortSignal | undefined;

beforeEach(() => {
  events = [];
  warnings = [];
  answer = ({ routeKey }) => ({ statusCode: 200, body: routeKey });
});

afterEach(async () => {
  await api?.stop();
  api = undefined;
});

async function start(...services: ReturnType<typeof service>[]): Promise<string> {
  api = await startHttpApi({
    port: 0,
    accountId: '000000000000',
    services,
    invoke: async (functionArn, payload, options): Promise<InvocationResult> => {
      signal = options.signal;
      const event = { ...JSON.parse(payload), functionArn } as Event;
      events.push(event);
      const base = { requestId: 'r', logTail: '' };
      try {
        const result = await answer(event);
        return { ...base, payload: JSON.stringify(result) ?? 'null' };
      } catch (error) {
        // The pool refuses a call by an AwsError; what a function throws is an answer.
        if (error instanceof AwsError) throw error;
        return { ...base, payload: '{"errorMessage":"no"}', functionError: 'Unhandled' };
      }
    },
    onWarning: (message) => warnings.push(message),
  });
  return api.url;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 4000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('Never came true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sends bytes as they are and returns all that comes back until the server closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.on('end', () => resolve(received));
    socket.on('error', reject);
  });
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
describe('the route', () => {
  const keys = [
    'GET /pets/dog/1',
    'GET /pets/dog/{id}',
    'ANY /pets/dog/{any}',
    'GET /pets/{proxy+}',
    'ANY /{proxy+}',
    'POST /',
    '$default',
  ];

  test.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['PUT', '/pets/dog/2', 'ANY /pets/dog/{any}', { any: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['POST', '/pets/cat/1', 'ANY /{proxy+}', { proxy: 'pets/cat/1' }],
    ['POST', '/', 'POST /', undefined],
    ['GET', '/', '$default', undefined],
    ['GET', '/pets/dog/a%20b%2Fc', 'GET /pets/dog/{id}', { id: 'a b/c' }],
  ])('of %s %s is %s', async (method, path, routeKey, pathParameters) => {
    const url = await start(service('pets', keys));
    const response = await fetch(url + path, { method });
    expect(await response.text()).toBe(routeKey);
    expect(events[0]?.pathParameters).toEqual(pathParameters);
  });

  test('belongs to the service that declared it', async () => {
    const url = await start(
      service('orders', ['GET /orders/{id}']),
      service('stock', ['GET /stock/{sku}', 'PUT /stock/{sku}']),
    );
    await fetch(`${url}/stock/A`);
    await fetch(`${url}/orders/1`);
    expect(events.map(({ functionArn }) => functionArn)).toEqual([arnOf('stock'), arnOf('orders')]);
  });

  test.each([['/nowhere'], ['/orders'], ['/orders/1/lines'], ['/orders/']])('of %s is none: 404', async (path) => {
    const url = await start(service('orders', ['GET /orders/{id}']));
    const response = await fetch(url + path);
    expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
  });

  test('of another method is none: 404', async () => {
    const url = await start(service('orders', ['GET /orders/{id}']));
    expect((await fetch(`${url}/orders/1`, { method: 'DELETE' })).status).toBe(404);
  });

  test('of two services is an error that names both', async () => {
    await expect(start(service('orders', ['GET /items/{id}']), service('stock', ['GET /items/{sku}']))).rejects.toThrow(
      'Route "GET /items/{sku}" of stock collides with "GET /items/{id}" of orders',
    );
  });

  test.each([
    ['greedy in the middle', 'GET /a/{x+}/b', {}, /only at its end/],
    ['without a path', 'GET', {}, /not valid/],
    ['without a function', 'GET /a', { IntegrationUri: 'https://example.com' }, /no AWS_PROXY integration/],
    ['with payload format 1.0', 'GET /a', { PayloadFormatVersion: '1.0' }, /payload format 2.0/],
  ])('%s is refused at start', async (_name, routeKey, integration, message) => {
    await expect(start(service('orders', [routeKey], { integration }))).rejects.toThrow(message);
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('the event', () => {
  test('has payload format 2.0', async () => {
    const url = await start(service('orders', ['POST /orders/{id}']));
    const { host, hostname } = new URL(url);
    const response = await fetch(`${url}/orders/%C3%BC?tag=a&tag=b&name=J%C3%B6rg+K&empty=`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie: 'a=1; b=2', 'X-Many': 'one', 'User-Agent': 'test' },
      body: '{"sku":"ü"}',
    });
    expect(events[0]).toMatchObject({
      version: '2.0',
      routeKey: 'POST /orders/{id}',
      rawPath: '/orders/ü',
      rawQueryString: 'tag=a&tag=b&name=J%C3%B6rg+K&empty=',
      cookies: ['a=1', 'b=2'],
      headers: { 'content-type': 'application/json', 'x-many': 'one', host },
      queryStringParameters: { tag: 'a,b', name: 'Jörg K', empty: '' },
      pathParameters: { id: 'ü' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'api-orders',
        domainName: hostname,
        http: { method: 'POST', path: '/orders/ü', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId: response.headers.get('apigw-requestid'),
        routeKey: 'POST /orders/{id}',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      body: '{"sku":"ü"}',
      isBase64Encoded: false,
    });
    expect(events[0]?.headers).not.toHaveProperty('cookie');
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
describe('the response', () => {
  const get = async (value: unknown) => {
    answer = () => value;
    return fetch(`${await start(service('orders', ['GET /orders']))}/orders`);
  };

  test('is what the function says', async () => {
    const response = await get({
      statusCode: 202,
      headers: { Location: '/orders/1', 'X-Count': 3 },
      cookies: ['a=1; Path=/', 'b=2'],
      body: 'fine',
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe('/orders/1');
    expect(response.headers.get('x-count')).toBe('3');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    expect(await response.text()).toBe('fine');
  });

  test('is decoded from base64', async () => {
    const response = await get({
      statusCode: 200,
      isBase64Encoded: true,
      headers: { 'content-type': 'image/png' },
      body: 'AAEC/w==',
    });
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 1, 2, 255]);
  });

  test.each<[unknown, string]>([
    [{ ok: true }, '{"ok":true}'],
    ['Hello', 'Hello'],
    [[1], '[1]'],
  ])('of %j without a statusCode is a 200 with it', async (value, body) => {
    const response = await get(value);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/json',
      body,
    ]);
  });

  test('of 204 has no body', async () => {
    const response = await get({ statusCode: 204 });
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  test.each([
    [{ statusCode: 'many' }],
    [{ statusCode: 99 }],
    [{ statusCode: 200, body: { a: 1 } }],
    [{ statusCode: 200, headers: { 'bad name': 'x' } }],
    [{ statusCode: 200, headers: { a: 'split\r\nset-cookie: b' } }],
    [{ statusCode: 200, headers: 'x' }],
    [{ statusCode: 200, cookies: 'a=1' }],
  ])('of %j is a 500', async (value) => {
    const response = await get(value);
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
    expect(warnings).toHaveLength(1);
  });

  test('of a function that fails is a 500', async () => {
    const response = await get(Promise.reject(new Error('boom')));
    expect([response.status, await response.json()]).toEqual([500, { message: 'Internal Server Error' }]);
  });

  test('of a function that takes longer than the integration is a 503', async () => {
    answer = () => new Promise(() => undefined);
    const url = await start(service('orders', ['GET /orders'], { integration: { TimeoutInMillis: 50 } }));
    const response = await fetch(`${url}/orders`);
    expect([response.status, await response.json()]).toEqual([503, { message: 'Service Unavailable' }]);
    // A call that still waits for a container is given up, so that it does not keep its own repetition waiting.
    await until(() => signal?.aborted === true);
  });
});

describe('hostile input', () => {
  test.each(['/orders/%', '/orders/%E0%A4%A', '/%zz'])('%s is a 400', async (path) => {
    const url = await start(service('orders', ['GET /orders/{id}']));
    const response = await fetch(url + path);
    expect([response.status, await response.json()]).toEqual([400, { message: 'Bad Request' }]);
  });

  test.each([
    [
      'an absolute request target',
      'GET http://elsewhere/orders HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
      /^HTTP\/1.1 400/,
    ],
    ['nonsense', 'nonsense\r\n\r\n', /^HTTP\/1.1 400/],
    [
      'path segments that go up',
      'GET /orders/../../etc HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
      /^HTTP\/1.1 404/,
    ],
  ])('%s is refused', async (_name, text, expected) => {
    await start(service('orders', ['GET /orders/{id}']));
    expect(await raw(api?.port ?? 0, text.replace('HOST', `127.0.0.1:${api?.port}`))).toMatch(expected);
  });

  test('names like __proto__ are only names', async () => {
    const url = await start(service('orders', ['GET /orders/{id}']));
    const response = await fetch(`${url}/orders/__proto__?__proto__=1&constructor=2`, {
      headers: { constructor: '3' },
    });
    expect(response.status).toBe(200);
    expect(events[0]?.pathParameters).toEqual({ id: '__proto__' });
    expect(Object.keys(events[0]?.queryStringParameters ?? {})).toContain('constructor');
  });

  test.each(['announced', 'chunked'])('a body above 10 MB, %s, is a 413', async (how) => {
    const url = await start(service('orders', ['POST /orders']));
    const size = 10 * 1024 * 1024 + 1;
    const { status, text } = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const request = httpRequest(`${url}/orders`, {
        method: 'POST',
        ...(how === 'announced' ? { headers: { 'content-length': size } } : {}),
      });
      request.on('response', (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      request.on('error', reject);
      // One end() with everything would announce the length by itself.
      request.write(Buffer.alloc(size, 'x'));
      request.end();
    });
    expect({ status, text }).toEqual({ status: 413, text: '{"message":"Request Too Long"}' });
    expect(events).toEqual([]);
  });

  test('a request that is refused before its body is read gets to see the answer', async () => {
    const { hostname, port, host } = new URL(await start(service('orders', ['POST /orders'])));
    const socket = connect(Number(port), hostname);
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    const body = Buffer.alloc(8 * 1024 * 1024);
    socket.write(
      `POST /nowhere HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);

    await once(socket, 'close');

    expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('a body that Lambda has no room for is a 413', async () => {
    const url = await start(service('orders', ['POST /orders']));
    answer = () => {
      throw new AwsError('RequestTooLargeException', 'limit 6291456 bytes', 413);
    };
    const response = await fetch(`${url}/orders`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ message: 'Request Too Long' });
  });

  test('a client that leaves, before its body or its answer, harms nobody', async () => {
    const url = await start(service('orders', ['POST /orders']));
    const half = connect(api?.port ?? 0, '127.0.0.1');
    half.write(`POST /orders HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Length: 100\r\n\r\nhalf`, () =>
      half.destroy(),
    );
    const gate = Promise.withResolvers<unknown>();
    answer = () => gate.promise;
    const impatient = new AbortController();
    const left = fetch(`${url}/orders`, { method: 'POST', signal: impatient.signal }).catch(
      (error: Error) => error.name,
    );
    await until(() => events.length === 1);
    expect(signal?.aborted).toBe(false);
    impatient.abort();
    expect(await left).toBe('AbortError');
    await until(() => signal?.aborted === true);
    gate.resolve({ statusCode: 200 });
    answer = () => ({ statusCode: 201 });
    expect((await fetch(`${url}/orders`, { method: 'POST' })).status).toBe(201);
    expect(warnings).toEqual([]);
  });
});

test('stop answers what is under way and then refuses', async () => {
  const gate = Promise.withResolvers<unknown>();
  answer = () => gate.promise;
  const url = await start(service('orders', ['GET /orders']));
  const pending = fetch(`${url}/orders`);
  await until(() => events.length === 1);
  const stopped = api?.stop();
  api = undefined;
  gate.resolve({ statusCode: 200, body: 'late' });
  expect(await (await pending).text()).toBe('late');
  await stopped;
  await expect(fetch(`${url}/orders`)).rejects.toThrow();
});
