import { type Item, itemSize, readItem } from '../attribute-value.ts';
import { CapacityMeter, readUnits } from '../capacity.ts';
import { DynamoDbError, throughputExceeded, transactionConflict, validationError } from '../dynamodb-error.ts';
import type { Path } from '../expressions/ast.ts';
import { project } from '../expressions/document-path.ts';
import { placeId, readKey } from '../key-schema.ts';
import type { LegacyInput } from '../legacy-parameters.ts';
import { checkMembers } from '../member-constraints.ts';
import type { Table } from '../table.ts';
import { collectionMetrics, executeWrite, haveDuplicates, type ItemWrite, readWrite } from './item-write.ts';
import { projectionOf } from './read-operations.ts';
import { checkTableRequest, type EngineState, type ExpressionInput, tableOf } from './request.ts';
import { capacityMembers } from './request-members.ts';

const MAX_GETS = 100;
const MAX_WRITES = 25;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const batchMembers = { ...capacityMembers, RequestItems: { type: 'structure' } } as const;

interface TableGets extends ExpressionInput, LegacyInput {
  Keys?: Item[];
  ConsistentRead?: boolean;
}

interface BatchGetInput {
  RequestItems?: Record<string, TableGets>;
  ReturnConsumedCapacity?: string;
}

interface TableReads {
  name: string;
  request: TableGets;
  table: Table;
  keys: Item[];
  paths: Path[] | undefined;
}

/** BatchGetItem: what does not fit into an answer of 16 MB, or is above the capacity, comes back as UnprocessedKeys. */
export function batchGetItem(state: EngineState, input: BatchGetInput): Record<string, unknown> {
  checkMembers(input, batchMembers);
  const reads = readGets(state, assertNotEmpty(input.RequestItems, 'BatchGetItem'));
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  const Responses: Record<string, Item[]> = {};
  const UnprocessedKeys: NonNullable<BatchGetInput['RequestItems']> = {};
  let bytes = 0;
  let refusal: unknown;
  for (const { name, request, table, keys, paths } of reads) {
    const answers: Item[] = [];
    const left: Item[] = [];
    const factor = request.ConsistentRead ? 1 : 0.5;
    for (const key of keys) {
      const { partition } = table.placeOf(key);
      const item = table.get(key);
      const size = item ? itemSize(item) : 0;
      refusal = refusalOf(() => state.throttle?.check('read', table, partition)) ?? refusal;
      if (left.length > 0 || bytes + size > MAX_ANSWER_BYTES || refusal) {
        left.push(key);
        continue;
      }
      bytes += size;
      meter.read(table, size, factor);
      state.throttle?.use('read', table, partition, readUnits(size, factor));
      if (item) answers.push(paths ? project(item, paths) : item);
    }
    Responses[name] = answers;
    if (left.length > 0) UnprocessedKeys[name] = { ...request, Keys: left };
  }
  const isNothingDone = reads.every(({ name, keys }) => UnprocessedKeys[name]?.Keys?.length === keys.length);
  if (refusal && isNothingDone) throw refusal;
  const ConsumedCapacity = meter.report();
  return { Responses, UnprocessedKeys, ...(ConsumedCapacity && { ConsumedCapacity }) };
}

function readGets(state: EngineState, requests: [string, TableGets][]): TableReads[] {
  for (const [name, { Keys = [] }] of requests) {
    if (Keys.length > 0 && Keys.length <= MAX_GETS) continue;
    throw validationError(
      Keys.length === 0
        ? `1 validation error detected: Value '[]' at 'requestItems.${name}.member.keys' failed to satisfy constraint: Member must have length greater than or equal to 1`
        : `1 validation error detected: Value at 'RequestItems.${name}.member.Keys' failed to satisfy constraint: Member must have length less than or equal to ${MAX_GETS}`,
    );
  }
  if (requests.reduce((sum, [, { Keys = [] }]) => sum + Keys.length, 0) > MAX_GETS) {
    throw validationError('Too many items requested for the BatchGetItem call');
  }
  return requests.map(([name, request]) => {
    checkTableRequest({ TableName: name }, {});
    const paths = projectionOf(request);
    const given = (request.Keys ?? []).map((key) => readItem(key));
    const table = tableOf(state, name);
    const keys = given.map((key) => readKey(key, table.key));
    const places = new Set(keys.map((key) => placeId(table.placeOf(key))));
    if (places.size < keys.length) throw validationError('Provided list of item keys contains duplicates');
    return { name, request, table, keys, paths };
  });
}

