import { type Item, itemSize, readItem } from '../attribute-value.ts';
import { CapacityMeter, projectedItem, readUnits } from '../capacity.ts';
import { validationError } from '../dynamodb-error.ts';
import type { Condition, Path } from '../expressions/ast.ts';
import { project } from '../expressions/document-path.ts';
import { holds } from '../expressions/evaluate-condition.ts';
import { keyRange, type SortRange } from '../expressions/key-condition.ts';
import { parseCondition, parseProjection } from '../expressions/parser.ts';
import { Substitutions } from '../expressions/substitutions.ts';
import { type Placed, segmentOf } from '../item-storage.ts';
import { keyOf, placeOf, readKey } from '../key-schema.ts';
import { assertNotMixed, type LegacyInput, legacyCondition, legacyProjection } from '../legacy-parameters.ts';
import type { Table } from '../table.ts';
import {
  assertNoKeys,
  assertProjectable,
  assertSegments,
  type PageInput,
  type PageRequest,
  queryExpressions,
  readFilter,
  readPageRequest,
  readProjection,
  scanExpressions,
} from './page-request.ts';
import { checkTableRequest, type EngineState, type ExpressionInput, tableOf } from './request.ts';
import { readMembers } from './request-members.ts';

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
