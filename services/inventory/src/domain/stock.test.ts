import { describe, expect, test } from '@jest/globals';
import { decideReservations, isLow, type StockLevel, sumOf } from './stock.ts';

const level = (available: number, lowStockThreshold = 0): StockLevel => ({
  available,
  reserved: 0,
  shipped: 0,
  lowStockThreshold,
});
const stock = (levels: Record<string, StockLevel>) => new Map(Object.entries(levels));

const order = (orderId: string, ...lines: [sku: string, quantity: number][]) => ({
  orderId,
  lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
});

describe('reserving', () => {
  test('takes every line', () => {
    const { shortages, changes } = decideReservations(
      [order('1', ['FLOUR', 2], ['SALT', 1])],
      stock({ FLOUR: level(5), SALT: level(1) }),
    );

    expect(shortages).toEqual([[]]);
    expect(changes).toMatchObject([
      { sku: 'FLOUR', quantity: 2 },
      { sku: 'SALT', quantity: 1 },
    ]);
  });

  test('takes nothing when one line cannot be had, and names every shortage', () => {
    expect(
      decideReservations(
        [order('1', ['FLOUR', 2], ['SALT', 3], ['OIL', 1])],
        stock({ FLOUR: level(5), SALT: level(2) }),
      ),
    ).toEqual({
      shortages: [
        [
          { sku: 'SALT', requested: 3, available: 2 },
          { sku: 'OIL', requested: 1, available: 0 },
        ],
      ],
      changes: [],
    });
  });

  test('adds up a SKU that an order lists twice', () => {
    const twice = [order('1', ['FLOUR', 2], ['FLOUR', 2])];

    expect(decideReservations(twice, stock({ FLOUR: level(4) })).changes).toMatchObject([{ quantity: 4 }]);
    expect(decideReservations(twice, stock({ FLOUR: level(3) })).shortages).toEqual([
      [{ sku: 'FLOUR', requested: 4, available: 3 }],
    ]);
  });

  test('serves orders in turn, each from what those before it leave, in one change for each SKU', () => {
    const { shortages, changes } = decideReservations(
      [
        order('1', ['FLOUR', 4]),
        order('2', ['FLOUR', 3], ['SALT', 1]),
        order('3', ['FLOUR', 1], ['SALT', 2]),
        order('4', ['SALT', 1]),
      ],
      stock({ FLOUR: level(5), SALT: level(2) }),
    );

    expect(shortages).toEqual([
      [],
      [{ sku: 'FLOUR', requested: 3, available: 1 }],
      [],
      [{ sku: 'SALT', requested: 1, available: 0 }],
    ]);
    expect(changes).toMatchObject([
      { sku: 'FLOUR', quantity: 5, availableRange: { min: 5 } },
      { sku: 'SALT', quantity: 2, availableRange: { min: 2 } },
    ]);
  });
});

/** The order that takes a SKU below its threshold, and for which stock that is decided. */
function taking(quantities: number[], from: StockLevel) {
  const orders = quantities.map((quantity, index) => order(`order ${index + 1}`, ['FLOUR', quantity]));
  const [change] = decideReservations(orders, stock({ FLOUR: from })).changes;
  if (!change) throw new Error('Expected a reservation');
  return change;
}

describe('the low-stock threshold', () => {
  test('is crossed when fewer are left than it says', () => {
    expect(taking([5], level(10, 5)).ranLowBy).toBeUndefined();
    expect(taking([6], level(10, 5)).ranLowBy).toBe('order 1');
  });

  test('is crossed by the order that takes the piece, among several', () => {
    expect(taking([3, 2, 1, 1], level(10, 5))).toMatchObject({ quantity: 7, ranLowBy: 'order 3' });
  });

  test('is not crossed again while stock is low', () => {
    expect(taking([1, 1], level(4, 5)).ranLowBy).toBeUndefined();
  });

  test('of a SKU with fewer pieces than orders hold is not crossed again, and nothing can be reserved', () => {
    expect(decideReservations([order('1', ['FLOUR', 1])], stock({ FLOUR: level(-2, 5) }))).toEqual({
      shortages: [[{ sku: 'FLOUR', requested: 1, available: 0 }]],
      changes: [],
    });
  });

  test('0 turns the warning off, down to the last piece', () => {
    expect(taking([10], level(10)).ranLowBy).toBeUndefined();
    expect(isLow(level(0))).toBe(false);
  });

  test.each([1, 2, 3])('every stock that a decision on %i orders holds for leads to the same decision', (count) => {
    const threshold = 5;
    for (let available = count; available <= 20; available += 1) {
      for (let quantity = 1; quantity * count <= available; quantity += 1) {
        const quantities = Array(count).fill(quantity);
        const { ranLowBy, availableRange } = taking(quantities, level(available, threshold));
        const { min, max = 20 } = availableRange;
        expect(available).toBeGreaterThanOrEqual(min);
        expect(available).toBeLessThanOrEqual(max);
        for (let other = min; other <= max; other += 1) {
          expect(taking(quantities, level(other, threshold)).ranLowBy).toBe(ranLowBy);
        }
      }
    }
  });
});

describe('movements', () => {
  test('add up to one for each SKU', () => {
    expect(
      sumOf([
        { sku: 'FLOUR', available: 2, reserved: -2 },
        { sku: 'SALT', available: 1 },
        { sku: 'FLOUR', available: 3, reserved: -3 },
      ]),
    ).toEqual([
      { sku: 'FLOUR', available: 5, reserved: -5, shipped: 0 },
      { sku: 'SALT', available: 1, reserved: 0, shipped: 0 },
    ]);
  });
});