interface WriteRequest {
  PutRequest?: { Item?: Item };
  DeleteRequest?: { Key?: Item };
}

interface BatchWriteInput {
  RequestItems?: Record<string, WriteRequest[]>;
  ReturnConsumedCapacity?: string;
  ReturnItemCollectionMetrics?: string;
}

/** BatchWriteItem: what a transaction holds, or is above the capacity, comes back as UnprocessedItems. */
export function batchWriteItem(state: EngineState, input: BatchWriteInput): Record<string, unknown> {
  checkMembers(input, batchMembers);
  const requests = assertNotEmpty(input.RequestItems, 'BatchWriteItem');
  assertWriteCounts(requests);
  const writes = requests.flatMap(([TableName, each]) =>
    each.map((request) => ({ TableName, request, write: readRequest(state, TableName, request, input) })),
  );
  if (haveDuplicates(writes.map(({ write }) => write))) {
    throw validationError('Provided list of item keys contains duplicates');
  }
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  const UnprocessedItems: NonNullable<BatchWriteInput['RequestItems']> = {};
  const ItemCollectionMetrics: Record<string, object[]> = {};
  let refused = 0;
  let refusal: unknown;
  for (const { TableName, request, write } of writes) {
    const problem = refusalOf(() => {
      const { before, after } = executeWrite(state, write);
      meter.write(write.table, before, after);
    });
    if (problem) {
      refusal = problem;
      refused += 1;
      UnprocessedItems[TableName] = [...(UnprocessedItems[TableName] ?? []), request];
      continue;
    }
    const metrics = collectionMetrics(write);
    if (metrics) ItemCollectionMetrics[TableName] = [...(ItemCollectionMetrics[TableName] ?? []), metrics];
  }
  if (refused === writes.length && !isConflict(refusal)) throw refusal;
  const ConsumedCapacity = meter.report();
  return {
    UnprocessedItems,
    ...(Object.keys(ItemCollectionMetrics).length > 0 && { ItemCollectionMetrics }),
    ...(ConsumedCapacity && { ConsumedCapacity }),
  };
}

function readRequest(
  state: EngineState,
  TableName: string,
  { PutRequest, DeleteRequest }: WriteRequest,
  { ReturnItemCollectionMetrics }: BatchWriteInput,
): ItemWrite {
  if ((PutRequest === undefined) === (DeleteRequest === undefined)) {
    throw validationError(
      'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
    );
  }
  const metrics = ReturnItemCollectionMetrics ? { ReturnItemCollectionMetrics } : {};
  return PutRequest
    ? readWrite(state, 'Put', { TableName, Item: PutRequest.Item ?? {}, ...metrics })
    : readWrite(state, 'Delete', { TableName, Key: DeleteRequest?.Key ?? {}, ...metrics });
}

function assertWriteCounts(requests: [string, WriteRequest[]][]): void {
  for (const [name, writes] of requests) {
    if (writes.length >= 1 && writes.length <= MAX_WRITES) continue;
    const shown = writes.map((write) => JSON.stringify(write)).join(', ');
    throw validationError(
      `1 validation error detected: Value '{${name}=[${shown}]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to ${MAX_WRITES}, Member must have length greater than or equal to 1]`,
    );
  }
  if (requests.reduce((sum, [, writes]) => sum + writes.length, 0) > MAX_WRITES) {
    throw validationError('Too many items requested for the BatchWriteItem call');
  }
}

function assertNotEmpty<Request>(items: Record<string, Request> | undefined, operation: string): [string, Request][] {
  const requests = Object.entries(items ?? {});
  if (requests.length > 0) return requests;
  throw validationError(`The requestItems parameter is required for ${operation}`);
}

/** The error of what may be tried again. @throws any other error */
function refusalOf(run: () => void): DynamoDbError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof DynamoDbError && (isConflict(error) || isThrottled(error))) return error;
    throw error;
  }
}

function isConflict(error: unknown): boolean {
  return (error as Error | undefined)?.name === transactionConflict().name;
}

function isThrottled({ name }: Error): boolean {
  return name === throughputExceeded().name || name === 'ThrottlingException';
}
