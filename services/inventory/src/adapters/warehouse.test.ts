import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DuplicateEventError, TransientError } from '@millrace/errors';
import { documentClient } from '@millrace/event-store';
import { exampleOrder, type OrderSnapshot } from '@millrace/orders/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { Warehouse } from './warehouse.ts';

let dynamoDb: TestDynamoDb;
let tableName: string;
let warehouse: Warehouse;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
});
afterAll(() => dynamoDb.stop());
beforeEach(async () => {
  tableName = `inventory-${randomUUID()}`;
  await dynamoDb.createTable(tableName);
  warehouse = newWarehouse();
});

/** As many as there are containers. */
function newWarehouse(): Warehouse {
  return new Warehouse(documentClient(dynamoDb.client), tableName);
}

const cause = {
  correlationId: 'correlation-1',
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
};
const inbox = (eventId: string = randomUUID()) => ({ consumer: 'inventory.test', eventId });

function orderOf(...lines: [sku: string, quantity: number][]): OrderSnapshot {
  return {
    ...exampleOrder,
    orderId: randomUUID(),
    lines: lines.map(([sku, quantity]) => ({ sku, quantity, unitPrice: 100 })),
  };
}

/** Reserves an order alone. @throws its outcome */
async function reserve(order: OrderSnapshot, { by = warehouse, key = inbox(), causationId = 'event-0' } = {}) {
  const [error] = await by.reserve([{ orderId: order.orderId, order, cause: { ...cause, causationId }, inbox: key }]);
  if (error) throw error;
}

/** Gives an order back alone. @throws its outcome */
async function release(orderId: string, { by = warehouse, key = inbox() } = {}) {
  const [error] = await by.release([{ orderId, cause, inbox: key }]);
  if (error) throw error;
}

/** Delivers again what lost its race too often, as SQS does. A duplicate is done. */
async function delivered(effect: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await effect();
      return;
    } catch (error) {
      if (error instanceof DuplicateEventError) return;
      if (!(error instanceof TransientError) || attempt === 20) throw error;
    }
  }
}

/** What the relay would emit, by detail-type. */
async function emitted(detailType: string) {
  const { Items = [] } = await documentClient(dynamoDb.client).send(new ScanCommand({ TableName: tableName }));
  return Items.filter(({ outbox }) => outbox?.detailType === detailType).map(({ outbox }) => JSON.parse(outbox.detail));
}

describe('setting stock', () => {
  test('says what is available, and keeps what orders hold', async () => {
    expect(await warehouse.stock('FLOUR')).toBeUndefined();
    await warehouse.setStock('FLOUR', { available: 5, lowStockThreshold: 0 }, cause);
    await reserve(orderOf(['FLOUR', 2]));

    expect(await warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 1 }, cause)).toEqual({
      available: 10,
      reserved: 2,
      lowStockThreshold: 1,
    });
    expect(await warehouse.stock('FLOUR')).toEqual({ available: 10, reserved: 2, lowStockThreshold: 1 });
  });

  test('below the threshold it ran low, once', async () => {
    await warehouse.setStock('FLOUR', { available: 4, lowStockThreshold: 5 }, cause);
    await warehouse.setStock('FLOUR', { available: 3, lowStockThreshold: 5 }, cause);

    expect(await emitted('StockRanLow.v1')).toMatchObject([{ data: { sku: 'FLOUR', available: 4 } }]);
  });

  test('at the same time as reservations it loses none of them', async () => {
    await warehouse.setStock('FLOUR', { available: 100, lowStockThreshold: 0 }, cause);
    const orders = Array.from({ length: 10 }, () => orderOf(['FLOUR', 1]));

    await Promise.all([
      ...orders.map((order) => delivered(() => reserve(order, { by: newWarehouse() }))),
      ...[100, 100, 100].map((available) =>
        delivered(async () => {
          await newWarehouse().setStock('FLOUR', { available, lowStockThreshold: 0 }, cause);
        }),
      ),
    ]);

    expect(await warehouse.stock('FLOUR')).toMatchObject({ reserved: 10 });
  });
});

