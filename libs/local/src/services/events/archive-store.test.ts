import { expect, test } from '@jest/globals';
import { ArchiveStore } from './archive-store.ts';
import type { BusEvent } from './bus-event.ts';

const MIB = 1024 * 1024;

test('events stay on disk, even without a path', () => {
  const store = new ArchiveStore();
  const event = { text: 'x'.repeat(MIB), time: 0, ingestedAt: 0 } as BusEvent;
  store.openArchive('all', 'arn', 0);
  const before = process.memoryUsage().rss;
  for (let count = 0; count < 200; count += 1) {
    store.add('all', event);
    // Asking for the size writes what waits.
    if (count % 10 === 9) store.sizeOf('all');
  }
  expect(store.sizeOf('all')).toEqual({ count: 200, bytes: 200 * MIB });
  expect((process.memoryUsage().rss - before) / MIB).toBeLessThan(100);
  store.close();
});
