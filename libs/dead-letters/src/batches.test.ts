import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { batches } from './batches.ts';

describe('batches', () => {
  test('keep every item in order, within count and size', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), fc.integer({ min: 1, max: 5 }), (sizes, maxCount) => {
        const result = batches(sizes, { maxCount, maxSize: 20, sizeOf: (size) => size });
        expect(result.flat()).toEqual(sizes);
        for (const batch of result) {
          expect(batch.length).toBeLessThanOrEqual(maxCount);
          const total = batch.reduce((sum, size) => sum + size, 0);
          // What is too large by itself stands alone.
          expect(total <= 20 || batch.length === 1).toBe(true);
        }
      }),
    );
  });

  test('part items of one key', () => {
    const items = ['a1', 'b1', 'a2', 'a3', 'c1'];
    expect(batches(items, { maxCount: 10, keyOf: (item) => item.slice(0, 1) })).toEqual([
      ['a1', 'b1'],
      ['a2'],
      ['a3', 'c1'],
    ]);
  });
});
