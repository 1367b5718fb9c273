import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { ManualClock } from './clock.ts';
import { DeliveryError } from './delivery.ts';
import { DurableDeliveries } from './durable-deliveries.ts';
import { openDatabase, transaction } from './sqlite.ts';

let database: DatabaseSync;
let clock: ManualClock;
let attempts: string[];
let warnings: string[];
/** By content. */
let failures: Map<string, Error[]>;
let deliveries: DurableDeliveries<string>;

const open = (): DurableDeliveries<string> =>
  new DurableDeliveries<string>({
    ...{ database, clock, warn: (line) => warnings.push(line) },
    attempt: async (content) => {
      attempts.push(content);
      const error = failures.get(content)?.shift();
      if (error) throw error;
    },
    retryAfter: (count) => (count > 2 ? undefined : 1000),
    giveUp: async (content, error) => void attempts.push(`gave up ${content}: ${error.message}`),
  });
const kept = (): number => Number(database.prepare('SELECT COUNT(*) AS count FROM deliveries').get()?.count);

beforeEach(() => {
  database = openDatabase(undefined, '', '');
  clock = new ManualClock(0);
  attempts = [];
  warnings = [];
  failures = new Map();
  deliveries = open();
});

afterEach(async () => {
  await deliveries[Symbol.asyncDispose]();
  database.close();
});

test('what was added before the start is delivered at the start, and what was rolled back is not', async () => {
  deliveries.add('a');
  const rolledBack = () =>
    transaction(database, () => {
      deliveries.add('b');
      throw new Error('no');
    });
  expect(rolledBack).toThrow('no');
  await clock.advance(10_000);
  expect(attempts).toEqual([]);
  deliveries.start();
  await eventually(() => expect(kept()).toBe(0));
  expect(attempts).toEqual(['a']);
});

test('a delivery of a lane waits for the one before it, also while that is tried again; others do not', async () => {
  failures.set('first', [new Error('busy')]);
  deliveries.start();
  deliveries.add('first', 'lane');
  deliveries.add('second', 'lane');
  deliveries.add('other');
  await eventually(() => expect(attempts).toEqual(['first', 'other']));
  await clock.advance(1000);
  await eventually(() => expect(attempts).toEqual(['first', 'other', 'first', 'second']));
});

test('what fails too often, or says that it need not be tried again, is given up', async () => {
  failures.set(
    'busy',
    [1, 2, 3].map(() => new Error('busy')),
  );
  failures.set('gone', [new DeliveryError('NO_RESOURCE', 'gone', false)]);
  deliveries.start();
  deliveries.add('gone');
  await eventually(() => expect(attempts).toEqual(['gone', 'gave up gone: gone']));
  deliveries.add('busy');
  await eventually(async () => {
    await clock.advance(1000);
    expect(attempts.slice(2)).toEqual(['busy', 'busy', 'busy', 'gave up busy: busy']);
    expect(kept()).toBe(0);
  });
});

test('an outcome that cannot be written down is a warning, and the delivery is made again after a pause', async () => {
  database.exec(`CREATE TRIGGER full BEFORE DELETE ON deliveries BEGIN SELECT RAISE(ABORT, 'disk is full'); END`);
  deliveries.start();
  deliveries.add('a');
  await eventually(() => expect(warnings).toEqual([expect.stringContaining('disk is full')]));
  await clock.advance(9_999);
  expect(attempts).toEqual(['a']);
  database.exec('DROP TRIGGER full');
  await clock.advance(1);
  await eventually(() => expect(kept()).toBe(0));
  expect(attempts).toEqual(['a', 'a']);
});

test('an attempt that is under way at the end is aborted and not counted: the next one makes it', async () => {
  await deliveries[Symbol.asyncDispose]();
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  deliveries = new DurableDeliveries<string>({
    ...{
      database,
      clock,
      warn: () => {},
      retryAfter: () => undefined,
      giveUp: async () => void attempts.push('gave up'),
    },
    attempt: (_content, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DeliveryError('NO_RESOURCE', 'has ended', false)));
        resolve();
      }),
  });
  deliveries.start();
  deliveries.add('a');
  await begun;
  await deliveries[Symbol.asyncDispose]();
  expect([attempts, kept()]).toEqual([[], 1]);
  deliveries = open();
  deliveries.start();
  await eventually(() => expect(attempts).toEqual(['a']));
});

test('what has not been delivered when it ends is delivered by the next one', async () => {
  deliveries.add('a');
  await deliveries[Symbol.asyncDispose]();
  deliveries = open();
  deliveries.start();
  await eventually(() => expect(attempts).toEqual(['a']));
});
