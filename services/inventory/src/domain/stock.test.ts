import { describe, expect, test } from '@jest/globals';
import { decideReservation, isLow, type StockLevel } from './stock.ts';

const level = (available: number, lowStockThreshold = 0): StockLevel => ({ available, reserved: 0, lowStockThreshold });
const stock = (levels: Record<string, StockLevel>) => new Map(Object.entries(levels));

describe('reserving', () => {
  test('takes every line', () => {
    const decision = decideReservation(
      [
        { sku: 'FLOUR', quantity: 2 },
        { sku: 'SALT', quantity: 1 },
      ],
      stock({ FLOUR: level(5), SALT: level(1) }),
    );

    expect(decision).toMatchObject({
      type: 'reserve',
      changes: [
        { sku: 'FLOUR', quantity: 2 },
        { sku: 'SALT', quantity: 1 },
      ],
    });
  });

  test('takes nothing when one line cannot be had, and names every shortage', () => {
    const decision = decideReservation(
      [
        { sku: 'FLOUR', quantity: 2 },
        { sku: 'SALT', quantity: 3 },
        { sku: 'OIL', quantity: 1 },
      ],
      stock({ FLOUR: level(5), SALT: level(2) }),
    );

    expect(decision).toEqual({
      type: 'refuse',
      shortages: [
        { sku: 'SALT', requested: 3, available: 2 },
        { sku: 'OIL', requested: 1, available: 0 },
      ],
    });
  });
});

/** Whether taking `quantity` from a level tells that the SKU ran low, and for which stock that is decided. */
function taking(quantity: number, from: StockLevel) {
  const decision = decideReservation([{ sku: 'FLOUR', quantity }], stock({ FLOUR: from }));
  if (decision.type !== 'reserve') throw new Error('Expected a reservation');
  const [change] = decision.changes;
  return { ranLow: change?.ranLow, availableRange: change?.availableRange };
}

describe('the low-stock threshold', () => {
  test('is crossed when fewer are left than it says', () => {
    expect(taking(5, level(10, 5))).toMatchObject({ ranLow: false });
    expect(taking(6, level(10, 5))).toMatchObject({ ranLow: true });
  });

  test('is not crossed again while stock is low', () => {
    expect(taking(1, level(4, 5))).toMatchObject({ ranLow: false });
  });

  test('0 turns the warning off, down to the last piece', () => {
    expect(taking(10, level(10))).toMatchObject({ ranLow: false });
    expect(isLow(level(0))).toBe(false);
  });

  test('every stock that a decision holds for leads to the same decision', () => {
    const threshold = 5;
    for (let available = 1; available <= 20; available += 1) {
      for (let quantity = 1; quantity <= available; quantity += 1) {
        const { ranLow, availableRange } = taking(quantity, level(available, threshold));
        const { min = 0, max = 20 } = availableRange ?? {};
        expect(available).toBeGreaterThanOrEqual(min);
        expect(available).toBeLessThanOrEqual(max);
        for (let other = min; other <= max; other += 1) {
          expect(taking(quantity, level(other, threshold)).ranLow).toBe(ranLow);
        }
      }
    }
  });
});
