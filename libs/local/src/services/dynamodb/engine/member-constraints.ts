import { type DynamoDbError, serializationError, validationError } from './dynamodb-error.ts';

/** What the API's model says of a member of a request. */
export interface MemberConstraint {
  required?: true;
  type?: 'string' | 'number' | 'boolean' | 'list' | 'structure';
  length?: readonly [minimum: number, maximum: number];
  /** Least and greatest value. */
  range?: readonly [minimum: number, maximum: number];
  pattern?: RegExp;
  values?: readonly string[];
  /** Of a list. */
  each?: MemberConstraint;
  /** Of a structure. */
  members?: MemberConstraints;
}

/** By the member's name. */
export type MemberConstraints = Readonly<Record<string, MemberConstraint>>;

const MAX_PROBLEMS = 10;

/**
 * Checks a request against the API's model. All problems are in one message, as AWS has it.
 * @throws DynamoDbError ValidationException or SerializationException
 * @example checkMembers(input, { TableName: { required: true, length: [3, 255] } });
 */
export function checkMembers(input: object, constraints: MemberConstraints): void {
  const problems: string[] = [];
  checkStructure(input, constraints, '', problems);
  if (problems.length > 0) throw problemsError(problems.slice(0, MAX_PROBLEMS));
}

/** @param problems each as `Value 'x' at 'y' failed to satisfy constraint: …` */
export function problemsError(problems: readonly string[]): DynamoDbError {
  const errors = problems.length === 1 ? 'error' : 'errors';
  return validationError(`${problems.length} validation ${errors} detected: ${problems.join('; ')}`);
}

/** @param value as `checkMembers` writes it; undefined for none */
export function problem(value: string | undefined, path: string, constraint: string): string {
  return `Value ${value === undefined ? '' : `${value} `}at '${path}' failed to satisfy constraint: ${constraint}`;
}

function checkStructure(input: object, constraints: MemberConstraints, parent: string, problems: string[]): void {
  for (const name in constraints) {
    const path = `${parent}${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const value = (input as Record<string, unknown>)[name];
    checkMember(value, constraints[name] as MemberConstraint, path, problems);
  }
}

function checkMember(value: unknown, constraint: MemberConstraint, path: string, problems: string[]): void {
  if (value === undefined || value === null) {
    if (constraint.required) problems.push(problem('null', path, 'Member must not be null'));
    return;
  }
  if (constraint.type) assertType(value, constraint.type);
  const { length, range, pattern, values, each, members } = constraint;
  const fail = (rule: string): void => void problems.push(problem(quoted(value), path, rule));
  if (length) {
    const size = (value as { length?: number }).length ?? Object.keys(value).length;
    if (size < length[0]) fail(`Member must have length greater than or equal to ${length[0]}`);
    else if (size > length[1]) fail(`Member must have length less than or equal to ${length[1]}`);
  }
  if (range && typeof value === 'number') {
    if (value < range[0]) fail(`Member must have value greater than or equal to ${range[0]}`);
    else if (value > range[1]) fail(`Member must have value less than or equal to ${range[1]}`);
  }
  if (pattern && value !== '' && !pattern.test(String(value))) {
    fail(`Member must satisfy regular expression pattern: ${pattern.source.replace(/^\^|\$$/g, '')}`);
  }
  if (values && !values.includes(String(value))) {
    fail(`Member must satisfy enum value set: [${values.join(', ')}]`);
  }
  if (each && Array.isArray(value)) {
    for (const [index, element] of value.entries()) checkMember(element, each, `${path}.${index + 1}.member`, problems);
  }
  if (members) checkStructure(value as object, members, `${path}.`, problems);
}

function assertType(value: unknown, type: NonNullable<MemberConstraint['type']>): void {
  const isList = Array.isArray(value);
  if (type === 'list') {
    if (isList) return;
    throw serializationError(
      typeof value === 'object' ? 'Start of structure or map found where not expected' : 'Unexpected field type',
    );
  }
  if (type === 'structure') {
    if (typeof value === 'object' && !isList) return;
    throw serializationError(isList ? 'Unrecognized collection type class java.util.Map' : 'Unexpected field type');
  }
  if (typeof value === type) return;
  const name = { string: 'String', number: 'Integer', boolean: 'Boolean' }[type];
  if (typeof value === 'object') {
    throw serializationError(
      isList
        ? `Unrecognized collection type class java.lang.${name}`
        : 'Start of structure or map found where not expected',
    );
  }
  if (type === 'boolean' && typeof value === 'string') {
    throw serializationError('Unexpected token received from parser');
  }
  const given = {
    string: 'STRING_VALUE',
    number: Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE',
    boolean: value ? 'TRUE_VALUE' : 'FALSE_VALUE',
  }[typeof value as 'string' | 'number' | 'boolean'];
  throw serializationError(`${given} cannot be converted to ${name}`);
}

function quoted(value: unknown): string {
  return `'${textOf(value)}'`;
}

/** About as Java writes it; AWS itself does not always write it the same way. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { AttributeName, KeyType } = value as Record<string, unknown>;
  if (KeyType !== undefined) return `KeySchemaElement(attributeName=${AttributeName}, keyType=${KeyType})`;
  return `{${Object.entries(value)
    .map(([name, member]) => `${name}=${textOf(member)}`)
    .join(', ')}}`;
}
