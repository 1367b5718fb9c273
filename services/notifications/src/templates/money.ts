/**
 * An amount for people to read: 698 EUR is `€6.98`, 698 JPY is `¥698`.
 * @param amount in the currency's minor unit; how many of them make one is for ISO 4217 to say.
 */
export function formatMoney({ amount, currency }: { amount: number; currency: string }): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const { maximumFractionDigits = 0 } = format.resolvedOptions();
  return format.format(amount / 10 ** maximumFractionDigits);
}