describe('reserving', () => {
  beforeEach(async () => {
    await warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 0 }, cause);
    await warehouse.setStock('SALT', { available: 1, lowStockThreshold: 0 }, cause);
  });

  test('holds every line and tells of it', async () => {
    const order = orderOf(['FLOUR', 2], ['SALT', 1]);

    await reserve(order, { causationId: 'event-1' });

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 8, reserved: 2 });
    expect(await warehouse.stock('SALT')).toMatchObject({ available: 0, reserved: 1 });
    expect(await emitted('StockReserved.v1')).toMatchObject([
      {
        metadata: { subject: order.orderId, sequence: 1, correlationId: 'correlation-1', causationId: 'event-1' },
        data: order,
      },
    ]);
  });

  test('holds nothing when one line cannot be had', async () => {
    const order = orderOf(['FLOUR', 2], ['SALT', 2], ['OIL', 1]);

    await reserve(order);

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 10, reserved: 0 });
    expect(await emitted('StockReserved.v1')).toEqual([]);
    expect(await emitted('StockReservationFailed.v1')).toMatchObject([
      {
        data: {
          orderId: order.orderId,
          shortages: [
            { sku: 'SALT', requested: 2, available: 1 },
            { sku: 'OIL', requested: 1, available: 0 },
          ],
        },
      },
    ]);
  });

  test('an order is reserved once, by the same event and by another', async () => {
    const order = orderOf(['FLOUR', 2]);
    const event = inbox();

    await Promise.all([1, 2, 3].map(() => delivered(() => reserve(order, { by: newWarehouse(), key: event }))));
    await delivered(() => reserve(order));

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 8, reserved: 2 });
    expect(await emitted('StockReserved.v1')).toHaveLength(1);
  });

  test('never sells more than there is, however many orders come at once', async () => {
    const orders = Array.from({ length: 30 }, () => orderOf(['FLOUR', 1]));

    await Promise.all(orders.map((order) => delivered(() => reserve(order, { by: newWarehouse() }))));

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 0, reserved: 10 });
    expect(await emitted('StockReserved.v1')).toHaveLength(10);
    expect(await emitted('StockReservationFailed.v1')).toHaveLength(20);
  });

  test('holds all lines or none also when orders compete for several SKUs', async () => {
    await warehouse.setStock('SALT', { available: 10, lowStockThreshold: 0 }, cause);
    const orders = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? orderOf(['FLOUR', 1], ['SALT', 2]) : orderOf(['SALT', 1], ['FLOUR', 2]),
    );

    await Promise.all(orders.map((order) => delivered(() => reserve(order, { by: newWarehouse() }))));

    for (const sku of ['FLOUR', 'SALT']) {
      const level = await warehouse.stock(sku);
      expect(level?.available).toBeGreaterThanOrEqual(0);
      const held = (await emitted('StockReserved.v1'))
        .flatMap(({ data }) => data.lines)
        .filter((line) => line.sku === sku)
        .reduce((sum, { quantity }) => sum + quantity, 0);
      expect(level).toMatchObject({ available: 10 - held, reserved: held });
    }
  });
});

describe('stock that runs low', () => {
  test('is told once for each crossing, with what is left', async () => {
    await warehouse.setStock('FLOUR', { available: 30, lowStockThreshold: 20 }, cause);
    const orders = Array.from({ length: 25 }, () => orderOf(['FLOUR', 1]));

    await Promise.all(orders.map((order) => delivered(() => reserve(order, { by: newWarehouse() }))));

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 5 });
    expect((await emitted('StockRanLow.v1')).map(({ data }) => data)).toEqual([
      { sku: 'FLOUR', available: 19, lowStockThreshold: 20 },
    ]);
  });

  test('is told again after it was filled up', async () => {
    await warehouse.setStock('FLOUR', { available: 5, lowStockThreshold: 5 }, cause);
    const order = orderOf(['FLOUR', 1]);

    await reserve(order);
    await release(order.orderId);
    await reserve(orderOf(['FLOUR', 1]));

    expect(await emitted('StockRanLow.v1')).toHaveLength(2);
  });
});

describe('releasing', () => {
  const order = orderOf(['FLOUR', 2], ['SALT', 1]);

  beforeEach(async () => {
    await warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 0 }, cause);
    await warehouse.setStock('SALT', { available: 1, lowStockThreshold: 0 }, cause);
  });

  test('gives everything back, once, however many events ask for it', async () => {
    await reserve(order);

    await Promise.all([1, 2, 3].map(() => delivered(() => release(order.orderId, { by: newWarehouse() }))));

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 10, reserved: 0 });
    expect(await warehouse.stock('SALT')).toMatchObject({ available: 1, reserved: 0 });
    expect(await emitted('StockReleased.v1')).toMatchObject([
      {
        metadata: { subject: order.orderId, sequence: 2 },
        data: {
          orderId: order.orderId,
          lines: [
            { sku: 'FLOUR', quantity: 2 },
            { sku: 'SALT', quantity: 1 },
          ],
        },
      },
    ]);
  });

  test('marks an event that changes nothing as handled, like any other', async () => {
    const [late, reserved, first, second] = [inbox(), inbox(), inbox(), inbox()];
    const { orderId } = order;
    await release(orderId);
    await release(orderId, { key: late });
    await reserve(order, { key: reserved });
    // Two events by which the same order ended, in one batch.
    expect(await warehouse.release([first, second].map((each) => ({ orderId, cause, inbox: each })))).toEqual([
      undefined,
      undefined,
    ]);

    await expect(reserve(order, { key: reserved })).rejects.toThrow(DuplicateEventError);
    for (const key of [late, first, second]) {
      await expect(release(orderId, { key })).rejects.toThrow(DuplicateEventError);
    }
  });

  test('an order that was refused gives nothing back', async () => {
    const refused = orderOf(['SALT', 2]);
    await reserve(refused);

    await release(refused.orderId);

    expect(await warehouse.stock('SALT')).toMatchObject({ available: 1, reserved: 0 });
    expect(await emitted('StockReleased.v1')).toEqual([]);
  });

  test('an order that ended before it was reserved never will be', async () => {
    await release(order.orderId);
    await reserve(order);

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 10, reserved: 0 });
    expect(await emitted('StockReserved.v1')).toEqual([]);
  });

  test('at the same moment as reserving it leaves nothing held', async () => {
    const orders = Array.from({ length: 10 }, () => orderOf(['FLOUR', 1]));

    await Promise.all(
      orders.flatMap((each) => [
        delivered(() => reserve(each, { by: newWarehouse() })),
        delivered(() => release(each.orderId, { by: newWarehouse() })),
      ]),
    );

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 10, reserved: 0 });
    expect(await emitted('StockReleased.v1')).toHaveLength((await emitted('StockReserved.v1')).length);
  });
});
