import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { documentClient, PutCommand, ScanCommand } from '@millrace/aws';
import { DuplicateEventError, TransientError } from '@millrace/errors';

import type { InboxKey } from '@millrace/events';
import { exampleOrder, type OrderSnapshot } from '@millrace/orders/events';
import { eventually } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import { type ReserveRequest, Warehouse } from './warehouse.ts';

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
  return new Warehouse({ client: documentClient(), name: tableName });
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

/** Ships an order alone. @throws its outcome */
async function ship(orderId: string, { by = warehouse, key = inbox() } = {}) {
  const [error] = await by.ship([{ orderId, cause, inbox: key }]);
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
  return (await storedEvents(tableName)).filter((event) => event.detailType === detailType);
}

describe('setting stock', () => {
  test('says what is available, and keeps what orders hold', async () => {
    expect(await warehouse.stock('FLOUR')).toBeUndefined();
    await warehouse.setStock('FLOUR', { available: 5, lowStockThreshold: 0 }, cause);
    await reserve(orderOf(['FLOUR', 2]));

    expect(await warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 1 }, cause)).toEqual({
      available: 10,
      reserved: 2,
      shipped: 0,
      lowStockThreshold: 1,
    });
    expect(await warehouse.stock('FLOUR')).toEqual({ available: 10, reserved: 2, shipped: 0, lowStockThreshold: 1 });
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

describe('several orders at once', () => {
  beforeEach(() => warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 8 }, cause));
  const requestOf = (order: OrderSnapshot, key = inbox()) => ({ orderId: order.orderId, order, cause, inbox: key });

  test('are served in their order, and the SKU that runs low is told once', async () => {
    const orders = [orderOf(['FLOUR', 4]), orderOf(['FLOUR', 7]), orderOf(['FLOUR', 6]), orderOf(['FLOUR', 1])];

    expect(await warehouse.reserve(orders.map((order) => requestOf(order)))).toEqual(Array(4).fill(undefined));

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 0, reserved: 10 });
    expect((await emitted('StockReserved.v1')).map(({ data }) => data.orderId).sort()).toEqual(
      [orders[0]?.orderId, orders[2]?.orderId].sort(),
    );
    expect((await emitted('StockRanLow.v1')).map(({ data }) => data.available)).toEqual([0]);
  });

  test('take nothing twice when one of them comes twice, or was reserved before', async () => {
    const [before, twice, other] = [orderOf(['FLOUR', 1]), orderOf(['FLOUR', 1]), orderOf(['FLOUR', 1])];
    await reserve(before);

    const outcomes = await warehouse.reserve([before, twice, other, twice].map((order) => requestOf(order)));

    expect(outcomes).toEqual(Array(4).fill(undefined));
    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 7, reserved: 3 });
  });

  test('go on without the one that cannot be stored', async () => {
    const orders = [orderOf(['FLOUR', 1]), orderOf(['FLOUR', 1]), orderOf(['FLOUR', 1])];
    const [first, second, third] = orders.map((order) => requestOf(order)) as [
      ReserveRequest,
      ReserveRequest,
      ReserveRequest,
    ];
    const impossible = { ...second, inbox: { consumer: 'inventory.test', eventId: 'x'.repeat(3_000) } };

    const outcomes = await warehouse.reserve([first, impossible, third]);

    expect(outcomes).toEqual([undefined, expect.objectContaining({ name: expect.any(String) }), undefined]);
    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 8, reserved: 2 });
  });

  test('with more lines than fit into one transaction are divided', async () => {
    const skus = Array.from({ length: 35 }, (_, index) => `SKU-${index}`);
    for (const sku of skus) await warehouse.setStock(sku, { available: 10, lowStockThreshold: 0 }, cause);
    const orders = Array.from({ length: 10 }, (_, order) =>
      orderOf(...skus.slice(order, order + 25).map((sku): [string, number] => [sku, 1])),
    );

    expect(await warehouse.reserve(orders.map((order) => requestOf(order)))).toEqual(Array(10).fill(undefined));

    expect(await emitted('StockReserved.v1')).toHaveLength(10);
    expect(await warehouse.stock('SKU-20')).toMatchObject({ available: 0, reserved: 10 });
  });
});

