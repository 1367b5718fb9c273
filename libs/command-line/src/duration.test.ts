import { describe, expect, test } from '@jest/globals';
import { formatDuration, parseDuration } from './duration.ts';

describe('a duration', () => {
  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['3d', 259_200_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '10', 'm', '-1m', '1w', '1h30m'])('"%s" is refused', (text) => {
    expect(() => parseDuration(text)).toThrow('invalid duration');
  });

  test.each([
    [0, '0s'],
    [45_400, '45s'],
    [725_000, '12m 5s'],
    [3_600_000, '1h'],
    [11_520_000, '3h 12m'],
    [187_200_000, '2d 4h'],
  ])('%d ms is written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
