import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiUnderTest } from '../../../fixtures/api-under-test.ts';
import { declaredService } from '../../../fixtures/declared-service.ts';

let api: ApiUnderTest;
let now: number;
beforeEach(() => {
  api = new ApiUnderTest();
  now = Date.UTC(2026, 0, 31);
});
afterEach(() => api.stop());

const limit = (rate: unknown, burst: unknown) => ({ ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst });
const service = (Stage: Record<string, unknown>, name = 'orders') =>
  declaredService(name, [`GET /${name}`, `POST /${name}`, `GET /${name}/{id}`], { others: { Stage } });
const start = (...services: ReturnType<typeof service>[]) => api.start(services, { now: () => now });

/** The statuses of requests, one after the other. */
async function send(url: string, count: number, path = '/orders', method = 'GET'): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < count) statuses.push((await fetch(url + path, { method })).status);
  return statuses;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
test('a burst is answered, then a 429 is, until tokens have come back', async () => {
  const url = await start(service({ DefaultRouteSettings: limit(2, 3) }));
  expect(await send(url, 4)).toEqual([200, 200, 200, 429]);
  const response = await fetch(`${url}/orders`);
  expect([response.status, await response.json()]).toEqual([429, { message: 'Too Many Requests' }]);
  expect(api.events).toHaveLength(3);

  now += 499;
  expect(await send(url, 1)).toEqual([429]);
  now += 1;
  expect(await send(url, 2)).toEqual([200, 429]);
  now += 60_000;
  expect(await send(url, 4)).toEqual([200, 200, 200, 429]);
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
test('every route has tokens of its own, also within one API', async () => {
  const url = await start(service({ DefaultRouteSettings: limit(1, 1) }), service({}, 'stock'));
  expect(await send(url, 2)).toEqual([200, 429]);
  expect(await send(url, 2, '/orders', 'POST')).toEqual([200, 429]);
  expect(await send(url, 1, '/orders/1')).toEqual([200]);
  expect(await send(url, 1, '/orders/2')).toEqual([429]);
  expect(await send(url, 3, '/stock')).toEqual([200, 200, 200]);
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
test("a route's own settings come before those of its stage", async () => {
  const settings = { 'GET /orders': limit('1', '2'), 'POST /orders': { ThrottlingBurstLimit: 3 } };
  const url = await start(service({ DefaultRouteSettings: limit(1, 1), RouteSettings: settings }));
  expect(await send(url, 3)).toEqual([200, 200, 429]);
  expect(await send(url, 4, '/orders', 'POST')).toEqual([200, 200, 200, 429]);
  expect(await send(url, 2, '/orders/1')).toEqual([200, 429]);
});

test('a limit of nothing closes a route', async () => {
  expect(await send(await start(service({ RouteSettings: { 'GET /orders': limit(0, 0) } })), 1)).toEqual([429]);
});

test('a clock that goes back takes nothing away', async () => {
  const url = await start(service({ DefaultRouteSettings: limit(1, 2) }));
  expect(await send(url, 1)).toEqual([200]);
  now -= 3_600_000;
  expect(await send(url, 2)).toEqual([200, 429]);
  now += 1000;
  expect(await send(url, 2)).toEqual([200, 429]);
});

describe('a template is refused at start', () => {
  test.each([
    [
      'half a limit',
      { DefaultRouteSettings: { ThrottlingRateLimit: 5 } },
      /both a ThrottlingRateLimit and a Throttling/,
    ],
    ['a limit that is no number', { DefaultRouteSettings: limit('many', 1) }, /orders: TheStage must have/],
    ['a negative limit', { RouteSettings: { 'GET /orders': limit(-1, 1) } }, /for GET \/orders, not -1 and 1/],
    [
      'a route that is not there',
      { RouteSettings: { 'GET /order': limit(1, 1) } },
      /"GET \/order", which is not a route/,
    ],
  ])('for %s', async (_name, stage, message) => {
    await expect(start(service(stage))).rejects.toThrow(message);
  });
});
