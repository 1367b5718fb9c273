import { type Item, itemSize, readItem } from '../attribute-value.ts';
import { CapacityMeter, projectedItem } from '../capacity.ts';
import { validationError } from '../dynamodb-error.ts';
import type { Condition, Path } from '../expressions/ast.ts';
import { project } from '../expressions/document-path.ts';
import { holds } from '../expressions/evaluate-condition.ts';
import { keyRange } from '../expressions/key-condition.ts';
import { parseCondition, parseProjection } from '../expressions/parser.ts';
import { Substitutions } from '../expressions/substitutions.ts';
import type { Placed } from '../item-storage.ts';
import { keyAttributes, keyOf, placeOf, readKey } from '../key-schema.ts';
import type { Table } from '../table.ts';
import type { TableIndex } from '../table-definition.ts';
import { assertOneOf, type EngineState, type ExpressionInput, refuseLegacyParameters, tableOf } from './request.ts';

/** A page of Query and Scan ends with the item that goes beyond. */
const PAGE_BYTES = 1024 * 1024;
const MAX_SEGMENTS = 1_000_000;

export interface GetInput extends ExpressionInput {
  Key?: Item;
  ConsistentRead?: boolean;
}

/** GetItem. */
export function getItem(state: EngineState, input: GetInput): Record<string, unknown> {
  const { table, item, projected } = readOne(state, input);
  const meter = new CapacityMeter();
  meter.read(table, item ? itemSize(item) : 0, input.ConsistentRead ? 1 : 0.5);
  const [ConsumedCapacity] = meter.report(input.ReturnConsumedCapacity) ?? [];
  return { ...(projected && { Item: projected }), ...(ConsumedCapacity && { ConsumedCapacity }) };
}

/** The item of a read by key. @throws DynamoDbError */
export function readOne(
  state: EngineState,
  input: GetInput,
): { table: Table; key: Item; item: Item | undefined; projected: Item | undefined } {
  refuseLegacyParameters(input);
  const table = tableOf(state, input.TableName);
  const paths = projectionOf(input);
  const key = readKey(readItem(input.Key ?? {}), table.key);
  const item = table.get(key);
  return { table, key, item, projected: item && (paths ? project(item, paths) : item) };
}

/** The paths of a projection whose request has no other expression. */
export function projectionOf(input: ExpressionInput): Path[] | undefined {
  const { ProjectionExpression: expression } = input;
  const substitutions = new Substitutions(input, expression !== undefined);
  const paths = expression === undefined ? undefined : parseProjection(expression, substitutions);
  substitutions.assertAllUsed();
  return paths;
}

export interface PageInput extends ExpressionInput {
  IndexName?: string;
  Select?: string;
  Limit?: number;
  ConsistentRead?: boolean;
  ExclusiveStartKey?: Item;
  ScanIndexForward?: boolean;
  Segment?: number;
  TotalSegments?: number;
}

/** Query. */
export function query(state: EngineState, input: PageInput): Record<string, unknown> {
  const request = readPageRequest(state, input);
  const { table, index, items, substitutions, start } = request;
  const { KeyConditionExpression: expression, ScanIndexForward = true } = input;
  if (expression === undefined) {
    throw validationError(
      'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
    );
  }
  const condition = parseCondition(expression, 'KeyConditionExpression', substitutions);
  const { partition, sort } = keyRange(condition, index?.key ?? table.key);
  const filter = readFilter(input, substitutions);
  if (filter) assertNoKeys(filter, index?.key ?? table.key);
  const paths = readProjection(input, substitutions);
  substitutions.assertAllUsed();
  const range = placeOf(
    { [(index?.key ?? table.key).partitionKey.name]: partition },
    {
      partitionKey: (index?.key ?? table.key).partitionKey,
    },
  );
  if (start && start.partition !== range?.partition)
    throw validationError('The provided starting key is outside query boundaries based on provided conditions');
  const found = items.query(range?.partition ?? '', sort, { backward: !ScanIndexForward, after: start });
  return page(request, input, found, filter, paths);
}

/** Scan. */
export function scan(state: EngineState, input: PageInput): Record<string, unknown> {
  const request = readPageRequest(state, input);
  const { items, substitutions, start } = request;
  const { Segment: segment, TotalSegments: totalSegments } = input;
  assertSegments(segment, totalSegments);
  const filter = readFilter(input, substitutions);
  const paths = readProjection(input, substitutions);
  substitutions.assertAllUsed();
  const found = items.scan({
    after: start,
    ...(segment !== undefined && totalSegments !== undefined && { segment, totalSegments }),
  });
  return page(request, input, found, filter, paths);
}