describe('shipping', () => {
  const order = orderOf(['FLOUR', 2], ['SALT', 1]);
  beforeEach(async () => {
    await warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 0 }, cause);
    await warehouse.setStock('SALT', { available: 1, lowStockThreshold: 0 }, cause);
  });

  test('takes what was reserved off the shelf, once, however often it is told', async () => {
    await reserve(order);
    const event = inbox();

    await Promise.all([1, 2, 3].map(() => delivered(() => ship(order.orderId, { by: newWarehouse(), key: event }))));
    await ship(order.orderId);

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 8, reserved: 0, shipped: 2 });
    expect(await warehouse.stock('SALT')).toMatchObject({ available: 0, reserved: 0, shipped: 1 });
  });

  test('waits for the reservation that it has overtaken, and other orders do not wait', async () => {
    await reserve(order);
    const late = orderOf(['FLOUR', 3]);

    const outcomes = await warehouse.ship([late, order].map(({ orderId }) => ({ orderId, cause, inbox: inbox() })));
    expect(outcomes).toMatchObject([{ code: 'RESERVATION_UNKNOWN' }, undefined]);
    expect(outcomes[0]).toBeInstanceOf(TransientError);
    await reserve(late);
    await ship(late.orderId);

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 5, reserved: 0, shipped: 5 });
  });

  test.each([
    ['before', async () => [await release(order.orderId), await ship(order.orderId)]],
    ['after', async () => [await ship(order.orderId), await release(order.orderId)]],
    [
      'at the same moment as',
      () =>
        Promise.all([
          delivered(() => ship(order.orderId, { by: newWarehouse() })),
          delivered(() => release(order.orderId, { by: newWarehouse() })),
        ]),
    ],
  ])('an order that is cancelled %s it leaves everything on the shelf: its parcel is recalled', async (_, run) => {
    await reserve(order);

    await run();

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 10, reserved: 0, shipped: 0 });
    expect(await warehouse.stock('SALT')).toMatchObject({ available: 1, reserved: 0, shipped: 0 });
    expect(await emitted('StockReleased.v1')).toHaveLength(1);
  });

  test('an order that was refused takes nothing', async () => {
    const refused = orderOf(['SALT', 2]);
    await reserve(refused);

    await ship(refused.orderId);

    expect(await warehouse.stock('SALT')).toMatchObject({ available: 1, reserved: 0, shipped: 0 });
  });

  test('stock that was stored before shipments were followed counts from nothing', async () => {
    await documentClient().send(
      new PutCommand({
        TableName: tableName,
        Item: { pk: 'STOCK#OLD', sk: 'STOCK', sku: 'OLD', available: 3, reserved: 0, lowStockThreshold: 0 },
      }),
    );
    const old = orderOf(['OLD', 2]);
    await reserve(old);
    await ship(old.orderId);

    expect(await warehouse.stock('OLD')).toMatchObject({ available: 1, reserved: 0, shipped: 2 });
  });
});

