import { AwsError } from '../../core/aws-error.ts';

/** The input of an operation, as parsed from the request body. */
export type Input = Readonly<Record<string, unknown>>;

export interface TextConstraint {
  maximumLength?: number;
  pattern?: RegExp;
}

/**
 * A string parameter.
 * @throws AwsError ValidationException where it is missing or breaks its constraint, SerializationException for another type.
 */
export function requiredString(input: Input, name: string, constraint: TextConstraint = {}): string {
  const value = optionalString(input, name, constraint);
  if (value === undefined) throw violation(name, 'null', 'Member must not be null');
  return value;
}

/** A string parameter that may be missing. Throws as `requiredString` does. */
export function optionalString(input: Input, name: string, constraint: TextConstraint = {}): string | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new AwsError('SerializationException', `${name} must be a string`);
  const { maximumLength = Number.POSITIVE_INFINITY, pattern } = constraint;
  if (value.length < 1) throw violation(name, value, 'Member must have length greater than or equal to 1');
  if (value.length > maximumLength) {
    throw violation(name, value, `Member must have length less than or equal to ${maximumLength}`);
  }
  if (pattern && !pattern.test(value)) {
    throw violation(name, value, `Member must satisfy regular expression pattern: ${pattern.source}`);
  }
  return value;
}

/** A whole number that may be missing. Throws as `requiredString` does. */
export function optionalInteger(input: Input, name: string, minimum: number, maximum: number): number | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new AwsError('SerializationException', `${name} must be a whole number`);
  }
  if (value < minimum) throw violation(name, value, `Member must have value greater than or equal to ${minimum}`);
  if (value > maximum) throw violation(name, value, `Member must have value less than or equal to ${maximum}`);
  return value;
}

/**
 * A point in time that may be missing, in milliseconds since the epoch. The JSON protocol sends seconds; ISO 8601 text is
 * taken too. Throws SerializationException for anything else.
 */
export function optionalTime(input: Input, name: string): number | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  const time = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(new Date(time).getTime())) {
    throw new AwsError('SerializationException', `${name} must be a timestamp`);
  }
  return time;
}

/** A point in time, in milliseconds since the epoch. Throws as `optionalTime` does, or ValidationException without one. */
export function requiredTime(input: Input, name: string): number {
  const time = optionalTime(input, name);
  if (time === undefined) throw violation(name, 'null', 'Member must not be null');
  return time;
}

/** One of a few words, that may be missing. Throws as `requiredString` does. */
export function optionalChoice<Choice extends string>(
  input: Input,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = optionalString(input, name);
  if (value === undefined) return undefined;
  const known = choices.find((choice) => choice === value);
  if (known) return known;
  throw violation(name, value, `Member must satisfy enum value set: [${choices.join(', ')}]`);
}

/** A list parameter of at least one item. Throws as `requiredString` does. */
export function requiredList(input: Input, name: string, maximumLength: number): readonly unknown[] {
  const value = input[name] ?? undefined;
  if (value === undefined) throw violation(name, 'null', 'Member must not be null');
  if (!Array.isArray(value)) throw new AwsError('SerializationException', `${name} must be a list`);
  if (value.length < 1) throw violation(name, '[]', 'Member must have length greater than or equal to 1');
  if (value.length > maximumLength) {
    throw violation(name, '[...]', `Member must have length less than or equal to ${maximumLength}`);
  }
  return value;
}

/** A structure parameter that may be missing. Throws SerializationException for another type. */
export function optionalStructure(input: Input, name: string): Input | undefined {
  const value = input[name] ?? undefined;
  return value === undefined ? undefined : structure(value, name);
}

/** A value that must be a structure, e.g. one item of a list. Throws SerializationException for another type. */
export function structure(value: unknown, name: string): Input {
  if (!isStructure(value)) throw new AwsError('SerializationException', `${name} must be a structure`);
  return value;
}

function isStructure(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function violation(name: string, value: unknown, constraint: string): AwsError {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}
