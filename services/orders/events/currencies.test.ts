import { describe, expect, test } from '@jest/globals';
import { currencyCodes, minorUnitDigits } from './currencies.ts';

describe('the currencies', () => {
  test('are each once, in order', () => {
    expect(currencyCodes).toEqual([...new Set(currencyCodes)].sort());
  });

  test('are those of this Node, but for codes that ISO 4217 has withdrawn or that no card is charged in', () => {
    const supported = Intl.supportedValuesOf('currency');
    const without = (codes: readonly string[], others: readonly string[]) =>
      codes.filter((code) => !others.includes(code));

    const withdrawn = ['ANG', 'BGN', 'CUC', 'HRK', 'SLL', 'ZWL'];
    const unitsOfAccount = ['XDR', 'XSU'];
    expect(without(without(supported, currencyCodes), [...withdrawn, ...unitsOfAccount])).toEqual([]);
    // Of Venezuela's two codes for one currency Unicode knows one.
    expect(without(currencyCodes, supported)).toEqual(['VED']);
  });

  test.each([
    ['EUR', 2],
    ['HUF', 2],
    ['IDR', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['IQD', 3],
    ['XYZ', 2],
  ])('%s has %d digits', (code, digits) => {
    expect(minorUnitDigits(code)).toBe(digits);
  });
});