describe('a count', () => {
  beforeEach(() => warehouse.setStock('FLOUR', { available: 10, lowStockThreshold: 5 }, cause));

  test('puts the books right and tells of it; what orders hold stays held', async () => {
    await reserve(orderOf(['FLOUR', 2]));

    expect(await warehouse.count('FLOUR', { counted: 9 }, cause)).toMatchObject({ available: 7, reserved: 2 });

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 7, reserved: 2, shipped: 0 });
    expect((await emitted('StockCounted.v1')).map(({ data }) => data)).toEqual([
      { sku: 'FLOUR', counted: 9, expected: 10, difference: -1, available: 7, reserved: 2 },
    ]);
  });

  test('that finds fewer than orders hold leaves nothing to reserve, and says that stock ran low', async () => {
    const order = orderOf(['FLOUR', 4]);
    await reserve(order);
    await warehouse.count('FLOUR', { counted: 1 }, cause);
    await reserve(orderOf(['FLOUR', 1]));

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: -3, reserved: 4 });
    expect((await emitted('StockRanLow.v1')).map(({ data }) => data.available)).toEqual([0]);
    expect((await emitted('StockReservationFailed.v1')).map(({ data }) => data.shortages)).toEqual([
      [{ sku: 'FLOUR', requested: 1, available: 0 }],
    ]);
    await release(order.orderId);
    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 1, reserved: 0 });
  });

  test('is refused when stock has moved since it began, and nothing is written', async () => {
    const order = orderOf(['FLOUR', 4]);
    await reserve(order);
    await ship(order.orderId);

    await expect(warehouse.count('FLOUR', { counted: 10, expectedOnHand: 10 }, cause)).rejects.toMatchObject({
      code: 'STOCK_MOVED',
    });
    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 6, reserved: 0, shipped: 4 });
    expect(await emitted('StockCounted.v1')).toEqual([]);
  });

  test('at the same time as reservations and shipments loses none of them', async () => {
    const orders = Array.from({ length: 8 }, () => orderOf(['FLOUR', 1]));
    const earlier = Array.from({ length: 2 }, () => orderOf(['FLOUR', 1]));
    for (const order of earlier) await reserve(order);

    await Promise.all([
      ...orders.map((order) => delivered(() => reserve(order, { by: newWarehouse() }))),
      ...[1, 2, 3].map(() => newWarehouse().count('FLOUR', { counted: 20 }, cause)),
    ]);

    expect(await warehouse.stock('FLOUR')).toMatchObject({ available: 10, reserved: 10 });
  });
});

test('pieces are neither lost nor made, whatever comes in whatever order, twice or at once', async () => {
  const skus = ['FLOUR', 'SALT'] as const;
  const start = 30;
  for (const sku of skus) await warehouse.setStock(sku, { available: start, lowStockThreshold: 10 }, cause);
  const orders = Array.from({ length: 24 }, (_, index) =>
    orderOf(['FLOUR', 1 + (index % 3)], ...(index % 2 ? [['SALT', 2] as [string, number]] : [])),
  );
  const event = new Map<string, InboxKey>();
  const keyOf = (name: string) => event.get(name) ?? event.set(name, inbox()).get(name) ?? inbox();
  const deliveries = orders.flatMap((order, index) => {
    const { orderId } = order;
    const placed = () => reserve(order, { by: newWarehouse(), key: keyOf(`placed ${orderId}`) });
    // It comes again until the reservation is there.
    const shipped = () =>
      eventually(() => delivered(() => ship(orderId, { by: newWarehouse(), key: keyOf(`shipped ${orderId}`) })));
    const ended = () => release(orderId, { by: newWarehouse(), key: keyOf(`ended ${orderId}`) });
    return [placed, placed, ...(index % 3 ? [shipped, shipped] : []), ...(index % 4 ? [] : [ended, ended])];
  });
  const counts = [0, 1].map(() => async () => {
    await newWarehouse().count('SALT', { counted: start, expectedOnHand: start }, cause).catch(ignoreMovedStock);
  });

  await Promise.all([...shuffled(deliveries), ...counts].map(delivered));

  const { Items = [] } = await documentClient().send(new ScanCommand({ TableName: tableName }));
  for (const sku of skus) {
    const piecesOf = (status: string) =>
      Items.filter((item) => item.status === status)
        .flatMap(({ lines }) => lines as { sku: string; quantity: number }[])
        .reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0);
    const stock = await warehouse.stock(sku);
    expect(stock).toMatchObject({ reserved: piecesOf('RESERVED'), shipped: piecesOf('SHIPPED') });
    expect((stock?.available ?? 0) + (stock?.reserved ?? 0) + (stock?.shipped ?? 0)).toBe(start);
    expect(piecesOf('SHIPPED')).toBeGreaterThan(0);
  }
});

function ignoreMovedStock(error: unknown): undefined {
  if ((error as { code?: string }).code !== 'STOCK_MOVED') throw error;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
