/**
 * The currencies that can be paid with: the active codes of ISO 4217's list one, without funds, precious metals, units of
 * account (XDR, XSU) and test codes. As of 2026: BGN, ANG, CUC, HRK, SLL and ZWL are withdrawn; XCG, SLE and ZWG are in.
 *
 * A list of our own, because nothing that is there says it: `Intl.supportedValuesOf('currency')` of one Node version still has
 * withdrawn codes, and of the next one has others, so that two containers could disagree; packages with the list are years
 * behind. It changes about once a year.
 * https://www.six-group.com/en/products-services/financial-information/data-standards.html
 */
export const currencyCodes = [
  ...['AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BHD', 'BIF', 'BMD', 'BND'],
  ...['BOB', 'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CLP', 'CNY', 'COP', 'CRC', 'CUP', 'CVE'],
  ...['CZK', 'DJF', 'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD'],
  ...['GNF', 'GTQ', 'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'IRR', 'ISK', 'JMD', 'JOD', 'JPY'],
  ...['KES', 'KGS', 'KHR', 'KMF', 'KPW', 'KRW', 'KWD', 'KYD', 'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'LYD', 'MAD'],
  ...['MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR', 'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO'],
  ...['NOK', 'NPR', 'NZD', 'OMR', 'PAB', 'PEN', 'PGK', 'PHP', 'PKR', 'PLN', 'PYG', 'QAR', 'RON', 'RSD', 'RUB', 'RWF'],
  ...['SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS', 'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB'],
  ...['TJS', 'TMT', 'TND', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH', 'UGX', 'USD', 'UYU', 'UZS', 'VED', 'VES', 'VND'],
  ...['VUV', 'WST', 'XAF', 'XCD', 'XCG', 'XOF', 'XPF', 'YER', 'ZAR', 'ZMW', 'ZWG'],
];

const DEFAULT_DIGITS = 2;

/** Digits of the minor unit where they are not two. */
const digits = new Map([
  ...['BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW'].map((code) => [code, 0] as const),
  ...['PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'].map((code) => [code, 0] as const),
  ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((code) => [code, 3] as const),
]);

/**
 * Digits of a currency's minor unit by ISO 4217, as payment providers count amounts. `Intl.NumberFormat` follows everyday use
 * instead: it shows no digits for HUF and IDR, which have two.
 *
 * @returns 2 for a code that is not known
 * @example minorUnitDigits('JPY'); // 0
 */
export function minorUnitDigits(currency: string): number {
  return digits.get(currency) ?? DEFAULT_DIGITS;
}
