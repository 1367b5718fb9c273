import { describe, expect, test } from '@jest/globals';
import { bandOf, isUnusual } from './anomaly.ts';
import { anomaliesOf, earlierStart, type MinuteFigures } from './report.ts';

describe('what is usual', () => {
  test('is not moved by a few values that are not', () => {
    const calm = [10, 11, 9, 10, 12, 10, 9, 11, 10, 10, 11];
    const band = bandOf([...calm, 500, 800]);

    expect(band?.median).toBe(10);
    expect(band?.high).toBeLessThan(20);
  });

  test('is never so narrow that one order is news', () => {
    const band = bandOf(Array.from({ length: 20 }, () => 0));

    expect(band).toEqual({ median: 0, low: 0, high: 3 });
    expect([3, 4].map((value) => band && isUnusual(value, band))).toEqual([false, true]);
  });

  test('is not known of a few values', () => {
    expect(bandOf([1, 2, 3])).toBeUndefined();
  });
});

describe('anomalies', () => {
  /** Six hours with ten orders a minute, and then an hour of which one minute is different. */
  function hours(placed: (minute: number) => number): MinuteFigures[] {
    return Array.from({ length: 7 * 60 }, (_, index) => ({
      minute: new Date(Date.UTC(2026, 0, 15, 0, index)).toISOString().slice(0, 16),
      figures: { orders: { placed: index < 360 ? 10 + (index % 3) : placed(index - 360) } },
    }));
  }
  const found = (placed: (minute: number) => number) =>
    anomaliesOf(hours(placed), '2026-01-15T06:00', '2026-01-15T07:00');

  test('are the minutes with too many orders, and those with too few', () => {
    expect(found((minute) => (minute === 30 ? 60 : minute === 40 ? 0 : 11))).toEqual([
      expect.objectContaining({ minute: '2026-01-15T06:30Z', figure: 'placed', value: 60, median: 11 }),
      expect.objectContaining({ minute: '2026-01-15T06:40Z', figure: 'placed', value: 0 }),
    ]);
  });

  test('are not there in an hour like those before', () => {
    expect(found((minute) => 10 + (minute % 3))).toEqual([]);
  });

  test('a new shop has none: what was before it is not zero', () => {
    expect(anomaliesOf(hours(() => 11).slice(-60), '2026-01-15T06:00', '2026-01-15T07:00')).toEqual([]);
  });

  test('are told by minutes from six hours before on', () => {
    expect(earlierStart('2026-01-15T03:00')).toBe('2026-01-14T20:58');
  });
});
