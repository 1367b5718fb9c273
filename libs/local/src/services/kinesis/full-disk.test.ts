import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { hostUnderTest } from '../../../fixtures/service-under-test.ts';
import { ManualClock } from '../../core/clock.ts';
import { Kinesis } from './kinesis.ts';

const HOUR_MS = 3_600_000;
let dataDirectory: string;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'kinesis-'));
});
afterEach(() => rmSync(dataDirectory, { recursive: true }));

test('expired records that cannot be removed now stay, with a warning, and are removed an hour later', async () => {
  const clock = new ManualClock(Date.parse('2026-06-01'));
  const warnings: string[] = [];
  const kinesis = new Kinesis(hostUnderTest({ clock, dataDirectory, warn: (line) => void warnings.push(line) }));
  using database = new DatabaseSync(join(dataDirectory, 'kinesis.db'));
  const count = () => Number(database.prepare('SELECT COUNT(*) AS count FROM records').get()?.count);
  kinesis.call('CreateStream', { StreamName: 'orders', ShardCount: 1 });
  kinesis.call('PutRecord', { StreamName: 'orders', PartitionKey: 'k', Data: 'YQ==' });
  await clock.advance(23 * HOUR_MS);
  expect([count(), warnings]).toEqual([1, []]);

  // As on a full disk, nothing can be written.
  database.exec('BEGIN IMMEDIATE');
  await clock.advance(HOUR_MS);
  expect(warnings).toEqual(['Expired records stay for another hour: database is locked']);
  database.exec('ROLLBACK');
  expect(count()).toBe(1);

  await clock.advance(HOUR_MS);
  expect(count()).toBe(0);
  kinesis.close();
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
test('a PutRecords call that fails at one of its records keeps no record', () => {
  const kinesis = new Kinesis(hostUnderTest({ clock: new ManualClock(Date.parse('2026-06-01')), dataDirectory }));
  kinesis.call('CreateStream', { StreamName: 'orders', ShardCount: 1 });
  using database = new DatabaseSync(join(dataDirectory, 'kinesis.db'));
  database.exec(`CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.partition_key = 'b'
    BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`);
  const Records = ['a', 'b', 'c'].map((PartitionKey) => ({ PartitionKey, Data: 'YQ==' }));
  expect(() => kinesis.call('PutRecords', { StreamName: 'orders', Records })).toThrow('disk is full');
  expect(database.prepare('SELECT COUNT(*) AS count FROM records').get()).toEqual({ count: 0 });
  kinesis.close();
});
