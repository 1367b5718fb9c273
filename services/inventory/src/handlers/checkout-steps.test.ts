import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { type CheckoutOrder, exampleOrder } from '@millrace/orders/events';
import { callStep, type StepHandler } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { Warehouse } from '../adapters/warehouse.ts';

let dynamoDb: TestDynamoDb;
let warehouse: Warehouse;
let reserveStock: StepHandler;
let releaseStock: StepHandler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('inventory');
  process.env.MILLRACE_TABLE = 'inventory';
  warehouse = new Warehouse({ client: documentClient(), name: 'inventory' });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  reserveStock = (await import('./reserve-stock-for-checkout.ts')).handler;
  releaseStock = (await import('./release-stock-for-checkout.ts')).handler;
});
afterAll(() => dynamoDb.stop());

/** An order of a SKU of its own, of which there are some pieces. */
async function orderOf(quantity: number, { available }: { available: number }): Promise<CheckoutOrder> {
  const sku = `SKU-${randomUUID()}`;
  await warehouse.setStock(sku, { available, lowStockThreshold: 0 }, { correlationId: 'correlation-0' });
  return {
    ...exampleOrder,
    process: 'checkout' as const,
    orderId: randomUUID(),
    lines: [{ sku, quantity, unitPrice: 100 }],
  };
}

const levelOf = ({ lines: [line] }: CheckoutOrder) => warehouse.stock(String(line?.sku));

const reserve = (order: CheckoutOrder) => callStep(reserveStock, 'ReserveInventory', order);
const release = (order: CheckoutOrder) => callStep(releaseStock, 'ReleaseInventory', order);

describe('a checkout', () => {
  test('holds stock once, however often it asks', async () => {
    const order = await orderOf(2, { available: 5 });

    await reserve(order);
    await reserve(order);

    expect(await levelOf(order)).toMatchObject({ available: 3, reserved: 2 });
  });

  test('is refused with the SKUs that are short, and again when it asks again and there is more', async () => {
    const order = await orderOf(2, { available: 1 });
    const sku = String(order.lines[0]?.sku);
    const refusal = { name: 'InsufficientInventory', message: `[InsufficientInventory] Out of stock: ${sku}` };

    await expect(reserve(order)).rejects.toMatchObject(refusal);
    await warehouse.setStock(sku, { available: 9, lowStockThreshold: 0 }, { correlationId: 'correlation-0' });
    await expect(reserve(order)).rejects.toMatchObject(refusal);

    expect(await levelOf(order)).toMatchObject({ available: 9, reserved: 0 });
  });

  test('gives stock back once, however often it asks', async () => {
    const order = await orderOf(2, { available: 5 });
    await reserve(order);

    await release(order);
    await release(order);

    expect(await levelOf(order)).toMatchObject({ available: 5, reserved: 0 });
  });

  test.each([
    ['after a reservation', [reserve, release]],
    ['before any', [release]],
  ])('holds nothing when a late reservation comes after it was undone, %s', async (_, steps) => {
    const order = await orderOf(2, { available: 5 });

    for (const run of steps) await run(order);

    await expect(reserve(order)).rejects.toMatchObject({ name: 'ReservationEnded' });
    expect(await levelOf(order)).toMatchObject({ available: 5, reserved: 0 });
  });
});
