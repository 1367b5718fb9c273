import type { Input } from './access.ts';
import { AwsError } from './aws-error.ts';

/** What a value of an operation's input must be like. */
export interface Shape {
  readonly isRequired?: boolean;
  /**
   * Collects the constraints that a value does not meet.
   * @throws AwsError SerializationException for another type
   */
  readonly check: (value: unknown, path: string, violations: string[]) => void;
  /** Makes a value of what the query protocol carries as text. What cannot be made one stays as it is, for `check` to refuse. */
  readonly coerce?: (value: unknown) => unknown;
}

interface Length {
  min?: number;
  max?: number;
}

/** A string. */
export function text({ min = 0, max, pattern }: Length & { pattern?: RegExp } = {}): Shape {
  return {
    check: (value, path, violations) => {
      if (typeof value !== 'string') throw wrongType(path, 'a string');
      checkBounds(value.length, { min, max }, 'length', () => violates(violations, value, path));
      if (pattern && !pattern.test(value)) {
        violates(violations, value, path)(`satisfy regular expression pattern: ${pattern.source}`);
      }
    },
  };
}

/** One of a few words. */
export function oneOf(...words: readonly string[]): Shape {
  return {
    check: (value, path, violations) => {
      if (typeof value !== 'string') throw wrongType(path, 'a string');
      if (!words.includes(value)) violates(violations, value, path)(`satisfy enum value set: [${words.join(', ')}]`);
    },
  };
}

/** A whole number. */
export function whole({ min, max }: Length = {}): Shape {
  return {
    coerce: toNumber,
    check: (value, path, violations) => {
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, 'a whole number');
      checkBounds(value, { min, max }, 'value', () => violates(violations, value, path));
    },
  };
}

/** A number, of any size. */
export function decimal(): Shape {
  return {
    coerce: toNumber,
    check: (value, path) => {
      if (typeof value !== 'number' || Number.isNaN(value)) throw wrongType(path, 'a number');
    },
  };
}

export function flag(): Shape {
  return {
    coerce: (value) => (value === 'true' ? true : value === 'false' ? false : value),
    check: (value, path) => {
      if (typeof value !== 'boolean') throw wrongType(path, 'true or false');
    },
  };
}

/** A point in time: seconds since the epoch, or ISO 8601 in templates and query strings. */
export function time(): Shape {
  return {
    check: (value, path) => {
      if (millisecondsOf(value) === undefined) throw wrongType(path, 'a timestamp');
    },
  };
}

export function list(item: Shape, { min = 0, max }: Length = {}): Shape {
  return {
    // The query protocol writes an empty list as an empty text.
    coerce: (value) => (value === '' ? [] : Array.isArray(value) ? value.map((entry) => coerce(item, entry)) : value),
    check: (value, path, violations) => {
      if (!Array.isArray(value)) throw wrongType(path, 'a list');
      checkBounds(value.length, { min, max }, 'length', () => violates(violations, '[…]', path));
      value.forEach((entry, index) => {
        checkMember(item, entry, `${path}.${index + 1}.member`, violations);
      });
    },
  };
}

/** A map from names to values of one shape. */
export function mapOf(item: Shape): Shape {
  return {
    check: (value, path, violations) => {
      if (!isObject(value)) throw wrongType(path, 'a map');
      for (const [key, entry] of Object.entries(value)) checkMember(item, entry, `${path}.${key}`, violations);
    },
  };
}

/** Members that are not named are let through: AWS ignores what it does not know. */
export function structure(members: Readonly<Record<string, Shape>>): Shape {
  return {
    coerce: (value) => {
      if (!isObject(value)) return value;
      const known = Object.entries(members).filter(([name]) => Object.hasOwn(value, name));
      return { ...value, ...Object.fromEntries(known.map(([name, member]) => [name, coerce(member, value[name])])) };
    },
    check: (value, path, violations) => {
      if (!isObject(value)) throw wrongType(path, 'a structure');
      for (const [name, member] of Object.entries(members)) {
        const memberName = name.charAt(0).toLowerCase() + name.slice(1);
        checkMember(member, value[name], path === '' ? memberName : `${path}.${memberName}`, violations);
      }
    },
  };
}

export function required(shape: Shape): Shape {
  return { ...shape, isRequired: true };
}

/**
 * Checks the input of an operation. All constraints that it does not meet are told at once, in the words of AWS's services.
 *
 * @param code of the error, which differs between services
 * @throws AwsError with the code, or SerializationException for a value of another type
 * @example
 * checkInput(structure({ Name: required(text({ min: 1, max: 64 })) }), input);
 */
export function checkInput(shape: Shape, input: Input, code = 'ValidationException'): void {
  const violations: string[] = [];
  shape.check(input, '', violations);
  if (violations.length === 0) return;
  const count = violations.length === 1 ? '1 validation error' : `${violations.length} validation errors`;
  throw new AwsError(code, `${count} detected: ${violations.join('; ')}`);
}

/** Makes the values of the query protocol, which are all texts, what a shape needs. */
export function coerce(shape: Shape, value: unknown): unknown {
  return shape.coerce ? shape.coerce(value) : value;
}

/** Milliseconds of a timestamp as `time` takes it; undefined for anything else. */
export function millisecondsOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  // A query string carries numbers as text.
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value));
  const milliseconds =
    value instanceof Date ? value.getTime() : isNumber ? Number(value) * 1000 : Date.parse(String(value));
  return Number.isNaN(new Date(milliseconds).getTime()) ? undefined : milliseconds;
}

function checkMember(shape: Shape, value: unknown, path: string, violations: string[]): void {
  if (value !== undefined && value !== null) shape.check(value, path, violations);
  else if (shape.isRequired)
    violations.push(`Value null at '${path}' failed to satisfy constraint: Member must not be null`);
}

function checkBounds(
  size: number,
  { min, max }: { min?: number | undefined; max?: number | undefined },
  what: 'length' | 'value',
  report: () => (constraint: string) => void,
): void {
  if (min !== undefined && size < min) report()(`have ${what} greater than or equal to ${min}`);
  if (max !== undefined && size > max) report()(`have ${what} less than or equal to ${max}`);
}

function violates(violations: string[], value: unknown, path: string): (constraint: string) => void {
  return (constraint) => {
    violations.push(`Value '${value}' at '${path}' failed to satisfy constraint: Member must ${constraint}`);
  };
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;
}

function wrongType(path: string, expected: string): AwsError {
  return new AwsError('SerializationException', `${path === '' ? 'The input' : path} must be ${expected}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
