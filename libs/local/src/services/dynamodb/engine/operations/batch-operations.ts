import { type Item, itemSize, readItem } from '../attribute-value.ts';
import { CapacityMeter } from '../capacity.ts';
import { DynamoDbError, transactionConflict, validationError } from '../dynamodb-error.ts';
import { project } from '../expressions/document-path.ts';
import { readKey } from '../key-schema.ts';
import { executeWrite, type ItemWrite, isSameItem, readWrite } from './item-write.ts';
import { type GetInput, projectionOf } from './read-operations.ts';
import { type EngineState, type ExpressionInput, refuseLegacyParameters, tableOf } from './request.ts';

const MAX_GETS = 100;
const MAX_WRITES = 25;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

interface BatchGetInput {
  RequestItems?: Record<string, ExpressionInput & { Keys?: Item[]; ConsistentRead?: boolean }>;
  ReturnConsumedCapacity?: string;
}

/** BatchGetItem: what does not fit into an answer of 16 MB comes back as UnprocessedKeys. */
export function batchGetItem(
  state: EngineState,
  { RequestItems = {}, ReturnConsumedCapacity }: BatchGetInput,
): Record<string, unknown> {
  const requests = Object.entries(RequestItems);
  assertNotEmpty(requests.length);
  const count = requests.reduce((sum, [, { Keys = [] }]) => sum + Keys.length, 0);
  if (count > MAX_GETS) throw validationError('Too many items requested for the BatchGetItem call');
  const meter = new CapacityMeter();
  const Responses: Record<string, Item[]> = {};
  const UnprocessedKeys: NonNullable<BatchGetInput['RequestItems']> = {};
  const reads = requests.map(([name, request]) => {
    refuseLegacyParameters(request);
    const table = tableOf(state, name);
    const keys = (request.Keys ?? []).map((key) => readKey(readItem(key), table.key));
    if (keys.length === 0) assertNotEmpty(0);
    const places = new Set(keys.map((key) => JSON.stringify(table.placeOf(key))));
    if (places.size < keys.length) throw validationError('Provided list of item keys contains duplicates');
    return { name, request, table, keys, paths: projectionOf(request) };
  });
  let bytes = 0;
  for (const { name, request, table, keys, paths } of reads) {
    const answers: Item[] = [];
    Responses[name] = answers;
    for (const [index, key] of keys.entries()) {
      const item = table.get(key);
      const size = item ? itemSize(item) : 0;
      if (bytes + size > MAX_ANSWER_BYTES) {
        UnprocessedKeys[name] = { ...request, Keys: keys.slice(index) };
        break;
      }
      bytes += size;
      meter.read(table, size, request.ConsistentRead ? 1 : 0.5);
      if (item) answers.push(paths ? project(item, paths) : item);
    }
  }
  const ConsumedCapacity = meter.report(ReturnConsumedCapacity);
  return { Responses, UnprocessedKeys, ...(ConsumedCapacity && { ConsumedCapacity }) };
}

interface BatchWriteInput {
  RequestItems?: Record<string, { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]>;
  ReturnConsumedCapacity?: string;
}

/** BatchWriteItem: what a transaction holds comes back as UnprocessedItems. */
export function batchWriteItem(
  state: EngineState,
  { RequestItems = {}, ReturnConsumedCapacity }: BatchWriteInput,
): Record<string, unknown> {
  const requests = Object.entries(RequestItems).flatMap(([TableName, writes]) =>
    writes.map((request) => ({ TableName, request })),
  );
  assertNotEmpty(requests.length);
  if (requests.length > MAX_WRITES) throw validationError('Too many items requested for the BatchWriteItem call');
  const writes = requests.map(({ TableName, request }) => {
    const { PutRequest, DeleteRequest } = request;
    if ((PutRequest === undefined) === (DeleteRequest === undefined)) {
      throw validationError(
        'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
      );
    }
    const write = PutRequest
      ? readWrite(state, 'Put', { TableName, Item: PutRequest.Item })
      : readWrite(state, 'Delete', { TableName, Key: DeleteRequest?.Key ?? {} });
    return { TableName, request, write };
  });
  assertDistinct(writes.map(({ write }) => write));
  const meter = new CapacityMeter();
  const UnprocessedItems: NonNullable<BatchWriteInput['RequestItems']> = {};
  for (const { TableName, request, write } of writes) {
    try {
      const { before, after } = executeWrite(state, write);
      meter.write(write.table, before, after);
    } catch (error) {
      if (!(error instanceof DynamoDbError) || error.name !== transactionConflict().name) throw error;
      UnprocessedItems[TableName] = [...(UnprocessedItems[TableName] ?? []), request];
    }
  }
  const ConsumedCapacity = meter.report(ReturnConsumedCapacity);
  return { UnprocessedItems, ...(ConsumedCapacity && { ConsumedCapacity }) };
}

function assertDistinct(writes: readonly ItemWrite[]): void {
  writes.forEach((write, index) => {
    if (writes.slice(index + 1).some((other) => isSameItem(write, other))) {
      throw validationError('Provided list of item keys contains duplicates');
    }
  });
}

function assertNotEmpty(count: number): void {
  if (count > 0) return;
  throw validationError(
    "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1",
  );
}

export type { GetInput };
