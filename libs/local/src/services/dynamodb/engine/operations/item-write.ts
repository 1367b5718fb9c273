import { define, type Item, readItem } from '../attribute-value.ts';
import { writeUnits } from '../capacity.ts';
import { conditionalCheckFailed, DynamoDbError, transactionConflict, validationError } from '../dynamodb-error.ts';
import { applyUpdate } from '../expressions/apply-update.ts';
import type { Condition, Path, Update } from '../expressions/ast.ts';
import { project, valueAt } from '../expressions/document-path.ts';
import { holds } from '../expressions/evaluate-condition.ts';
import { parseCondition, parseUpdate } from '../expressions/parser.ts';
import { Substitutions } from '../expressions/substitutions.ts';
import { assertHasKey, keyAttributes, keyOf, placeId, readKey } from '../key-schema.ts';
import { assertNotMixed, type LegacyInput, legacyCondition, legacyUpdate } from '../legacy-parameters.ts';
import type { MemberConstraints } from '../member-constraints.ts';
import type { Table } from '../table.ts';
import { checkTableRequest, type EngineState, tableOf, type WriteInput } from './request.ts';
import { writeMembers } from './request-members.ts';

export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';

/** A write whose request is valid, before the item has been read. */
export interface ItemWrite {
  kind: WriteKind;
  table: Table;
  /** The key alone. */
  key: Item;
  input: WriteInput;
  condition: Condition | undefined;
  /** Of a Put. */
  item: Item | undefined;
  /** Of an Update. */
  update: Update | undefined;
  /** Of an action of a transaction: why it does not fit its table. There is no key then. */
  problem?: DynamoDbError;
}

/** What a write does to its item. */
export interface ItemOutcome {
  before: Item | undefined;
  after: Item | undefined;
}

const returnValuesOf = {
  Put: ['NONE', 'ALL_OLD'],
  Delete: ['NONE', 'ALL_OLD'],
  Update: ['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW'],
  ConditionCheck: ['NONE'],
} as const satisfies Record<WriteKind, readonly string[]>;

const putMembers: MemberConstraints = { ...writeMembers, Item: { type: 'structure', required: true } };
const keyMembers: MemberConstraints = { ...writeMembers, Key: { type: 'structure', required: true } };

/**
 * Reads a write and checks all that can be checked without the item.
 * @param isAction of a transaction: what does not fit the table is a reason to cancel, and not an error of the request
 * @throws DynamoDbError
 */
export function readWrite(
  state: EngineState,
  kind: WriteKind,
  input: WriteInput & LegacyInput,
  isAction = false,
): ItemWrite {
  checkTableRequest(input, kind === 'Put' ? putMembers : keyMembers);
  assertNotMixed(input);
  const { ConditionExpression, UpdateExpression, ReturnValues } = input;
  if (ReturnValues !== undefined && !(returnValuesOf[kind] as readonly string[]).includes(ReturnValues)) {
    throw validationError(`Return values set to invalid value`);
  }
  const names = kind === 'Update' ? ['UpdateExpression', 'ConditionExpression'] : ['ConditionExpression'];
  const substitutions = new Substitutions(input, names);
  const update = UpdateExpression === undefined ? legacyUpdate(input) : parseUpdate(UpdateExpression, substitutions);
  const condition =
    ConditionExpression === undefined
      ? legacyCondition(input.Expected, input.ConditionalOperator)
      : parseCondition(ConditionExpression, 'ConditionExpression', substitutions);
  substitutions.assertAllUsed();
  const attributes = readItem((kind === 'Put' ? input.Item : input.Key) ?? {});
  const table = tableOf(state, input.TableName);
  const write = { kind, table, input, condition, update };
  try {
    if (update) assertKeyUntouched(update, table);
    if (kind !== 'Put') return { ...write, key: readKey(attributes, table.key), item: undefined };
    table.assertStorable(attributes);
    return { ...write, key: keyOf(attributes, table.key), item: attributes };
  } catch (error) {
    if (!isAction || !(error instanceof DynamoDbError)) throw error;
    return { ...write, key: {}, item: undefined, problem: error };
  }
}

