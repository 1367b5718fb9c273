import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { MetricStore } from './metric-store.ts';
import { merge, setOf, statisticNamed } from './statistic-set.ts';

const MINUTE_MS = 60_000;
const key = { namespace: 'Shop', name: 'Orders', dimensions: [] };

it('keeps metrics over a restart in a data directory', () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'metrics-'));
  const first = new MetricStore(dataDirectory);
  first.add([{ ...key, timestamp: 0, set: setOf(1), unit: 'Count' }], 0);
  first.close();
  const second = new MetricStore(dataDirectory);
  second.add([{ ...key, timestamp: 1, set: setOf(2), unit: 'Count' }], 1);
  expect([...second.periods(key, MINUTE_MS, 0, MINUTE_MS)]).toEqual([[0, merge(setOf(1), setOf(2))]]);
  expect(second.unitOf(key)).toBe('Count');
  second.close();
  rmSync(dataDirectory, { recursive: true });
});

it('takes bounded memory without one: the oldest datapoints give way', () => {
  const store = new MetricStore(undefined, 100);
  store.add([{ ...key, name: 'Old', timestamp: 0, set: setOf(1) }], 0);
  for (let minute = 0; minute < 500; minute += 1) {
    store.add([{ ...key, timestamp: minute * MINUTE_MS, set: setOf(1) }], minute * MINUTE_MS);
  }
  const kept = [...store.periods(key, MINUTE_MS, 0, 500 * MINUTE_MS).keys()];
  expect(kept.length).toBeGreaterThanOrEqual(90);
  expect(kept.length).toBeLessThanOrEqual(100);
  expect(kept.at(-1)).toBe(499 * MINUTE_MS);
  // A metric without datapoints is forgotten.
  expect(store.metrics(0).map(({ name }) => name)).toEqual(['Orders']);
  store.close();
});

it('gives percentiles that are 5 % off at most, of however many distinct values', () => {
  const set = Array.from({ length: 1000 }, (_, index) => setOf(index + 1)).reduce(merge);
  expect(Object.keys(set.values ?? {}).length).toBeLessThanOrEqual(300);
  for (const percent of [1, 50, 90, 99]) {
    const value = statisticNamed(`p${percent}`)?.(set) ?? 0;
    expect(Math.abs(value / (10 * percent) - 1)).toBeLessThanOrEqual(0.05);
  }
});
