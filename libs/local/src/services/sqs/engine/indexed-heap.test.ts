import { test } from '@jest/globals';
import fc from 'fast-check';
import { IndexedHeap } from './indexed-heap.ts';

const change = fc.record({ item: fc.nat(30), key: fc.option(fc.nat(100), { freq: 3 }) });

test('gives the item with the smallest key, whichever are added, changed and removed', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 60, maxLength: 200 }), (changes) => {
      const items = Array.from({ length: 31 }, () => ({ key: 0, index: -1 }));
      const heap = new IndexedHeap<'index', (typeof items)[number]>('index', (one, other) => one.key < other.key);
      const inside = new Set<(typeof items)[number]>();
      for (const { item: number, key } of changes) {
        const item = items[number];
        if (!item) continue;
        if (key === null) {
          heap.delete(item);
          inside.delete(item);
        } else {
          item.key = key;
          heap.set(item);
          inside.add(item);
        }
        const smallest = inside.size === 0 ? undefined : Math.min(...[...inside].map((each) => each.key));
        if (heap.size !== inside.size || heap.first?.key !== smallest) return false;
      }
      // Taken out one by one, they come in their order.
      const taken: number[] = [];
      for (let { first } = heap; first; { first } = heap) {
        taken.push(first.key);
        heap.delete(first);
      }
      return (
        taken.join() ===
        [...inside]
          .map(({ key }) => key)
          .sort((one, other) => one - other)
          .join()
      );
    }),
    { numRuns: 500 },
  );
});
