import { AwsError } from '../aws-error.ts';

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
