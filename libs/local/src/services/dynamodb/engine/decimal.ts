import { validationError } from './dynamodb-error.ts';

/** DynamoDB keeps this many significant digits. */
const MAX_DIGITS = 38;
/** The largest exponent of the first digit, and the smallest: 9.99…E+125 and 1E-130. */
const MAX_MAGNITUDE = 125;
const MIN_MAGNITUDE = -130;

const numberPattern = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/;

/** A number of DynamoDB: `digits` × 10^`exponent`, without trailing zeros in `digits`. Zero has the exponent 0. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/**
 * Reads the text of an `N` value.
 * @throws DynamoDbError ValidationException when it is not a number, or one that DynamoDB cannot keep
 * @example parseDecimal('1.50') // { digits: 15n, exponent: -1 }
 */
export function parseDecimal(text: string): Decimal {
  const [matched, sign, whole = '', fraction = '', exponent = '0'] = numberPattern.exec(text) ?? [];
  if (matched === undefined || (whole === '' && fraction === '')) {
    throw validationError(
      text === ''
        ? 'The parameter cannot be converted to a numeric value'
        : `The parameter cannot be converted to a numeric value: ${text}`,
    );
  }
  const digits = BigInt(`${whole}${fraction}`);
  return checked(normalized(sign === '-' ? -digits : digits, Number(exponent) - fraction.length));
}

/** What is already written as DynamoDB answers it, and short enough to be sure of it: most numbers are. */
const plainPattern = /^(?:0|-?[1-9]\d{0,17}(?:\.\d{0,17}[1-9])?)$/;

/** A number as DynamoDB answers it. @throws as `parseDecimal` @example normalizeNumber('01.50E2') // '150' */
export function normalizeNumber(text: string): string {
  return plainPattern.test(text) ? text : formatDecimal(parseDecimal(text));
}

/** The text in which DynamoDB answers a number. @example formatDecimal(parseDecimal('1.50E2')) // '150' */
export function formatDecimal({ digits, exponent }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = magnitudeText(digits);
  if (exponent >= 0) return `${sign}${text}${'0'.repeat(exponent)}`;
  if (text.length > -exponent) return `${sign}${text.slice(0, exponent)}.${text.slice(exponent)}`;
  return `${sign}0.${'0'.repeat(-exponent - text.length)}${text}`;
}

/** The sum. @throws DynamoDbError ValidationException when it has more than 38 digits */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return checked(normalized(scaled(a, exponent) + scaled(b, exponent), exponent));
}

/** `a - b`. @throws DynamoDbError ValidationException when it has more than 38 digits */
export function subtractDecimals(a: Decimal, { digits, exponent }: Decimal): Decimal {
  return addDecimals(a, { digits: -digits, exponent });
}

/** Negative when `a` is the smaller one, 0 when both are the same number. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const difference = scaled(a, exponent) - scaled(b, exponent);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The bytes that DynamoDB counts for a number. @param text as DynamoDB answers it */
export function numberSize(text: string): number {
  if (text === '0') return 1;
  if (/^[1-9]\d{0,17}$/.test(text)) {
    const digits = text.replace(/0+$/, '').length;
    return Math.ceil((digits + ((text.length - digits) % 2)) / 2) + 1;
  }
  return decimalSize(parseDecimal(text));
}

function decimalSize({ digits, exponent }: Decimal): number {
  if (digits === 0n) return 1;
  // Two digits a byte, in pairs that start at the decimal point.
  const length = magnitudeText(digits).length;
  const odd = Math.abs(exponent) % 2;
  return Math.ceil((length + odd) / 2) + 1 + (digits < 0n ? 1 : 0);
}

/**
 * A text for which the order of characters is the order of numbers.
 * @example sortableDecimal(parseDecimal('9')) < sortableDecimal(parseDecimal('10')) // true
 */
export function sortableDecimal({ digits, exponent }: Decimal): string {
  if (digits === 0n) return '1';
  const text = magnitudeText(digits);
  const magnitude = String(text.length + exponent + 500).padStart(4, '0');
  if (digits > 0n) return `2${magnitude}${text}`;
  // The larger the magnitude, the smaller the number: every digit is turned round, and the end sorts behind all digits.
  return `0${[...`${magnitude}${text}`].map((digit) => 9 - Number(digit)).join('')}~`;
}

function magnitudeText(digits: bigint): string {
  return String(digits < 0n ? -digits : digits);
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}

function normalized(digits: bigint, exponent: number): Decimal {
  if (digits === 0n) return { digits, exponent: 0 };
  const text = String(digits);
  const trimmed = text.replace(/0+$/, '');
  return { digits: BigInt(trimmed), exponent: exponent + text.length - trimmed.length };
}

function checked(decimal: Decimal): Decimal {
  const { digits, exponent } = decimal;
  if (digits === 0n) return decimal;
  const { length } = magnitudeText(digits);
  const magnitude = exponent + length - 1;
  if (magnitude > MAX_MAGNITUDE) {
    throw validationError('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  if (magnitude < MIN_MAGNITUDE) {
    throw validationError('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  }
  if (length > MAX_DIGITS) throw validationError('Attempting to store more than 38 significant digits in a Number');
  return decimal;
}
