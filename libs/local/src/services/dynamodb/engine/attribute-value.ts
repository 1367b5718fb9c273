import { compareDecimals, normalizeNumber, numberSize, parseDecimal, sortableDecimal } from './decimal.ts';
import { serializationError, validationError } from './dynamodb-error.ts';

/** A value as DynamoDB's JSON protocol has it: numbers as text, bytes as Base64. */
export type AttributeValue =
  | { S: string }
  | { N: string }
  | { B: string }
  | { BOOL: boolean }
  | { NULL: boolean }
  | { SS: string[] }
  | { NS: string[] }
  | { BS: string[] }
  | { L: AttributeValue[] }
  | { M: Item };

/** An item, or the map inside one. */
export interface Item {
  [name: string]: AttributeValue;
}

export type AttributeType = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'SS' | 'NS' | 'BS' | 'L' | 'M';

/** A map is at most this deep. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MAX_DEPTH = 32;

const types: ReadonlySet<string> = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const asciiPattern = /^[\x00-\x7f]*$/;
const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The type of a value: the name of its one member. */
export function typeOf(value: AttributeValue): AttributeType {
  for (const type in value) return type as AttributeType;
  throw validationError(EMPTY_VALUE);
}

const EMPTY_VALUE = 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes';

/**
 * A copy of a value of a request in the form in which it is kept: numbers without superfluous zeros.
 * @throws DynamoDbError ValidationException or SerializationException when it is not an attribute value
 * @example readValue({ N: '01.0' }) // { N: '1' }
 */
export function readValue(value: unknown, depth = 1): AttributeValue {
  if (typeof value !== 'object' || value === null) throw serializationError('Unexpected value type in payload');
  if (Array.isArray(value)) {
    throw serializationError('Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue');
  }
  let found: AttributeType | undefined;
  for (const type in value) {
    if (!types.has(type) || (value as Record<string, unknown>)[type] == null) continue;
    if (found) {
      throw validationError(
        'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
      );
    }
    found = type as AttributeType;
  }
  if (!found) throw validationError(EMPTY_VALUE);
  if (depth > MAX_DEPTH) throw validationError('Nesting Levels have exceeded supported limits');
  return readMember(found, (value as Record<string, unknown>)[found], depth);
}

function readMember(type: AttributeType, content: unknown, depth: number): AttributeValue {
  switch (type) {
    case 'S':
      return { S: text(content) };
    case 'N':
      return { N: normalizeNumber(text(content)) };
    case 'B':
      return { B: base64(content) };
    case 'BOOL':
      return { BOOL: bool(content) };
    case 'NULL':
      if (!bool(content)) {
        throw validationError(
          'One or more parameter values were invalid: Null attribute value types must have the value of true',
        );
      }
      return { NULL: true };
    case 'SS':
      return { SS: set('SS', list(content).map(text)) };
    case 'NS':
      return {
        NS: set(
          'NS',
          list(content).map((each) => normalizeNumber(text(each))),
        ),
      };
    case 'BS':
      return { BS: set('BS', list(content).map(base64)) };
    case 'L':
      return { L: list(content).map((each) => readValue(each, depth + 1)) };
    case 'M':
      return { M: readItem(content, depth + 1) };
  }
}

/** A copy of an item of a request, as `readValue`. */
export function readItem(item: unknown, depth = 1): Item {
  if (typeof item !== 'object' || item === null) throw serializationError('Unexpected field type');
  if (Array.isArray(item)) {
    throw serializationError(
      'Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>',
    );
  }
  const copy: Item = {};
  for (const name of Object.keys(item)) {
    // The API's model has a least length for the names of attributes, and not for those in a map.
    if (name === '' && depth === 1) {
      throw validationError('One or more parameter values were invalid: Attribute name is empty');
    }
    define(copy, name, readValue((item as Record<string, unknown>)[name], depth));
  }
  return copy;
}

/** Sets an attribute. An assignment would not do for `__proto__`, which is a name like any other. */
export function define(target: Item, name: string, value: AttributeValue): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A copy of a value that shares nothing with it. */
export function copyValue(value: AttributeValue): AttributeValue {
  if ('M' in value) return { M: copyItem(value.M) };
  if ('L' in value) return { L: value.L.map(copyValue) };
  const [type] = Object.keys(value) as [string];
  const content = (value as unknown as Record<string, unknown>)[type];
  return { [type]: Array.isArray(content) ? [...content] : content } as unknown as AttributeValue;
}

/** A copy of an item that shares nothing with it. */
export function copyItem(item: Item): Item {
  const copy: Item = {};
  for (const name of Object.keys(item)) define(copy, name, copyValue(item[name] as AttributeValue));
  return copy;
}

/** Whether two values are the same: the order of a set does not count, the way a number is written does not either. */
export function equalValues(a: AttributeValue, b: AttributeValue): boolean {
  const type = typeOf(a);
  if (type !== typeOf(b)) return false;
  const [one, other] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  switch (type) {
    case 'SS':
    case 'NS':
    case 'BS': {
      const [first, second] = [one[type] as string[], new Set(other[type] as string[])];
      return first.length === second.size && first.every((each) => second.has(each));
    }
    case 'L': {
      const [first, second] = [one.L as AttributeValue[], other.L as AttributeValue[]];
      return first.length === second.length && first.every((each, index) => equalValues(each, second[index] ?? each));
    }
    case 'M':
      return equalItems(one.M as Item, other.M as Item);
    default:
      return one[type] === other[type];
  }
}

