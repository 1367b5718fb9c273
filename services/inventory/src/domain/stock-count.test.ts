import { describe, expect, test } from '@jest/globals';
import type { StockLevel } from './stock.ts';
import { decideCount, StockMovedError } from './stock-count.ts';

const before: StockLevel = { available: 5, reserved: 3, shipped: 2, lowStockThreshold: 1 };

describe('a count', () => {
  test.each([
    ['confirms the books', 8, 5],
    ['finds more', 10, 7],
    ['finds fewer', 4, 1],
    ['finds fewer than orders hold', 1, -2],
    ['finds nothing', 0, -3],
  ])('that %s sets what is available, and leaves what orders hold', (_, counted, available) => {
    expect(decideCount(before, { counted })).toEqual({ ...before, available });
  });

  test('of a SKU that was never set is its first stock', () => {
    expect(decideCount(undefined, { counted: 4 })).toEqual({
      available: 4,
      reserved: 0,
      shipped: 0,
      lowStockThreshold: 0,
    });
  });

  test('holds when nothing has moved since it began, and is refused otherwise', () => {
    expect(decideCount(before, { counted: 7, expectedOnHand: 8 })).toMatchObject({ available: 4 });
    expect(() => decideCount(before, { counted: 7, expectedOnHand: 9 })).toThrow(StockMovedError);
  });
});
