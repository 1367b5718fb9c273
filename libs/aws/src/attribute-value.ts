import { isMap, isSet } from 'node:util/types';
import { PermanentError } from '@millrace/errors';

/** An attribute as DynamoDB sends it. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html */
export type WireValue =
  | { S: string }
  | { N: string }
  | { B: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { L: WireValue[] }
  | { M: Record<string, WireValue> }
  | { SS: string[] }
  | { NS: string[] }
  | { BS: string[] };

/** A number that JavaScript or DynamoDB would round. */
export class InexactNumberError extends PermanentError {
  constructor(number: string, where: string) {
    super(
      'INEXACT_NUMBER',
      `${where} ${number} has more digits than can be kept: use a string, or a bigint for an integer`,
    );
  }
}

/**
 * A map of plain values as DynamoDB takes it: fields that are undefined are left out, as in JSON.
 *
 * @throws InexactNumberError for a number that JavaScript has rounded already, or that is not one; TypeError for what DynamoDB
 *   has no type for, e.g. a date
 * @example marshall({ pk: 'a', count: 2 }); // { pk: { S: 'a' }, count: { N: '2' } }
 */
export function marshall(values: object): Record<string, WireValue> {
  const wire: Record<string, WireValue> = {};
  const entries = isMap(values) ? (values as Map<string, unknown>) : Object.entries(values);
  for (const [name, value] of entries) {
    if (value !== undefined) wire[name] = toWire(value, name);
  }
  return wire;
}

function toWire(value: unknown, name: string): WireValue {
  switch (typeof value) {
    case 'string':
      return { S: value };
    case 'number':
      return { N: textOf(value, name) };
    case 'bigint':
      return { N: String(value) };
    case 'boolean':
      return { BOOL: value };
    case 'object':
      return value === null ? { NULL: true } : objectToWire(value, name);
    default:
      throw new TypeError(`The attribute ${name} is a ${typeof value}, which DynamoDB cannot keep`);
  }
}

function objectToWire(value: object, name: string): WireValue {
  if (Array.isArray(value)) {
    return { L: value.flatMap((each) => (each === undefined ? [] : [toWire(each, name)])) };
  }
  // By their names and not by `instanceof`: values may come from another context of V8.
  if (ArrayBuffer.isView(value)) return { B: base64(value) };
  if (isSet(value))
    return setToWire(
      [...value].filter((each) => each !== undefined),
      name,
    );
  const type = value.constructor?.name ?? 'Object';
  if (isMap(value) || type === 'Object') return { M: marshall(value) };
  throw new TypeError(`The attribute ${name} is a ${type}, which DynamoDB cannot keep`);
}

function setToWire(values: unknown[], name: string): WireValue {
  if (values.length === 0) throw new TypeError(`The attribute ${name} is an empty set, which DynamoDB cannot keep`);
  if (values.every((each) => typeof each === 'string')) return { SS: values };
  if (values.every((each) => typeof each === 'number' || typeof each === 'bigint')) {
    return { NS: values.map((each) => (typeof each === 'bigint' ? String(each) : textOf(each, name))) };
  }
  if (values.every((each) => ArrayBuffer.isView(each))) return { BS: values.map(base64) };
  throw new TypeError(`The attribute ${name} is a set of several types, or of one that DynamoDB cannot keep in sets`);
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function textOf(value: number, name: string): string {
  if (!Number.isFinite(value)) throw new TypeError(`The attribute ${name} is ${value}, which DynamoDB cannot keep`);
  // Above this JavaScript's own arithmetic has rounded it, and the text would not show that.
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new InexactNumberError(String(value), `In the attribute ${name}`);
  return String(value);
}

/**
 * The plain values of a map that DynamoDB has sent. Integers that a number cannot hold become bigints.
 *
 * @throws InexactNumberError for any other number that JavaScript would round
 * @example unmarshall({ pk: { S: 'a' }, count: { N: '2' } }); // { pk: 'a', count: 2 }
 */
// biome-ignore lint/suspicious/noExplicitAny: only the code that wrote an attribute knows its type; the SDK has `any` here, too
export function unmarshall(wire: Record<string, WireValue>): Record<string, any> {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(wire)) {
    const value = fromWire(wire[name] as WireValue, name);
    if (name === '__proto__')
      Object.defineProperty(values, name, { value, enumerable: true, writable: true, configurable: true });
    else values[name] = value;
  }
  return values;
}

function fromWire(value: WireValue, name: string): unknown {
  if ('S' in value) return value.S;
  if ('N' in value) return numberOf(value.N, name);
  if ('M' in value) return unmarshall(value.M);
  if ('L' in value) return value.L.map((each) => fromWire(each, name));
  if ('BOOL' in value) return value.BOOL;
  if ('NULL' in value) return null;
  if ('B' in value) return bytesOf(value.B);
  if ('SS' in value) return new Set(value.SS);
  if ('NS' in value) return new Set(value.NS.map((each) => numberOf(each, name)));
  if ('BS' in value) return new Set(value.BS.map(bytesOf));
  throw new TypeError(`The attribute ${name} has a type that is not known: ${Object.keys(value)}`);
}

function bytesOf(text: string): Uint8Array {
  // A copy: short ones are otherwise views of Node's pool.
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** A number with up to as many significant digits is never rounded. */
const SAFE_DIGITS = 15;

function numberOf(text: string, name: string): number | bigint {
  const value = Number(text);
  if (text.length <= SAFE_DIGITS) return value;
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(value) ? value : BigInt(text);
  if (digitsOf(String(value)) !== digitsOf(text)) throw new InexactNumberError(text, `In the attribute ${name}`);
  return value;
}

/** A decimal number in one spelling: its digits without the zeros at both ends, and the power of ten of the last one. */
function digitsOf(text: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  return `${sign}${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}
