import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
}, 90_000);

afterAll(() => system?.stop());

test('200 concurrent orders for 50 units of stock give exactly 50 confirmations', async () => {
  const sku = await shop.stocked(50, 10);
  const orderIds = await Promise.all(Array.from({ length: 200 }, () => shop.place(orderOf(sku))));
  const statuses = await eventually(
    async () => {
      const orders = await Promise.all(orderIds.map((orderId) => shop.order(orderId)));
      const open = orders.filter(({ status }) => status === 'PLACED').length;
      if (open > 0) throw new Error(`${open} orders are still open`);
      return orders.map(({ status }) => status);
    },
    { deadlineMs: 90_000, intervalMs: 500 },
  );
  expect(statuses.filter((status) => status === 'CONFIRMED')).toHaveLength(50);
  expect(statuses.filter((status) => status === 'CANCELLED')).toHaveLength(150);
  expect(await shop.stock(sku)).toEqual({ available: 0, reserved: 50 });
}, 120_000);