/** Whether two items have the same attributes. */
export function equalItems(a: Item, b: Item): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [one, other] = [a[name], Object.hasOwn(b, name) ? b[name] : undefined];
      return one !== undefined && other !== undefined && equalValues(one, other);
    })
  );
}

/**
 * Compares two numbers, texts or byte strings of the same type.
 * @returns undefined when they have no order: their types differ, or it is another type
 */
export function compareValues(a: AttributeValue, b: AttributeValue): number | undefined {
  if ('N' in a && 'N' in b) return compareDecimals(parseDecimal(a.N), parseDecimal(b.N));
  if ('S' in a && 'S' in b) return a.S === b.S ? 0 : Buffer.compare(Buffer.from(a.S), Buffer.from(b.S));
  if ('B' in a && 'B' in b) return Buffer.compare(Buffer.from(a.B, 'base64'), Buffer.from(b.B, 'base64'));
  return undefined;
}

/** A text for which the order of characters is the order of keys of one type. */
export function sortableKey(value: AttributeValue): string {
  if ('N' in value) return sortableDecimal(parseDecimal(value.N));
  if ('S' in value) return asciiPattern.test(value.S) ? value.S : Buffer.from(value.S).toString('latin1');
  if ('B' in value) return Buffer.from(value.B, 'base64').toString('latin1');
  throw new TypeError(`A key is a string, a number or binary, not ${typeOf(value)}`);
}

/** The bytes that DynamoDB counts for a value. */
export function valueSize(value: AttributeValue): number {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return numberSize(value.N);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('BOOL' in value || 'NULL' in value) return 1;
  if ('SS' in value) return sum(value.SS, (each) => Buffer.byteLength(each));
  if ('NS' in value) return sum(value.NS, (each) => numberSize(each));
  if ('BS' in value) return sum(value.BS, (each) => Buffer.byteLength(each, 'base64'));
  if ('L' in value) return 3 + sum(value.L, (each) => valueSize(each) + 1);
  return 3 + itemSize(value.M) + Object.keys(value.M).length;
}

/** The bytes that DynamoDB counts for an item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemSize(item: Item): number {
  let size = 0;
  for (const name of Object.keys(item)) size += Buffer.byteLength(name) + valueSize(item[name] as AttributeValue);
  return size;
}

/** Elements in a list, set or map, or bytes of a text or bytes: the function `size`. @returns undefined for other types */
export function lengthOf(value: AttributeValue): number | undefined {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('SS' in value) return value.SS.length;
  if ('NS' in value) return value.NS.length;
  if ('BS' in value) return value.BS.length;
  if ('L' in value) return value.L.length;
  if ('M' in value) return Object.keys(value.M).length;
  return undefined;
}

function sum<Each>(all: readonly Each[], sizeOf: (each: Each) => number): number {
  let total = 0;
  for (const each of all) total += sizeOf(each);
  return total;
}

function text(content: unknown): string {
  if (typeof content === 'string') return content;
  throw serializationError(unexpected(content, 'String') ?? `${jsonName(content)} cannot be converted to String`);
}

function bool(content: unknown): boolean {
  if (typeof content === 'boolean') return content;
  const word = typeof content === 'string' ? content.toLowerCase() : undefined;
  if (word === 'true' || word === 'false') return word === 'true';
  if (word !== undefined) throw serializationError('Unexpected token received from parser');
  throw serializationError(unexpected(content, 'Boolean') ?? `${jsonName(content)} cannot be converted to Boolean`);
}

function list(content: unknown): unknown[] {
  if (Array.isArray(content)) return content;
  throw serializationError(
    typeof content === 'object' ? 'Start of structure or map found where not expected' : 'Unexpected field type',
  );
}

function base64(content: unknown): string {
  if (typeof content !== 'string') {
    throw serializationError(
      unexpected(content, 'ByteBuffer') ?? 'only base-64-encoded strings are convertible to bytes',
    );
  }
  if (base64Pattern.test(content)) return content;
  throw serializationError(
    content.length % 4 === 0
      ? 'Invalid last non-pad Base64 character dectected'
      : `Base64 encoded length is expected a multiple of 4 bytes but found: ${content.length}`,
  );
}

function unexpected(content: unknown, type: string): string | undefined {
  if (Array.isArray(content))
    return `Unrecognized collection type class java.${type === 'ByteBuffer' ? 'nio' : 'lang'}.${type}`;
  return typeof content === 'object' ? 'Start of structure or map found where not expected' : undefined;
}

function set(type: 'SS' | 'NS' | 'BS', elements: string[]): string[] {
  if (elements.length === 0) throw validationError(`One or more parameter values were invalid: ${EMPTY_SET[type]}`);
  if (new Set(elements).size === elements.length) return elements;
  if (type === 'NS') throw validationError('Input collection contains duplicates');
  const values = type === 'BS' ? `[${elements.join(', ')}]of type BS` : `[${elements.join(', ')}]`;
  throw validationError(`One or more parameter values were invalid: Input collection ${values} contains duplicates.`);
}

/** The two spaces are AWS's. */
const EMPTY_SET = {
  SS: 'An string set  may not be empty',
  NS: 'An number set  may not be empty',
  BS: 'Binary sets should not be empty',
};

function jsonName(content: unknown): string {
  if (typeof content === 'number') return Number.isInteger(content) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  return content ? 'TRUE_VALUE' : 'FALSE_VALUE';
}
