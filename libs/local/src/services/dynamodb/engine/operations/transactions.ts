import { createHash } from 'node:crypto';
import { type Item, itemSize, readItem } from '../attribute-value.ts';
import { CapacityMeter, readUnits, writeUnits } from '../capacity.ts';
import {
  type CancellationReason,
  DynamoDbError,
  TRANSACTION_CONFLICT,
  transactionCanceled,
  validationError,
} from '../dynamodb-error.ts';
import { project } from '../expressions/document-path.ts';
import { placeId, readKey } from '../key-schema.ts';
import { checkMembers } from '../member-constraints.ts';
import type { Table } from '../table.ts';
import {
  collectionMetrics,
  haveDuplicates,
  type ItemOutcome,
  type ItemWrite,
  outcomeOf,
  readWrite,
  type WriteKind,
} from './item-write.ts';
import { type GetInput, projectionOf } from './read-operations.ts';
import { checkTableRequest, type EngineState, tableOf, type WriteInput } from './request.ts';
import { capacityMembers, readMembers } from './request-members.ts';

const MAX_ACTIONS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const actionsMember = { type: 'list', required: true, length: [1, MAX_ACTIONS] } as const;
const writeMembers = {
  ...capacityMembers,
  TransactItems: actionsMember,
  ClientRequestToken: { type: 'string', length: [1, 36] },
} as const;
const getMembers = { ...capacityMembers, TransactItems: actionsMember } as const;

export interface TransactWriteInput {
  TransactItems?: Partial<Record<WriteKind, WriteInput>>[];
  ClientRequestToken?: string;
  ReturnConsumedCapacity?: string;
  ReturnItemCollectionMetrics?: string;
}

/** A transaction that has begun: its items are held until it ends. */
export interface OpenTransaction {
  /** Writes, and ends it. */
  commit(): Record<string, unknown>;
  /** Ends it without having written. */
  abandon(): void;
}

/**
 * Begins TransactWriteItems: checks every action and holds the items. Whether the conditions hold is decided now. As
 * other writes to the items are refused until then, it is still true when the transaction commits.
 * @throws DynamoDbError TransactionCanceledException with a reason for each action, and others
 */
export function beginTransaction(state: EngineState, input: TransactWriteInput): OpenTransaction {
  checkMembers(input, writeMembers);
  const { TransactItems: actions = [], ClientRequestToken: token, ReturnConsumedCapacity: wish } = input;
  const writes = actions.map((action, index) => readAction(state, action, index, input.ReturnItemCollectionMetrics));
  if (haveDuplicates(writes)) throw severalOnOne();
  const { tokens } = state;
  const digest = token === undefined ? '' : createHash('sha256').update(JSON.stringify(actions)).digest('base64');
  if (token !== undefined && tokens.isRepeated(token, digest)) return repeated(writes, wish);

  const outcomes = decide(state, writes);
  const end = state.transactions.hold(writes.map(({ table, key }) => ({ table, place: table.placeOf(key) })));
  if (token !== undefined) tokens.begin(token, digest);
  return {
    commit() {
      end();
      // A table may be gone since, when the transaction was held open.
      for (const { table } of writes) tableOf(state, table.name);
      const meter = new CapacityMeter(wish);
      for (const [index, { table, key, kind }] of writes.entries()) {
        const { before, after } = outcomes[index] as ItemOutcome;
        meter.write(table, before, after, 2);
        state.throttle?.use('write', table, table.placeOf(key).partition, writeUnits(before, after, 2));
        if (kind !== 'ConditionCheck') table.write(key, after);
      }
      if (token !== undefined) tokens.complete(token);
      return { ...reported(meter, 'Write'), ...collections(writes) };
    },
    abandon() {
      end();
      if (token !== undefined) tokens.abandon(token);
    },
  };
}

