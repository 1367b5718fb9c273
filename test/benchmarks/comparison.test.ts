import { describe, expect, test } from '@jest/globals';
import { comparisonTable, type Rounds, ratioOf, typical } from './comparison.ts';
import type { OrderFigures } from './order-load.ts';
import { median, percentile } from './statistics.ts';

function figures(cpuMsPerOrder: number | undefined, requests?: number): OrderFigures {
  return {
    lone: [30, 10, 20],
    times: [100],
    ratesByQuarter: [1, 1, 1, 1],
    ordersPerSecond: 50,
    eventsPerOrder: 5,
    ownCpuMsPerOrder: 1,
    counts: { requests, invocations: undefined },
    ...(cpuMsPerOrder !== undefined && { cpuMsPerOrder }),
  };
}

test('percentiles and medians do not depend on the order of the values', () => {
  expect([percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 0.99), percentile([], 0.5)]).toEqual([2, 3, Number.NaN]);
  expect([median([5, 1, 3]), median([4, 1, 3, 2]), median([7])]).toEqual([3, 2.5, 7]);
});

describe('two versions that were measured by turns', () => {
  // The machine was half as fast in the second round.
  const rounds: Rounds = [
    [figures(20), figures(40), figures(20)],
    [figures(10), figures(20), figures(16, 18)],
  ];

  test('are compared round by round: what slows both down does not count', () => {
    expect(ratioOf('cpuMs', rounds)).toEqual({ median: 0.5, least: 0.5, most: 0.8 });
    expect(typical('cpuMs', rounds[1])).toBe('16.0');
  });

  test('have a dash where one of them does not tell', () => {
    expect(ratioOf('requests', rounds)).toBeUndefined();
    expect(ratioOf('peakMiB', rounds)).toBeUndefined();
    expect([typical('requests', rounds[0]), typical('requests', rounds[1])]).toEqual(['–', '18.0']);
  });

  test('are printed with both figures, the ratio and how far the rounds are apart', () => {
    const [head, ...lines] = comparisonTable(['abc1234', 'this tree'], rounds).split('\n');
    expect(head).toMatch(/abc1234 {2}this tree {2}ratio {2}of the rounds$/);
    expect(lines.find((line) => line.startsWith('CPU ms'))).toMatch(/ 20\.0 +16\.0 +0\.50 +0\.50–0\.80$/);
    expect(lines.find((line) => line.startsWith('lone order'))).toMatch(/ 20 +20 +1\.00 +1\.00–1\.00$/);
    expect(lines.find((line) => line.startsWith('DynamoDB'))).toMatch(/ – +18\.0 +–$/);
  });
});
