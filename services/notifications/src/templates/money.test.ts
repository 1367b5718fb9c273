import { expect, test } from '@jest/globals';
import { formatMoney } from './money.ts';

test.each([
  [{ amount: 698, currency: 'EUR' }, '€6.98'],
  [{ amount: 5, currency: 'EUR' }, '€0.05'],
  [{ amount: 0, currency: 'USD' }, '$0.00'],
  [{ amount: 123_456_789, currency: 'EUR' }, '€1,234,567.89'],
  [{ amount: 698, currency: 'JPY' }, '¥698'],
  [{ amount: 123_456, currency: 'HUF' }, 'HUF\u00a01,234.56'],
  [{ amount: 1_234, currency: 'KWD' }, 'KWD\u00a01.234'],
  [{ amount: 100, currency: 'XYZ' }, 'XYZ\u00a01.00'],
])('%j is %s', (money, expected) => {
  expect(formatMoney(money)).toBe(expected);
});