function readAction(
  state: EngineState,
  action: Partial<Record<WriteKind, WriteInput>>,
  index: number,
  ReturnItemCollectionMetrics: string | undefined,
): ItemWrite {
  const [entry, other] = Object.entries(action ?? {}).filter(([, input]) => input !== undefined && input !== null);
  const kind = entry?.[0] as WriteKind | undefined;
  if (!entry || other || !kind || !['Put', 'Update', 'Delete', 'ConditionCheck'].includes(kind)) {
    throw validationError('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  const input = entry[1] as WriteInput;
  const write = readWrite(
    state,
    kind,
    ReturnItemCollectionMetrics ? { ...input, ReturnItemCollectionMetrics } : input,
    true,
  );
  const missing =
    kind === 'ConditionCheck' ? 'ConditionExpression' : kind === 'Update' ? 'UpdateExpression' : undefined;
  if (missing && input[missing] === undefined) {
    const place = `transactItems.${index + 1}.member.${kind.charAt(0).toLowerCase()}${kind.slice(1)}`;
    throw validationError(
      `1 validation error detected: Value null at '${place}.${missing.charAt(0).toLowerCase()}${missing.slice(1)}' failed to satisfy constraint: Member must not be null`,
    );
  }
  return write;
}

function decide(state: EngineState, writes: readonly ItemWrite[]): ItemOutcome[] {
  const outcomes: ItemOutcome[] = [];
  const reasons = writes.map((write): CancellationReason => {
    const { table, key, problem } = write;
    if (problem) return reasonOf(problem);
    const place = table.placeOf(key);
    if (state.transactions.holds({ table, place })) return conflict();
    try {
      state.throttle?.check('write', table, place.partition);
      outcomes.push(outcomeOf(write));
      return { Code: 'None' };
    } catch (error) {
      return reasonOf(error);
    }
  });
  assertAllGood(reasons);
  assertSize(outcomes.map(({ after }) => after));
  return outcomes;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors */
function reasonOf(error: unknown): CancellationReason {
  if (!(error instanceof DynamoDbError)) throw error;
  const { name, message: Message, members } = error;
  const codes: Readonly<Record<string, string>> = {
    ConditionalCheckFailedException: 'ConditionalCheckFailed',
    ProvisionedThroughputExceededException: 'ProvisionedThroughputExceeded',
    ThrottlingException: 'ThrottlingError',
  };
  return { Code: codes[name] ?? 'ValidationError', Message, ...members };
}

function conflict(): CancellationReason {
  return { Code: 'TransactionConflict', Message: TRANSACTION_CONFLICT };
}

function assertAllGood(reasons: readonly CancellationReason[]): void {
  if (reasons.some(({ Code }) => Code !== 'None')) throw transactionCanceled(reasons);
}

function assertSize(items: readonly (Item | undefined)[]): void {
  const bytes = items.reduce((sum, item) => sum + (item ? itemSize(item) : 0), 0);
  if (bytes <= MAX_BYTES) return;
  throw validationError(`Aggregate size of all items in the transaction cannot exceed the limit of ${MAX_BYTES} bytes`);
}

/** The answer to a request that was done before: it has read the items, and costs as much. */
function repeated(writes: readonly ItemWrite[], wish: string | undefined): OpenTransaction {
  const meter = new CapacityMeter(wish);
  for (const { table, key } of writes) {
    const item = table.get(key);
    meter.read(table, item ? itemSize(item) : 0, 2);
  }
  return { commit: () => reported(meter, 'Read'), abandon: () => undefined };
}

function collections(writes: readonly ItemWrite[]): { ItemCollectionMetrics?: Record<string, object[]> } {
  const ItemCollectionMetrics: Record<string, object[]> = {};
  for (const write of writes) {
    const metrics = collectionMetrics(write);
    const { name } = write.table;
    if (metrics) ItemCollectionMetrics[name] = [...(ItemCollectionMetrics[name] ?? []), metrics];
  }
  return Object.keys(ItemCollectionMetrics).length > 0 ? { ItemCollectionMetrics } : {};
}

interface TransactGetInput {
  TransactItems?: { Get?: GetInput }[];
  ReturnConsumedCapacity?: string;
}

interface TransactRead {
  table: Table;
  key: Item;
  item: Item | undefined;
  projected: Item | undefined;
  reason: CancellationReason;
}

/** TransactGetItems. */
export function transactGetItems(state: EngineState, input: TransactGetInput): Record<string, unknown> {
  checkMembers(input, getMembers);
  const reads = (input.TransactItems ?? []).map(({ Get = {} }) => readInTransaction(state, Get));
  const places = reads
    .filter(({ reason }) => reason.Code !== 'ValidationError')
    .map(({ table, key }) => `${table.name} ${placeId(table.placeOf(key))}`);
  if (new Set(places).size < places.length) throw severalOnOne();
  assertAllGood(reads.map(({ reason }) => reason));
  assertSize(reads.map(({ item }) => item));
  const meter = new CapacityMeter(input.ReturnConsumedCapacity);
  for (const { table, key, item } of reads) {
    const bytes = item ? itemSize(item) : 0;
    meter.read(table, bytes, 2);
    state.throttle?.use('read', table, table.placeOf(key).partition, readUnits(bytes, 2));
  }
  return {
    Responses: reads.map(({ projected }) => (projected ? { Item: projected } : {})),
    ...reported(meter, 'Read'),
  };
}

function readInTransaction(state: EngineState, input: GetInput): TransactRead {
  checkTableRequest(input, readMembers);
  const paths = projectionOf(input);
  const given = readItem(input.Key ?? {});
  const table = tableOf(state, input.TableName);
  const nothing = { table, key: {}, item: undefined, projected: undefined };
  try {
    const key = readKey(given, table.key);
    const place = table.placeOf(key);
    if (state.transactions.holds({ table, place })) return { ...nothing, key, reason: conflict() };
    state.throttle?.check('read', table, place.partition);
    const item = table.get(key);
    return { table, key, item, projected: item && (paths ? project(item, paths) : item), reason: { Code: 'None' } };
  } catch (error) {
    return { ...nothing, reason: reasonOf(error) };
  }
}

function reported(meter: CapacityMeter, kind: 'Read' | 'Write'): Record<string, unknown> {
  const ConsumedCapacity = meter.report(kind);
  return ConsumedCapacity ? { ConsumedCapacity } : {};
}

function severalOnOne(): DynamoDbError {
  return validationError('Transaction request cannot include multiple operations on one item');
}
