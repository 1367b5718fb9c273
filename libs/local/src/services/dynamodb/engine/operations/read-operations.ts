import { type Item, itemSize, readItem } from '../attribute-value.ts';
import { CapacityMeter, projectedItem, readUnits } from '../capacity.ts';
import { validationError } from '../dynamodb-error.ts';
import type { Condition, Path } from '../expressions/ast.ts';
import { project } from '../expressions/document-path.ts';
import { holds } from '../expressions/evaluate-condition.ts';
import { keyRange, type SortRange } from '../expressions/key-condition.ts';
import { parseCondition, parseProjection } from '../expressions/parser.ts';
import { Substitutions } from '../expressions/substitutions.ts';
import { type ItemStorage, type Placed, segmentOf } from '../item-storage.ts';
import { keyAttributes, keyOf, type Place, placeId, placeOf, readKey } from '../key-schema.ts';
import { assertNotMixed, type LegacyInput, legacyCondition, legacyProjection } from '../legacy-parameters.ts';
import type { Table } from '../table.ts';
import type { TableIndex } from '../table-definition.ts';
import { checkTableRequest, type EngineState, type ExpressionInput, tableOf } from './request.ts';
import { pageMembers, readMembers } from './request-members.ts';

/** A page of Query and Scan ends with the item that goes beyond. */
const PAGE_BYTES = 1024 * 1024;

export interface GetInput extends ExpressionInput, LegacyInput {
  Key?: Item;
  ConsistentRead?: boolean;
}

/** GetItem. */
export function getItem(state: EngineState, input: GetInput): Record<string, unknown> {
  const { table, key, item, projected } = readOne(state, input);
  const { partition } = table.placeOf(key);
  state.throttle?.check('read', table, partition);
  const bytes = item ? itemSize(item) : 0;
  const factor = input.ConsistentRead ? 1 : 0.5;
  state.throttle?.use('read', table, partition, readUnits(bytes, factor));
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  meter.read(table, bytes, factor);
  const [ConsumedCapacity] = meter.report() ?? [];
  return { ...(projected && { Item: projected }), ...(ConsumedCapacity && { ConsumedCapacity }) };
}

/** The item of a read by key. @throws DynamoDbError */
export function readOne(
  state: EngineState,
  input: GetInput,
): { table: Table; key: Item; item: Item | undefined; projected: Item | undefined } {
  checkTableRequest(input, readMembers);
  const paths = projectionOf(input);
  const table = tableOf(state, input.TableName);
  const key = readKey(readItem(input.Key ?? {}), table.key);
  const item = table.get(key);
  return { table, key, item, projected: item && (paths ? project(item, paths) : item) };
}

/** The paths of a projection whose request has no other expression. */
export function projectionOf(input: ExpressionInput & LegacyInput): Path[] | undefined {
  assertNotMixed(input);
  const { ProjectionExpression: expression } = input;
  const substitutions = new Substitutions(input, ['ProjectionExpression']);
  const paths = expression === undefined ? legacyProjection(input) : parseProjection(expression, substitutions);
  substitutions.assertAllUsed();
  return paths;
}

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

/** Query. */
export function query(state: EngineState, input: PageInput): Record<string, unknown> {
  const request = readPageRequest(state, input, queryExpressions);
  const { table, index, items, substitutions } = request;
  const { KeyConditionExpression: expression, ScanIndexForward = true } = input;
  const key = index?.key ?? table.key;
  const condition =
    expression === undefined
      ? legacyCondition(input.KeyConditions, undefined)
      : parseCondition(expression, 'KeyConditionExpression', substitutions);
  if (!condition) {
    throw validationError(
      'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
    );
  }
  const { partition, sort } = keyRange(condition, key);
  const filter = readFilter(input, input.QueryFilter, substitutions);
  if (filter) assertNoKeys(filter, key);
  const paths = readProjection(input, substitutions);
  substitutions.assertAllUsed();
  assertProjectable(paths, input, index, table);
  const start = request.start();
  const { partitionKey } = key;
  const place = placeOf({ [partitionKey.name]: partition }, { partitionKey });
  if (start && (start.partition !== place?.partition || !isInRange(start.sort, sort))) {
    throw validationError('The provided starting key is outside query boundaries based on provided conditions');
  }
  state.throttle?.check('read', table, place?.partition ?? '');
  const found = items.query(place?.partition ?? '', sort, { backward: !ScanIndexForward, after: start });
  const { units, answer } = page(request, input, found, filter, paths);
  state.throttle?.use('read', table, place?.partition ?? '', units);
  return answer;
}

