import { minorUnitDigits } from '@millrace/orders/events';

/**
 * An amount for people to read: 698 EUR is `€6.98`, 698 JPY is `¥698`.
 * @param amount in the currency's minor unit; how many of them make one is for ISO 4217 to say.
 */
export function formatMoney({ amount, currency }: { amount: number; currency: string }): string {
  const digits = minorUnitDigits(currency);
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat('en', { style: 'currency', currency, ...fraction }).format(amount / 10 ** digits);
}
