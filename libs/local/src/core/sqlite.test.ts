import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { MetricStore } from '../services/cloudwatch/metric-store.ts';
import { setOf } from '../services/cloudwatch/statistic-set.ts';
import { LogStore } from '../services/logs/log-store.ts';
import { openDatabase, transaction } from './sqlite.ts';

const MIB = 1024 * 1024;
/** SQLite's cache takes 2 MiB, and what is in it is written at once. */
const ALLOWED_MIB = 24;
const WRITTEN_MIB = 56;

/** Resident memory, which has what SQLite takes in it. */
const residentMib = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;

/** The same text each time: it is not the writer's memory that is measured. */
const text = 'x'.repeat(64 * 1024);
const times = (WRITTEN_MIB * MIB) / text.length;

/** Closed at the end: what one gives back would be there for the next. */
const open: Disposable[] = [];
afterAll(() => {
  for (const store of open) store[Symbol.dispose]();
});

test.each<[string, () => Disposable]>([
  [
    'a database',
    () => {
      const database = openDatabase(undefined, 'any.db', 'CREATE TABLE texts (text TEXT NOT NULL)');
      const insert = database.prepare('INSERT INTO texts VALUES (?)');
      transaction(database, () => {
        for (let count = 0; count < times; count += 1) insert.run(text);
      });
      return { [Symbol.dispose]: () => database.close() };
    },
  ],
  [
    'logs',
    () => {
      const store = new LogStore(undefined);
      store.saveGroup({ name: 'g', createdAt: 0, tags: {}, isDeclared: false });
      store.createStream('g', 's', 0);
      for (let count = 0; count < times; count += 1) store.append('g', 's', [{ timestamp: count, message: text }], 0);
      return { [Symbol.dispose]: () => store.close() };
    },
  ],
  [
    'metrics',
    () => {
      const store = new MetricStore();
      const dimensions = [{ Name: 'Text', Value: text }];
      for (let count = 0; count < times; count += 1) {
        store.add([{ namespace: 'n', name: String(count), dimensions, timestamp: 0, set: setOf(1) }], 0);
      }
      return { [Symbol.dispose]: () => store.close() };
    },
  ],
])('%s without a data directory: what is written takes no memory', (_, write) => {
  const before = residentMib();
  open.push(write());
  expect(residentMib() - before).toBeLessThan(ALLOWED_MIB);
});

test('a transaction that fails because the disk is full says so, and the next one can succeed', () => {
  const database = openDatabase(
    undefined,
    'any.db',
    'CREATE TABLE texts (text TEXT NOT NULL); PRAGMA max_page_count = 20',
  );
  open.push({ [Symbol.dispose]: () => database.close() });
  const insert = database.prepare('INSERT INTO texts VALUES (?)');
  const fill = () => {
    for (let count = 0; count < 3; count += 1) insert.run(text);
  };
  expect(() => transaction(database, fill)).toThrow('database or disk is full');
  transaction(database, () => insert.run('small'));
  expect(database.prepare('SELECT text FROM texts').all()).toEqual([{ text: 'small' }]);
});
