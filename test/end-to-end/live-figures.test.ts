import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { minuteOf, orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
});
afterAll(() => system?.stop());

test('orders are to be seen in the figures of their minute, each once', async () => {
  const sku = await shop.stocked(10);
  const began = Date.now();
  const soldOut = await shop.stocked(0);
  await Promise.all([shop.place(orderOf(sku, 2)), shop.place(orderOf(sku, 3)), shop.place(orderOf(soldOut))]);
  const range = `from=${minuteOf(began)}&to=${minuteOf(Date.now() + 600_000)}`;
  const figures = async (name: string) => {
    const { status, body } = await shop.request('GET', `/analytics/${name}${name.includes('?') ? '&' : '?'}${range}`);
    expect(status).toBe(200);
    return body;
  };

  await eventually(async () => {
    const { skus } = await figures('top?limit=100');
    expect(skus).toEqual(
      expect.arrayContaining([
        { sku, quantity: 5 },
        { sku: soldOut, quantity: 1 },
      ]),
    );
    const { steps } = await figures('funnel');
    const reached = Object.fromEntries(steps.map(({ step, count }) => [step, count]));
    // Other suites may order at the same time.
    expect(reached.placed).toBeGreaterThanOrEqual(3);
    expect(reached.confirmed).toBeGreaterThanOrEqual(2);
  });
  const { minutes } = await figures('series?of=orders');
  expect(minutes.length).toBeGreaterThan(0);
});

test('a customer who orders again is one customer with a repeat order', async () => {
  const sku = await shop.stocked(10);
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  const now = Date.now();
  const sinceToday = async () => {
    // It may be midnight meanwhile: then the next day has some of them.
    const query = `by=day&from=${day(now)}&to=${day(now + 2 * 86_400_000)}`;
    const { status, body } = await shop.request('GET', `/analytics/cohorts?${query}`);
    expect(status).toBe(200);
    const sum = (kind: 'first' | 'repeat') => body.cohorts.reduce((all, each) => all + each.ordersOfPeriod[kind], 0);
    return { first: sum('first'), repeat: sum('repeat') };
  };
  const before = await sinceToday();
  const newcomer = new Shop(system);
  for (const quantity of [1, 2, 3]) await newcomer.place(orderOf(sku, quantity));

  // Other suites may order at the same time.
  await eventually(async () => {
    const { first, repeat } = await sinceToday();
    expect(first - before.first).toBeGreaterThanOrEqual(1);
    expect(repeat - before.repeat).toBeGreaterThanOrEqual(2);
  });
});

test('a figure that is not there is a 400 that names its parameter', async () => {
  const { status, body } = await shop.request('GET', `/analytics/series?of=${randomUUID()}`);

  expect(status).toBe(400);
  expect(body).toMatchObject({
    code: 'INVALID_REQUEST',
    errors: expect.arrayContaining([{ field: 'of', detail: expect.any(String) }]),
  });
});
