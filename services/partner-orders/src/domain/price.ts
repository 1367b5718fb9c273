import { minorUnitDigits } from '@millrace/orders/events';

/**
 * A price in minor units. It is read as text: 1.1 + 2.2 is not 3.3 for a floating-point number.
 *
 * @param text such as `3.49`, with at most as many digits after the point as the currency has
 * @returns undefined for anything else
 * @example minorUnits('3.49', 'EUR'); // 349
 */
export function minorUnits(text: string, currency: string): number | undefined {
  const [, whole, fraction = ''] = /^(0|[1-9]\d{0,8})(?:\.(\d{1,3}))?$/.exec(text) ?? [];
  const digits = minorUnitDigits(currency);
  if (whole === undefined || fraction.length > digits) return undefined;
  return Number(whole + fraction.padEnd(digits, '0'));
}
