import { compareDecimals, decimalSize, formatDecimal, parseDecimal, sortableDecimal } from './decimal.ts';
import { validationError } from './dynamodb-error.ts';

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
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw validationError(EMPTY_VALUE);
  const members = Object.entries(value).filter(([type, content]) => types.has(type) && content != null);
  const [member, second] = members;
  if (!member) throw validationError(EMPTY_VALUE);
  if (second) {
    throw validationError(
      'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
    );
  }
  if (depth > MAX_DEPTH) throw validationError('Nesting Levels have exceeded supported limits');
  return readMember(member[0] as AttributeType, member[1], depth);
}

function readMember(type: AttributeType, content: unknown, depth: number): AttributeValue {
  switch (type) {
    case 'S':
      return { S: text(content) };
    case 'N':
      return { N: formatDecimal(parseDecimal(text(content))) };
    case 'B':
      return { B: base64(content) };
    case 'BOOL':
      return { BOOL: content === true };
    case 'NULL':
      if (content !== true) {
        throw validationError(
          'One or more parameter values were invalid: Null attribute value types must have the value of true',
        );
      }
      return { NULL: true };
    case 'SS':
      return { SS: set('string', list(content).map(text)) };
    case 'NS':
      return {
        NS: set(
          'number',
          list(content).map((each) => formatDecimal(parseDecimal(text(each)))),
        ),
      };
    case 'BS':
      return { BS: set('binary', list(content).map(base64)) };
    case 'L':
      return { L: list(content).map((each) => readValue(each, depth + 1)) };
    case 'M':
      return { M: readItem(content, depth + 1) };
  }
}

/** A copy of an item of a request, as `readValue`. */
export function readItem(item: unknown, depth = 1): Item {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw serializationError('Start of structure or map found where not expected');
  }
  const copy: Item = {};
  for (const [name, value] of Object.entries(item)) {
    if (name === '') throw validationError('One or more parameter values were invalid: Attribute name is empty');
    // Not an assignment: `__proto__` is a name like any other.
    Object.defineProperty(copy, name, {
      value: readValue(value, depth),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
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
  if ('S' in value) return Buffer.from(value.S).toString('latin1');
  if ('B' in value) return Buffer.from(value.B, 'base64').toString('latin1');
  throw new TypeError(`A key is a string, a number or binary, not ${typeOf(value)}`);
}

/** The bytes that DynamoDB counts for a value. */
export function valueSize(value: AttributeValue): number {
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return decimalSize(parseDecimal(value.N));
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('BOOL' in value || 'NULL' in value) return 1;
  if ('SS' in value) return sum(value.SS, (each) => Buffer.byteLength(each));
  if ('NS' in value) return sum(value.NS, (each) => decimalSize(parseDecimal(each)));
  if ('BS' in value) return sum(value.BS, (each) => Buffer.byteLength(each, 'base64'));
  if ('L' in value) return 3 + sum(value.L, (each) => valueSize(each) + 1);
  return 3 + itemSize(value.M) + Object.keys(value.M).length;
}

/** The bytes that DynamoDB counts for an item. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function itemSize(item: Item): number {
  return sum(Object.entries(item), ([name, value]) => Buffer.byteLength(name) + valueSize(value));
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
  throw serializationError(`${jsonName(content)} cannot be converted to String`);
}

function list(content: unknown): unknown[] {
  if (Array.isArray(content)) return content;
  throw serializationError('Unexpected field type');
}

function base64(content: unknown): string {
  const bytes = text(content);
  if (base64Pattern.test(bytes)) return bytes;
  throw serializationError('Base64 encoded length is expected a multiple of 4 bytes');
}

function set(kind: string, elements: string[]): string[] {
  if (elements.length === 0) {
    throw validationError(`One or more parameter values were invalid: An ${kind} set may not be empty`);
  }
  if (new Set(elements).size < elements.length) {
    throw validationError(
      `One or more parameter values were invalid: Input collection [${elements.join(', ')}] contains duplicates.`,
    );
  }
  return elements;
}

function serializationError(message: string): Error {
  return Object.assign(validationError(message), { name: 'SerializationException' });
}

function jsonName(content: unknown): string {
  if (typeof content === 'number') return 'NUMBER_VALUE';
  if (typeof content === 'boolean') return content ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return 'START_OBJECT';
}
