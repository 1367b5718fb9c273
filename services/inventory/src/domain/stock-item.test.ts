import { describe, expect, test } from '@jest/globals';
import type { StockLevel } from './stock.ts';
import { decide, evolve, type StockCommand } from './stock-item.ts';

const level: StockLevel = { available: 5, reserved: 3, shipped: 2, lowStockThreshold: 4 };

const after = (before: StockLevel | undefined, command: StockCommand) => {
  const events = decide(command, before);
  return { types: events.map(({ type }) => type), level: events.reduce(evolve, before as StockLevel) };
};
const set = (available: number, lowStockThreshold: number) =>
  ({ type: 'SetStock', available, lowStockThreshold }) as const;
const count = (counted: number) => ({ type: 'Count', count: { counted } }) as const;

describe('stock', () => {
  test('that is set keeps what orders hold and what was shipped', () => {
    expect(after(level, set(9, 1))).toEqual({
      types: ['StockSet'],
      level: { available: 9, reserved: 3, shipped: 2, lowStockThreshold: 1 },
    });
    expect(after(undefined, set(9, 1)).level).toEqual({ available: 9, reserved: 0, shipped: 0, lowStockThreshold: 1 });
  });

  test('that is counted says what was expected', () => {
    expect(decide(count(9), level)).toEqual([{ type: 'StockCounted', counted: 9, expected: 8, available: 6 }]);
    expect(after(level, count(9)).level).toEqual({ ...level, available: 6 });
  });

  test.each([
    ['set below its threshold', level, set(3, 4), true],
    ['new, and below its threshold', undefined, set(3, 4), true],
    ['counted below its threshold', level, count(4), true],
    ['low before', { ...level, available: 3 }, set(2, 4), false],
    ['at its threshold', level, set(4, 4), false],
    ['set without a threshold', level, set(0, 0), false],
  ])('that is %s', (_, before, command, ranLow) => {
    expect(after(before, command).types.includes('StockRanLow')).toBe(ranLow);
  });
});
