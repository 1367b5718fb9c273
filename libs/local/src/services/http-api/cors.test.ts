import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiUnderTest } from '../../../fixtures/api-under-test.ts';
import { declaredService } from '../../../fixtures/declared-service.ts';

const PAGE = 'https://shop.example';
const CorsConfiguration = {
  AllowOrigins: [PAGE, 'http://*'],
  AllowHeaders: ['authorization', 'content-type'],
  AllowMethods: ['GET', 'POST'],
  ExposeHeaders: ['location'],
  AllowCredentials: true,
  MaxAge: 300,
};
const ON_EVERY_ANSWER = {
  'access-control-allow-origin': PAGE,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'location',
};
const ON_A_PREFLIGHT = {
  ...ON_EVERY_ANSWER,
  'access-control-allow-headers': 'authorization,content-type',
  'access-control-allow-methods': 'GET,POST',
  'access-control-max-age': '300',
};

let api: ApiUnderTest;
beforeEach(() => {
  api = new ApiUnderTest();
});
afterEach(() => api.stop());

const orders = (routeKeys = ['POST /orders', 'GET /orders/{id}'], properties: Record<string, unknown> = {}) =>
  declaredService('orders', routeKeys, {
    route: { AuthorizationType: 'JWT', AuthorizerId: 'orders-authorizer' },
    others: {
      Api: { CorsConfiguration: { ...CorsConfiguration, ...properties } },
      Authorizer: {
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Issuer: 'https://auth.example', Audience: ['shop'] },
      },
    },
  });
/** Anybody may call it. */
const stock = () =>
  declaredService('stock', ['GET /stock/{sku}', 'PUT /orders'], { others: { Api: { CorsConfiguration } } });
const elsewhere = () => declaredService('elsewhere', ['GET /elsewhere']);

async function send(url: string, method: string, path: string, headers: Record<string, string>) {
  const response = await fetch(url + path, { method, headers });
  const cors = [...response.headers].filter(([name]) => name.startsWith('access-control-'));
  return {
    status: response.status,
    text: await response.text(),
    headers: response.headers,
    cors: Object.fromEntries(cors),
  };
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
describe('a preflight', () => {
  const ask = async (path: string, headers: Record<string, string>, services = [orders(), stock(), elsewhere()]) =>
    send(await api.start(services), 'OPTIONS', path, headers);

  test.each(['/orders', '/orders/1'])('for %s is answered without a token and without a function', async (path) => {
    const { status, text, cors } = await ask(path, { origin: PAGE, 'access-control-request-method': 'POST' });
    expect([status, text]).toEqual([204, '']);
    expect(cors).toEqual(ON_A_PREFLIGHT);
    expect(api.events).toEqual([]);
  });

  test.each([['https://evil.example'], [`${PAGE}.evil.example`], ['null']])('of %s is refused', async (origin) => {
    const { status, cors } = await ask('/orders', { origin, 'access-control-request-method': 'POST' });
    expect([status, cors]).toEqual([403, {}]);
  });

  test('without an origin gets no CORS headers', async () => {
    const { status, cors } = await ask('/orders', { 'access-control-request-method': 'POST' });
    expect([status, cors]).toEqual([204, {}]);
  });

  test('of an origin that only another API allows gets no CORS headers', async () => {
    const services = [orders(undefined, { AllowOrigins: ['https://staff.example'] }), stock()];
    const { status, cors } = await ask('/orders', { origin: PAGE, 'access-control-request-method': 'POST' }, services);
    expect([status, cors]).toEqual([204, {}]);
  });

  test('of a scheme that is allowed with any host gets its origin back', async () => {
    const { cors } = await ask('/orders', { origin: 'http://localhost:5173', 'access-control-request-method': 'POST' });
    expect(cors['access-control-allow-origin']).toBe('http://localhost:5173');
  });

  test('gets * where every origin is allowed', async () => {
    const services = [orders(undefined, { AllowOrigins: ['*'], AllowCredentials: undefined })];
    const { cors } = await ask(
      '/orders',
      { origin: 'https://any.example', 'access-control-request-method': 'POST' },
      services,
    );
    expect(cors['access-control-allow-origin']).toBe('*');
    expect(cors).not.toHaveProperty('access-control-allow-credentials');
  });

  test('belongs to the API whose method it asks for, on a path that two of them have', async () => {
    const services = [orders(undefined, { MaxAge: 1 }), stock()];
    const headers = { origin: PAGE, 'access-control-request-method': 'PUT' };
    const { cors } = await ask('/orders', headers, services);
    expect(cors['access-control-max-age']).toBe('300');
  });

  test.each([['/elsewhere'], ['/nowhere']])('for %s, where nothing is configured, is a 404', async (path) => {
    const { status, cors } = await ask(path, { origin: PAGE, 'access-control-request-method': 'GET' });
    expect([status, cors]).toEqual([404, {}]);
  });

  test('goes to the route that takes OPTIONS, if the API has one', async () => {
    api.answer = { statusCode: 200, headers: { 'access-control-allow-origin': '*' } };
    const service = declaredService('any', ['ANY /any'], { others: { Api: { CorsConfiguration } } });
    const { status, cors } = await ask('/any', { origin: PAGE, 'access-control-request-method': 'GET' }, [service]);
    expect(api.events.map(({ routeKey }) => routeKey)).toEqual(['ANY /any']);
    expect([status, cors]).toEqual([200, ON_A_PREFLIGHT]);
  });

  test('is answered by its API when another one has a route for everything', async () => {
    const { status } = await ask('/orders', { origin: PAGE, 'access-control-request-method': 'POST' }, [
      orders(),
      declaredService('rest', ['$default']),
    ]);
    expect([status, api.events]).toEqual([204, []]);
  });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
describe('an answer', () => {
  test('has the headers of its API in the place of those of the function', async () => {
    api.answer = {
      statusCode: 200,
      headers: { 'Access-Control-Allow-Origin': '*', 'access-control-max-age': '9', location: '/stock/1' },
    };
    const { cors, headers } = await send(await api.start([stock()]), 'GET', '/stock/1', { origin: PAGE });
    expect(cors).toEqual(ON_EVERY_ANSWER);
    expect(headers.get('location')).toBe('/stock/1');
  });

  test('to a client without an origin has none of them', async () => {
    api.answer = { statusCode: 200, headers: { 'access-control-allow-origin': '*' } };
    const { cors } = await send(await api.start([stock()]), 'GET', '/stock/1', {});
    expect(cors).toEqual({});
  });

  test('to a page of an origin that is not configured is a refusal, and no function is called', async () => {
    const { status, cors } = await send(await api.start([stock()]), 'GET', '/stock/1', {
      origin: 'https://evil.example',
    });
    expect([status, cors, api.events]).toEqual([403, {}, []]);
  });

  test('has those of the function where the API says nothing', async () => {
    api.answer = { statusCode: 200, headers: { 'access-control-allow-origin': '*' } };
    const { cors } = await send(await api.start([elsewhere(), stock()]), 'GET', '/elsewhere', { origin: PAGE });
    expect(cors).toEqual({ 'access-control-allow-origin': '*' });
  });

  test('that refuses a caller can be read by the page', async () => {
    const { status, cors } = await send(await api.start([orders()]), 'POST', '/orders', { origin: PAGE });
    expect([status, cors]).toEqual([401, ON_EVERY_ANSWER]);
  });
});
