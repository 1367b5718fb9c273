import { expect, test } from '@jest/globals';
import { metricSource, ObservedMetrics } from './observed-metrics.ts';

const source = metricSource('AWS/Lambda', 'Duration', { FunctionName: 'f' });
const other = metricSource('AWS/Lambda', 'Duration', { FunctionName: 'g' });

test('everybody who asks gets each observation once, from when he first asked', () => {
  const metrics = new ObservedMetrics();
  metrics.record(source, 1, 1000);
  const first = metrics.since(source, undefined);
  metrics.record(source, 2, 2000);
  metrics.record(other, 9, 2000);
  const second = metrics.since(source, first.position);
  metrics.record(source, 3, 3000);

  expect(first.observations).toEqual([]);
  expect(second.observations).toEqual([{ value: 2, at: 2000 }]);
  expect(metrics.since(source, second.position).observations.map(({ value }) => value)).toEqual([3]);
  expect(metrics.since(source, first.position).observations.map(({ value }) => value)).toEqual([2, 3]);
});

test('values that have not been read yet do not fill the memory', () => {
  const metrics = new ObservedMetrics();
  const { position } = metrics.since(source, undefined);
  for (let value = 1; value <= 100_000; value += 1) metrics.record(source, value, value);

  const { observations } = metrics.since(source, position);
  expect(observations.length).toBeLessThanOrEqual(4_000);
  expect(observations.at(-1)?.value).toBe(100_000);
});

test('the order of dimensions does not matter, their values do', () => {
  const one = metricSource('Shop', 'Orders', { Country: 'DE', Stage: 'dev' });
  expect(metricSource('Shop', 'Orders', { Stage: 'dev', Country: 'DE' })).toBe(one);
  expect(metricSource('Shop', 'Orders', { Stage: 'DE', Country: 'dev' })).not.toBe(one);
});
