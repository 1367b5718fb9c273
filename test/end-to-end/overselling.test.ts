import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
});

afterAll(() => system?.stop());

test('200 concurrent orders for 50 units of stock give exactly 50 confirmations', async () => {
  const sku = await shop.stocked(50, 10);
  const placeOrder = () => {
    const order = orderOf(sku);
    const key = { 'idempotency-key': randomUUID() };
    // API Gateway gives up after 30 seconds, which is not long for a small machine with 200 orders; nothing is lost by asking again.
    return eventually(() => shop.place(order, key), { intervalMs: 500 });
  };
  const orderIds = await Promise.all(Array.from({ length: 200 }, placeOrder));
  const statuses: string[] = [];
  for (const orderId of orderIds) {
    const { status } = await eventually(
      async () => {
        const order = await shop.order(orderId);
        if (order.status === 'PLACED') throw new Error(`Order ${orderId} is still open`);
        return order;
      },
      { intervalMs: 500 },
    );
    statuses.push(status);
  }
  expect(statuses.filter((status) => status === 'CONFIRMED')).toHaveLength(50);
  expect(statuses.filter((status) => status === 'CANCELLED')).toHaveLength(150);
  await eventually(async () => {
    expect(await shop.stock(sku)).toEqual({ available: 0, reserved: 0, shipped: 50 });
  });
});