const queryExpressions = ['ProjectionExpression', 'FilterExpression', 'KeyConditionExpression'];
const scanExpressions = ['ProjectionExpression', 'FilterExpression'];

function isInRange(sort: string, { from, to, excludeFrom, excludeTo }: SortRange): boolean {
  if (from !== undefined && (sort < from || (excludeFrom && sort === from))) return false;
  return to === undefined || sort < to || (sort === to && !excludeTo);
}

/** Scan. */
export function scan(state: EngineState, input: PageInput): Record<string, unknown> {
  assertSegments(input);
  const request = readPageRequest(state, input, scanExpressions);
  const { table, index, items, substitutions } = request;
  const { Segment: segment = 0, TotalSegments: totalSegments = 1 } = input;
  const filter = readFilter(input, input.ScanFilter, substitutions);
  const paths = readProjection(input, substitutions);
  substitutions.assertAllUsed();
  assertProjectable(paths, input, index, table);
  const start = request.start();
  if (start && segmentOf(start.partition, totalSegments) !== segment) {
    throw validationError(
      'The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. ' +
        `TotalSegments: ${totalSegments} Segment: ${segment}`,
    );
  }
  state.throttle?.check('read', table, `segment ${segment}`);
  const found = items.scan({ after: start, segment, totalSegments });
  const { units, answer } = page(request, input, found, filter, paths);
  state.throttle?.use('read', table, `segment ${segment}`, units);
  return answer;
}

interface PageRequest {
  table: Table;
  index: TableIndex | undefined;
  items: ItemStorage;
  substitutions: Substitutions;
  /** Where ExclusiveStartKey is. @throws DynamoDbError ValidationException when the key is not one of the table and the index */
  start: () => Place | undefined;
}

function readPageRequest(state: EngineState, input: PageInput, expressions: readonly string[]): PageRequest {
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
function assertProjectable(
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

function assertSegments({ Segment: segment, TotalSegments: totalSegments }: PageInput): void {
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

function readFilter(
  { FilterExpression: expression, ConditionalOperator }: PageInput,
  legacy: LegacyInput['QueryFilter'],
  substitutions: Substitutions,
): Condition | undefined {
  return expression === undefined
    ? legacyCondition(legacy, ConditionalOperator)
    : parseCondition(expression, 'FilterExpression', substitutions);
}

function readProjection(input: PageInput, substitutions: Substitutions): Path[] | undefined {
  const { ProjectionExpression: expression } = input;
  return expression === undefined ? legacyProjection(input) : parseProjection(expression, substitutions);
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
  { table, index }: PageRequest,
  { Limit = Number.POSITIVE_INFINITY, Select, ConsistentRead, ReturnConsumedCapacity }: PageInput,
  found: Iterable<Placed>,
  filter: Condition | undefined,
  paths: Path[] | undefined,
): { units: number; answer: Record<string, unknown> } {
  const Items: Item[] = [];
  let ScannedCount = 0;
  let bytes = 0;
  let fetched = 0;
  let last: Item | undefined;
  const factor = ConsistentRead ? 1 : 0.5;
  for (const { item } of found) {
    const read = (index && projectedItem(item, index, table)) ?? item;
    // A local index can look up the rest of an item in its table, which costs a read of its own.
    const isFetched =
      read !== item && index?.kind === 'local' && (Select === 'ALL_ATTRIBUTES' || isBeyond(paths, read, item));
    const seen = isFetched ? item : read;
    if (isFetched) fetched += readUnits(itemSize(item), factor);
    ScannedCount += 1;
    bytes += itemSize(read);
    if (!filter || holds(filter, seen)) Items.push(paths ? project(seen, paths) : seen);
    if (ScannedCount >= Limit || bytes >= PAGE_BYTES) {
      last = { ...(index && keyOf(item, index.key)), ...keyOf(item, table.key) };
      break;
    }
  }
  const meter = new CapacityMeter(ReturnConsumedCapacity);
  meter.read(table, bytes, factor, index);
  if (fetched > 0) meter.add(table, fetched);
  const [ConsumedCapacity] = meter.report() ?? [];
  const answer = {
    ...(Select !== 'COUNT' && { Items }),
    Count: Items.length,
    ScannedCount,
    ...(last && { LastEvaluatedKey: last }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
  };
  return { units: readUnits(bytes, factor) + fetched, answer };
}

/** Whether a projection wants attributes of an item that its index does not have. */
function isBeyond(paths: Path[] | undefined, projected: Item, item: Item): boolean {
  return paths?.some(([name]) => Object.hasOwn(item, name) && !Object.hasOwn(projected, name)) ?? false;
}