function readPageRequest(state: EngineState, input: PageInput) {
  refuseLegacyParameters(input);
  assertOneOf('select', input.Select, ['SPECIFIC_ATTRIBUTES', 'COUNT', 'ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES']);
  const table = tableOf(state, input.TableName);
  const found = table.index(input.IndexName);
  const index = found?.index;
  if (input.Limit !== undefined && !(input.Limit >= 1)) {
    throw validationError(
      `1 validation error detected: Value '${input.Limit}' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1`,
    );
  }
  if (index?.kind === 'global' && input.ConsistentRead) {
    throw validationError('Consistent reads are not supported on global secondary indexes');
  }
  assertSelect(input, index);
  const hasExpression = [input.KeyConditionExpression, input.FilterExpression, input.ProjectionExpression].some(
    (expression) => expression !== undefined,
  );
  return {
    table,
    index,
    items: found?.items ?? table.items,
    substitutions: new Substitutions(input, hasExpression),
    start: input.ExclusiveStartKey && startPlace(readItem(input.ExclusiveStartKey), table, index),
  };
}

function assertSelect({ Select, ProjectionExpression }: PageInput, index: TableIndex | undefined): void {
  if (Select === 'ALL_PROJECTED_ATTRIBUTES' && !index) {
    throw validationError('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
  if (Select === 'SPECIFIC_ATTRIBUTES' && ProjectionExpression === undefined) {
    throw validationError(
      'Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES',
    );
  }
  if (Select !== undefined && Select !== 'SPECIFIC_ATTRIBUTES' && ProjectionExpression !== undefined) {
    throw validationError(
      `Cannot specify the ProjectionExpression when choosing to get ${Select === 'COUNT' ? 'only the Count' : Select}`,
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
  return index ? placeOf(key, index.key, `${place.partition}\u0000${place.sort}`) : place;
}

function assertSegments(segment: number | undefined, totalSegments: number | undefined): void {
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
  if (!(totalSegments >= 1 && totalSegments <= MAX_SEGMENTS)) {
    throw validationError(
      `1 validation error detected: Value '${totalSegments}' at 'totalSegments' failed to satisfy constraint: Member must have value ${totalSegments < 1 ? 'greater than or equal to 1' : `less than or equal to ${MAX_SEGMENTS}`}`,
    );
  }
  if (!(segment >= 0 && segment < totalSegments)) {
    throw validationError(
      `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${segment} is not less than TotalSegments: ${totalSegments}`,
    );
  }
}

function readFilter(input: PageInput, substitutions: Substitutions): Condition | undefined {
  const { FilterExpression: expression } = input;
  return expression === undefined ? undefined : parseCondition(expression, 'FilterExpression', substitutions);
}

function readProjection(input: PageInput, substitutions: Substitutions): Path[] | undefined {
  const { ProjectionExpression: expression } = input;
  return expression === undefined ? undefined : parseProjection(expression, substitutions);
}

function assertNoKeys(filter: Condition, key: Table['key']): void {
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

/** Reads until the page is full, and filters what it has read: a filter makes a page smaller, not cheaper. */
function page(
  { table, index }: ReturnType<typeof readPageRequest>,
  { Limit = Number.POSITIVE_INFINITY, Select, ConsistentRead, ReturnConsumedCapacity }: PageInput,
  found: Iterable<Placed>,
  filter: Condition | undefined,
  paths: Path[] | undefined,
): Record<string, unknown> {
  const Items: Item[] = [];
  let ScannedCount = 0;
  let bytes = 0;
  let last: Item | undefined;
  for (const { item } of found) {
    // An index of the table itself can look up the rest of an item.
    const read = (index && projectedItem(item, index, table)) ?? item;
    const seen = index?.kind === 'local' && (Select === 'ALL_ATTRIBUTES' || paths) ? item : read;
    ScannedCount += 1;
    bytes += itemSize(read);
    if (!filter || holds(filter, seen)) Items.push(paths ? project(seen, paths) : seen);
    if (ScannedCount >= Limit || bytes >= PAGE_BYTES) {
      last = { ...(index && keyOf(item, index.key)), ...keyOf(item, table.key) };
      break;
    }
  }
  const meter = new CapacityMeter();
  meter.read(table, bytes, ConsistentRead ? 1 : 0.5, index);
  const [ConsumedCapacity] = meter.report(ReturnConsumedCapacity) ?? [];
  return {
    ...(Select !== 'COUNT' && { Items }),
    Count: Items.length,
    ScannedCount,
    ...(last && { LastEvaluatedKey: last }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
  };
}
