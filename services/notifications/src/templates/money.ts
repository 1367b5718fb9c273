import { minorUnitDigits } from '@millrace/orders/events';

/**
 * An amount for people to read: 698 EUR is `€6.98`, 698 JPY is `¥698`.
 * @param amount in the currency's minor unit; how many of them make one is for ISO 4217 to say.
 */
export function formatMoney({ amount, currency }: { amount: number; currency: string }): string {
  const digits = minorUnitDigits(currency);
  return formatOf(currency, digits).format(amount / 10 ** digits);
}

/** By currency: to make a format takes forty times as long as to use one, and a mail has four amounts and more. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string, digits: number): Intl.NumberFormat {
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const format = formats.get(currency) ?? new Intl.NumberFormat('en', { style: 'currency', currency, ...fraction });
  formats.set(currency, format);
  return format;
}
