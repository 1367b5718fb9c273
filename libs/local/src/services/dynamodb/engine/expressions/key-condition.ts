import { type AttributeValue, sortableKey, typeOf } from '../attribute-value.ts';
import { validationError } from '../dynamodb-error.ts';
import type { KeySchema } from '../key-schema.ts';
import type { Condition, Operand } from './ast.ts';

/** Bounds of sort keys, in their sortable form; without one there is no bound on that side. */
export interface SortRange {
  from?: string;
  to?: string;
  /** The sort key itself is not in the range. */
  excludeFrom?: boolean;
  excludeTo?: boolean;
}

/** The partition and the sort keys that a Query asks for. */
export interface KeyRange {
  partition: AttributeValue;
  sort: SortRange;
}

/**
 * Reads a key condition as a range of one partition.
 * @throws DynamoDbError ValidationException when it is not one
 */
export function keyRange(condition: Condition, { partitionKey, sortKey }: KeySchema): KeyRange {
  let partition: AttributeValue | undefined;
  let sort: SortRange | undefined;
  for (const part of conjuncts(condition)) {
    const name = keyOf(part);
    if (name === partitionKey.name) {
      if (partition) throw onePerKey();
      if (part.kind !== 'compare' || part.comparator !== '=') throw notSupported();
      partition = typed(comparedValue(part.left, part.right), partitionKey);
    } else if (sortKey && name === sortKey.name) {
      if (sort) throw onePerKey();
      sort = rangeOf(part, sortKey);
    } else if (partition || !sortKey) {
      throw validationError(
        `Query condition missed key schema element: ${partition ? sortKey?.name : partitionKey.name}`,
      );
    } else throw validationError(`Query condition missed key schema element: ${partitionKey.name}`);
  }
  if (!partition) throw validationError(`Query condition missed key schema element: ${partitionKey.name}`);
  return { partition, sort: sort ?? {} };
}

function conjuncts(condition: Condition): Condition[] {
  switch (condition.kind) {
    case 'and':
      return [...conjuncts(condition.left), ...conjuncts(condition.right)];
    case 'or':
      throw invalidOperator('OR');
    case 'not':
      throw invalidOperator('NOT');
    case 'in':
      throw invalidOperator('IN');
    case 'contains':
      throw invalidOperator('contains');
    case 'exists':
      throw invalidOperator(condition.expected ? 'attribute_exists' : 'attribute_not_exists');
    case 'type':
      throw invalidOperator('attribute_type');
    default:
      return [condition];
  }
}

function keyOf(condition: Condition): string {
  const operands =
    condition.kind === 'compare'
      ? [condition.left, condition.right]
      : condition.kind === 'between' || condition.kind === 'beginsWith'
        ? [condition.operand]
        : [];
  const path = operands.find((operand) => operand.kind === 'path')?.path;
  if (!path) throw notSupported();
  if (path.length > 1) {
    throw validationError(
      'Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes',
    );
  }
  return path[0];
}

type Key = KeySchema['partitionKey'];

function rangeOf(condition: Condition, key: Key): SortRange {
  switch (condition.kind) {
    case 'between':
      return { from: sortable(condition.from, key), to: sortable(condition.to, key) };
    case 'beginsWith': {
      const from = sortable(condition.argument, key);
      // Behind everything that begins so: no byte sorts behind this character.
      return { from, to: `${from}\u0100` };
    }
    case 'compare': {
      const flipped = condition.left.kind === 'value';
      const bound = sortableKey(typed(comparedValue(condition.left, condition.right), key));
      switch (flipped ? flip[condition.comparator] : condition.comparator) {
        case '=':
          return { from: bound, to: bound };
        case '<':
          return { to: bound, excludeTo: true };
        case '<=':
          return { to: bound };
        case '>':
          return { from: bound, excludeFrom: true };
        case '>=':
          return { from: bound };
        default:
          throw invalidOperator('<>');
      }
    }
    default:
      throw notSupported();
  }
}

const flip = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

function comparedValue(left: Operand, right: Operand): AttributeValue {
  const value = [left, right].find((operand) => operand.kind === 'value');
  if (value?.kind !== 'value') throw notSupported();
  return value.value;
}

function sortable(operand: Operand, key: Key): string {
  if (operand.kind !== 'value') throw notSupported();
  return sortableKey(typed(operand.value, key));
}

function typed(value: AttributeValue, { name, type }: Key): AttributeValue {
  if (typeOf(value) !== type) {
    throw validationError(
      'One or more parameter values were invalid: Condition parameter type does not match schema type',
    );
  }
  if (('S' in value && value.S === '') || ('B' in value && value.B === '')) {
    throw validationError(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${type === 'S' ? 'string' : 'binary'} value. Key: ${name}`,
    );
  }
  return value;
}

function onePerKey() {
  return validationError(
    'Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key',
  );
}

function notSupported() {
  return validationError('Query key condition not supported');
}

function invalidOperator(operator: string) {
  return validationError(
    `Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: ${operator}`,
  );
}
