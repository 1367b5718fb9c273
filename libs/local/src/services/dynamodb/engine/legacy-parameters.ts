import { type AttributeValue, readValue, typeOf } from './attribute-value.ts';
import { validationError } from './dynamodb-error.ts';
import type { Comparator, Condition, Operand, Path, Update } from './expressions/ast.ts';

/**
 * The parameters from before there were expressions, as what an expression would say.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
 */
export interface LegacyInput {
  AttributesToGet?: string[];
  AttributeUpdates?: Record<string, { Action?: string; Value?: unknown }>;
  ConditionalOperator?: string;
  Expected?: Record<string, LegacyCondition & { Value?: unknown; Exists?: boolean }>;
  KeyConditions?: Record<string, LegacyCondition>;
  QueryFilter?: Record<string, LegacyCondition>;
  ScanFilter?: Record<string, LegacyCondition>;
}

interface LegacyCondition {
  ComparisonOperator?: string;
  AttributeValueList?: unknown[];
}

const expressionParameters = [
  'ConditionExpression',
  'FilterExpression',
  'KeyConditionExpression',
  'ProjectionExpression',
  'UpdateExpression',
];
const legacyParameters = [
  'AttributesToGet',
  'AttributeUpdates',
  'ConditionalOperator',
  'Expected',
  'KeyConditions',
  'QueryFilter',
  'ScanFilter',
];

/** @throws DynamoDbError ValidationException for a request with parameters of both kinds */
export function assertNotMixed(input: object): void {
  const given = (names: readonly string[]): string[] =>
    names.filter((name) => (input as Record<string, unknown>)[name] !== undefined);
  const legacy = given(legacyParameters);
  if (legacy.length === 0) return;
  const expressions = given(expressionParameters);
  if (expressions.length === 0) return;
  throw validationError(
    `Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {${legacy.join(', ')}} Expression parameters: {${expressions.join(', ')}}`,
  );
}

/** AttributesToGet. */
export function legacyProjection({ AttributesToGet: names }: LegacyInput): Path[] | undefined {
  if (!names) return undefined;
  if (new Set(names).size < names.length) {
    const twice = names.find((name, index) => names.indexOf(name) < index);
    throw validationError(`One or more parameter values were invalid: Duplicate value in attribute name: ${twice}`);
  }
  return names.map((name) => [name]);
}

/** Expected, QueryFilter, ScanFilter or KeyConditions, joined by ConditionalOperator. */
export function legacyCondition(
  conditions: LegacyInput['Expected'] | undefined,
  operator: string | undefined,
): Condition | undefined {
  if (!conditions) {
    if (operator === undefined) return undefined;
    throw validationError(
      'One or more parameter values were invalid: ConditionalOperator cannot be used without Filter or Expected',
    );
  }
  const all = Object.entries(conditions).map(([name, condition]) => conditionOn(name, condition));
  return all.reduce<Condition | undefined>(
    (left, right) => (left ? { kind: operator === 'OR' ? 'or' : 'and', left, right } : right),
    undefined,
  );
}

function conditionOn(
  name: string,
  {
    Value,
    Exists,
    ComparisonOperator,
    AttributeValueList = [],
  }: LegacyCondition & { Value?: unknown; Exists?: boolean },
): Condition {
  const path: Path = [name];
  if (ComparisonOperator !== undefined) {
    const values = Value === undefined ? AttributeValueList : [Value];
    return compared(
      path,
      ComparisonOperator,
      values.map((value) => readValue(value)),
    );
  }
  if (Exists === false) {
    if (Value === undefined) return { kind: 'exists', path, expected: false };
    throw validationError(
      `One or more parameter values were invalid: Value cannot be used when Exists is false for Attribute: ${name}`,
    );
  }
  if (Value === undefined) {
    throw validationError(
      `One or more parameter values were invalid: Value must be provided when Exists is ${Exists ?? 'null'} for Attribute: ${name}`,
    );
  }
  return { kind: 'compare', comparator: '=', left: { kind: 'path', path }, right: literal(readValue(Value)) };
}

const comparators: Readonly<Record<string, Comparator>> = { EQ: '=', NE: '<>', LE: '<=', LT: '<', GE: '>=', GT: '>' };

function compared(path: Path, operator: string, values: readonly AttributeValue[]): Condition {
  const operand: Operand = { kind: 'path', path };
  const [first, second] = values;
  assertCount(operator, values.length);
  const argument = literal(first ?? { NULL: true });
  const comparator = comparators[operator];
  if (comparator) return { kind: 'compare', comparator, left: operand, right: argument };
  switch (operator) {
    case 'NULL':
    case 'NOT_NULL':
      return { kind: 'exists', path, expected: operator === 'NOT_NULL' };
    case 'CONTAINS':
      return { kind: 'contains', operand, argument };
    case 'NOT_CONTAINS':
      return {
        kind: 'and',
        left: { kind: 'exists', path, expected: true },
        right: { kind: 'not', condition: { kind: 'contains', operand, argument } },
      };
    case 'BEGINS_WITH':
      return { kind: 'beginsWith', operand, argument };
    case 'IN':
      return { kind: 'in', operand, candidates: values.map(literal) };
    default:
      return { kind: 'between', operand, from: argument, to: literal(second ?? { NULL: true }) };
  }
}

function assertCount(operator: string, count: number): void {
  const expected =
    operator === 'NULL' || operator === 'NOT_NULL' ? 0 : operator === 'BETWEEN' ? 2 : operator === 'IN' ? undefined : 1;
  const known = [
    ...Object.keys(comparators),
    'NULL',
    'NOT_NULL',
    'CONTAINS',
    'NOT_CONTAINS',
    'BEGINS_WITH',
    'IN',
    'BETWEEN',
  ];
  if (!known.includes(operator)) {
    throw validationError(
      `1 validation error detected: Value '${operator}' at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]`,
    );
  }
  if (expected === undefined ? count > 0 : count === expected) return;
  throw validationError(
    `One or more parameter values were invalid: Invalid number of argument(s) for the ${operator} ComparisonOperator`,
  );
}

/** AttributeUpdates. */
export function legacyUpdate({ AttributeUpdates: updates }: LegacyInput): Update | undefined {
  if (!updates) return undefined;
  const update = { set: [], remove: [], add: [], delete: [] } as {
    -readonly [Section in keyof Update]: Update[Section][number][];
  };
  for (const [name, { Action = 'PUT', Value }] of Object.entries(updates)) {
    const path: Path = [name];
    const value = Value === undefined ? undefined : readValue(Value);
    if (Action === 'DELETE') {
      if (!value) update.remove.push(path);
      else update.delete.push({ path, value: allowed(value, Action, ['SS', 'NS', 'BS']) });
    } else if (!value) {
      throw validationError(
        `One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified`,
      );
    } else if (Action === 'ADD') {
      update.add.push({ path, value: allowed(value, Action, ['N', 'SS', 'NS', 'BS']) });
    } else update.set.push({ path, value: literal(value) });
  }
  return update;
}

function allowed(value: AttributeValue, action: string, types: readonly string[]): AttributeValue {
  if (types.includes(typeOf(value))) return value;
  throw validationError(
    `One or more parameter values were invalid: ${action} action is not supported for the type ${typeOf(value)}`,
  );
}

function literal(value: AttributeValue): { kind: 'value'; value: AttributeValue } {
  return { kind: 'value', value };
}
