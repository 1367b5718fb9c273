import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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
    void store.add('all', event);
    // Asking for the size writes what waits.
    if (count % 10 === 9) store.sizeOf('all');
  }
  expect(store.sizeOf('all')).toEqual({ count: 200, bytes: 200 * MIB });
  expect((process.memoryUsage().rss - before) / MIB).toBeLessThan(100);
  store.close();
});

test('an event that cannot be written is an error, and the next one is kept', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'archives-'));
  const store = new ArchiveStore(directory);
  const other = new DatabaseSync(join(directory, 'archives.db'));
  const event = { text: '{}', time: 0, ingestedAt: 0 } as BusEvent;
  store.openArchive('all', 'arn', 0);
  other.exec('BEGIN IMMEDIATE');
  await expect(store.add('all', event)).rejects.toThrow('database is locked');
  other.close();
  await store.add('all', event);
  expect(store.sizeOf('all')).toEqual({ count: 1, bytes: 2 });
  store.close();
  rmSync(directory, { recursive: true });
});
