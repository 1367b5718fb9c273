import { expect, test } from '@jest/globals';
import { functionMetric, ObservedMetrics } from './observed-metrics.ts';

const source = functionMetric('f', 'Duration');

test('everybody who asks gets each observation once, from when he first asked', () => {
  const metrics = new ObservedMetrics();
  metrics.record(source, 1);
  const first = metrics.since(source, undefined);
  metrics.record(source, 2);
  metrics.record(functionMetric('g', 'Duration'), 9);
  const second = metrics.since(source, first.position);
  metrics.record(source, 3);

  expect(first.values).toEqual([]);
  expect(second.values).toEqual([2]);
  expect(metrics.since(source, second.position).values).toEqual([3]);
  expect(metrics.since(source, first.position).values).toEqual([2, 3]);
});

test('what nobody asks for does not fill the memory', () => {
  const metrics = new ObservedMetrics();
  const { position } = metrics.since(source, undefined);
  for (let value = 1; value <= 100_000; value += 1) metrics.record(source, value);

  const { values } = metrics.since(source, position);
  expect(values.length).toBeLessThanOrEqual(4_000);
  expect(values.at(-1)).toBe(100_000);
});
