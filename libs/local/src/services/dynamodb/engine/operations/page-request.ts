import { type Item, readItem } from '../attribute-value.ts';
import { validationError } from '../dynamodb-error.ts';
import type { Condition, Path } from '../expressions/ast.ts';
import { parseCondition, parseProjection } from '../expressions/parser.ts';
import { Substitutions } from '../expressions/substitutions.ts';
import type { ItemStorage } from '../item-storage.ts';
import { keyAttributes, type Place, placeId, placeOf } from '../key-schema.ts';
import { assertNotMixed, type LegacyInput, legacyCondition, legacyProjection } from '../legacy-parameters.ts';
import type { Table } from '../table.ts';
import type { TableIndex } from '../table-definition.ts';
import { checkTableRequest, type EngineState, type ExpressionInput, tableOf } from './request.ts';
import { pageMembers } from './request-members.ts';

/** The members of a request that may refer to names and values. */
export const queryExpressions = ['ProjectionExpression', 'FilterExpression', 'KeyConditionExpression'];
export const scanExpressions = ['ProjectionExpression', 'FilterExpression'];

/** The input of Query or Scan. */
export interface PageInput extends ExpressionInput, LegacyInput {
  IndexName?: string;
  Select?: string;
  Limit?: number;
  ConsistentRead?: boolean;
  ExclusiveStartKey?: Item;
  ScanIndexForward?: boolean;
  Segment?: number;
  TotalSegments?: number;
}

/** A Query or Scan that has been read. */
export interface PageRequest {
  table: Table;
  index: TableIndex | undefined;
  items: ItemStorage;
  substitutions: Substitutions;
  /** Where ExclusiveStartKey is. @throws DynamoDbError ValidationException when the key is not one of the table and the index */
  start: () => Place | undefined;
}

/** Reads what Query and Scan have in common. @throws DynamoDbError */
export function readPageRequest(state: EngineState, input: PageInput, expressions: readonly string[]): PageRequest {
  checkTableRequest(input, pageMembers);
  if (input.Limit !== undefined && !(input.Limit >= 1)) {
    // AWS writes it in two ways.
    const value = expressions === queryExpressions ? "Value at 'Limit'" : `Value '${input.Limit}' at 'limit'`;
    throw validationError(
      `1 validation error detected: ${value} failed to satisfy constraint: Member must have value greater than or equal to 1`,
    );
  }
  assertNotMixed(input);
  const substitutions = new Substitutions(input, expressions);
  const table = tableOf(state, input.TableName);
  const found = table.index(input.IndexName);
  const index = found?.index;
  if (index?.kind === 'global' && input.ConsistentRead) {
    throw validationError('Consistent reads are not supported on global secondary indexes');
  }
  assertSelect(input, index);
  const { ExclusiveStartKey: key } = input;
  return {
    table,
    index,
    items: found?.items ?? table.items,
    substitutions,
    start: () => (key === undefined ? undefined : startPlace(readItem(key), table, index)),
  };
}

/** @throws DynamoDbError ValidationException for attributes that a global index does not have */
export function assertProjectable(
  paths: Path[] | undefined,
  { Select }: PageInput,
  index: TableIndex | undefined,
  table: Table,
): void {
  if (!paths || Select === 'COUNT' || index?.kind !== 'global' || index.projection.type === 'ALL') return;
  const projected = new Set([
    ...[...keyAttributes(table.key), ...keyAttributes(index.key)].map(({ name }) => name),
    ...index.projection.include,
  ]);
  const missing = [...new Set(paths.map(([name]) => name))].filter((name) => !projected.has(name));
  if (missing.length === 0) return;
  throw validationError(
    `One or more parameter values were invalid: Global secondary index ${index.name} does not project [${missing.join(', ')}]`,
  );
}

