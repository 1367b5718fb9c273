import { expect, test } from '@jest/globals';
import { minorUnits } from './price.ts';

test.each([
  ['3.49', 'EUR', 349],
  ['3.5', 'EUR', 350],
  ['3', 'EUR', 300],
  ['0', 'EUR', 0],
  ['0.07', 'EUR', 7],
  ['1.005', 'KWD', 1005],
  ['350', 'JPY', 350],
  // 1.15 * 100 is 114.99999999999999.
  ['1.15', 'EUR', 115],
])('%s %s are %d minor units', (text, currency, expected) => {
  expect(minorUnits(text, currency)).toBe(expected);
});

test.each([
  ...['', ' 3.49', '3.49 ', '3,49', '-1', '+1', '1e3', '0x10', '.5', '5.', '03.49', '1_000', 'NaN', '٣', '3.491'].map(
    (text) => [text, 'EUR'] as const,
  ),
  ['3.5', 'JPY'] as const,
  ['1'.repeat(10), 'EUR'] as const,
])('%j is not a price in %s', (text, currency) => {
  expect(minorUnits(text, currency)).toBeUndefined();
});