/**
 * What a write would do to the item as it is now.
 * @throws DynamoDbError ConditionalCheckFailedException; ValidationException when an update does not fit the item
 */
export function outcomeOf({ kind, table, key, input, condition, item, update }: ItemWrite): ItemOutcome {
  const before = table.get(key);
  if (condition && !holds(condition, before ?? {})) {
    throw conditionalCheckFailed(input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? before : undefined);
  }
  switch (kind) {
    case 'Put':
      return { before, after: item };
    case 'Delete':
      return { before, after: undefined };
    case 'ConditionCheck':
      return { before, after: before };
    case 'Update': {
      const after = update ? applyUpdate(update, before ?? key) : (before ?? key);
      // There is nothing to take away, and an item without an attribute is not made for it.
      if (!before && update && update.set.length === 0 && update.add.length === 0) return { before, after: undefined };
      assertHasKey(after, table.key);
      table.assertStorable(after, 'Item size to update has exceeded the maximum allowed size');
      return { before, after };
    }
  }
}

/** One write by itself. @throws DynamoDbError, TransactionConflictException while a transaction holds the item */
export function executeWrite(state: EngineState, write: ItemWrite): ItemOutcome {
  const { table, key } = write;
  const place = table.placeOf(key);
  if (state.transactions.holds({ table, place })) throw transactionConflict();
  state.throttle?.check('write', table, place.partition);
  const outcome = outcomeOf(write);
  table.write(key, outcome.after);
  state.throttle?.use('write', table, place.partition, writeUnits(outcome.before, outcome.after));
  return outcome;
}

/** What a write answers as ItemCollectionMetrics: only tables with local indexes have item collections. */
export function collectionMetrics({ table, key, input }: ItemWrite): object | undefined {
  const { name } = table.key.partitionKey;
  const hasCollections = table.definition.indexes.some(({ kind }) => kind === 'local');
  if (input.ReturnItemCollectionMetrics !== 'SIZE' || !hasCollections) return undefined;
  return { ItemCollectionKey: { [name]: key[name] }, SizeEstimateRangeGB: [0, 1] };
}

/** What a write answers as Attributes; undefined for none. */
export function returnedAttributes(
  { input: { ReturnValues = 'NONE' }, update }: ItemWrite,
  { before, after }: ItemOutcome,
): Item | undefined {
  switch (ReturnValues) {
    case 'ALL_OLD':
      return before;
    case 'ALL_NEW':
      return after;
    case 'UPDATED_OLD':
      return before && update && partOf(before, update);
    case 'UPDATED_NEW':
      return after && update && partOf(after, update);
    default:
      return undefined;
  }
}

function partOf(item: Item, update: Update): Item | undefined {
  const paths = pathsOf(update).filter((path) => valueAt(item, path) !== undefined);
  if (paths.length === 0) return undefined;
  const part: Item = {};
  for (const [name, value] of Object.entries(project(item, paths))) define(part, name, value);
  return part;
}

function pathsOf({ set, remove, add, delete: deletions }: Update): Path[] {
  return [...set, ...add, ...deletions].map(({ path }) => path).concat(remove);
}

function assertKeyUntouched(update: Update, table: Table): void {
  const keys = new Set(keyAttributes(table.key).map(({ name }) => name));
  const touched = pathsOf(update).find(([name]) => keys.has(name));
  if (!touched) return;
  throw validationError(
    `One or more parameter values were invalid: Cannot update attribute ${touched[0]}. This attribute is part of the key`,
  );
}

/** True if two of the writes are about the same item. */
export function haveDuplicates(writes: readonly ItemWrite[]): boolean {
  const seen = new Set<string>();
  for (const { table, key, problem } of writes) {
    if (problem) continue;
    const id = `${table.name} ${placeId(table.placeOf(key))}`;
    if (seen.has(id)) return true;
    seen.add(id);
  }
  return false;
}