function assertSelect({ Select, ...input }: PageInput, index: TableIndex | undefined): void {
  const projection = ['ProjectionExpression', 'AttributesToGet'].find(
    (member) => (input as Record<string, unknown>)[member] !== undefined,
  );
  if (Select === 'ALL_PROJECTED_ATTRIBUTES' && !index) {
    throw validationError('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
  if (Select === 'SPECIFIC_ATTRIBUTES' && projection === undefined) {
    throw validationError(
      'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES',
    );
  }
  if (Select !== undefined && Select !== 'SPECIFIC_ATTRIBUTES' && projection !== undefined) {
    throw validationError(
      `Cannot specify the ${projection} when choosing to get ${Select === 'COUNT' ? 'only the Count' : Select}`,
    );
  }
  if (Select === 'ALL_ATTRIBUTES' && index?.kind === 'global' && index.projection.type !== 'ALL') {
    throw validationError(
      `One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  }
}

/** @throws DynamoDbError ValidationException when the key is not that of an item of the table and the index */
function startPlace(key: Item, table: Table, index: TableIndex | undefined) {
  const wanted = new Map(
    [...keyAttributes(table.key), ...(index ? keyAttributes(index.key) : [])].map((attribute) => [
      attribute.name,
      attribute,
    ]),
  );
  const fits =
    Object.keys(key).length === wanted.size &&
    [...wanted.values()].every(({ name, type }) => Object.hasOwn(key, name) && Object.hasOwn(key[name] ?? {}, type));
  if (!fits) throw validationError('The provided starting key is invalid');
  const place = table.placeOf(key);
  return index ? placeOf(key, index.key, placeId(place)) : place;
}

/** @throws DynamoDbError ValidationException */
export function assertSegments({ Segment: segment, TotalSegments: totalSegments }: PageInput): void {
  if (totalSegments === undefined && segment === undefined) return;
  if (totalSegments === undefined) {
    throw validationError(
      'The TotalSegments parameter is required but was not present in the request when Segment parameter is present',
    );
  }
  if (segment === undefined) {
    throw validationError(
      'The Segment parameter is required but was not present in the request when parameter TotalSegments is present',
    );
  }
  if (segment >= totalSegments && totalSegments >= 1) {
    throw validationError(
      `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${segment} is not less than TotalSegments: ${totalSegments}`,
    );
  }
}

/** The filter, as an expression or in the parameters from before. @throws DynamoDbError ValidationException */
export function readFilter(
  { FilterExpression: expression, ConditionalOperator }: PageInput,
  legacy: LegacyInput['QueryFilter'],
  substitutions: Substitutions,
): Condition | undefined {
  return expression === undefined
    ? legacyCondition(legacy, ConditionalOperator)
    : parseCondition(expression, 'FilterExpression', substitutions);
}

/** The paths that are asked for; undefined for all. @throws DynamoDbError ValidationException */
export function readProjection(input: PageInput, substitutions: Substitutions): Path[] | undefined {
  const { ProjectionExpression: expression } = input;
  return expression === undefined ? legacyProjection(input) : parseProjection(expression, substitutions);
}

/** @throws DynamoDbError ValidationException for a filter that has keys in it */
export function assertNoKeys(filter: Condition, key: Table['key']): void {
  const names = new Set(keyAttributes(key).map(({ name }) => name));
  const key_ = pathsIn(filter).find(([name]) => names.has(name));
  if (!key_) return;
  throw validationError(
    `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${key_[0]}`,
  );
}

function pathsIn(condition: Condition): Path[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return [...pathsIn(condition.left), ...pathsIn(condition.right)];
    case 'not':
      return pathsIn(condition.condition);
    case 'exists':
    case 'type':
      return [condition.path];
    default: {
      const operands =
        condition.kind === 'compare'
          ? [condition.left, condition.right]
          : condition.kind === 'between'
            ? [condition.operand, condition.from, condition.to]
            : condition.kind === 'in'
              ? [condition.operand, ...condition.candidates]
              : [condition.operand, condition.argument];
      return operands.flatMap((operand) => (operand.kind === 'value' ? [] : [operand.path]));
    }
  }
}
