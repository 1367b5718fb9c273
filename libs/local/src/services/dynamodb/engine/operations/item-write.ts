import { type AttributeValue, equalValues, type Item, readItem } from '../attribute-value.ts';
import { conditionalCheckFailed, transactionConflict, validationError } from '../dynamodb-error.ts';
import { applyUpdate } from '../expressions/apply-update.ts';
import type { Condition, Path, Update } from '../expressions/ast.ts';
import { define, project, valueAt } from '../expressions/document-path.ts';
import { holds } from '../expressions/evaluate-condition.ts';
import { parseCondition, parseUpdate } from '../expressions/parser.ts';
import { Substitutions } from '../expressions/substitutions.ts';
import { assertHasKey, keyAttributes, keyOf, readKey } from '../key-schema.ts';
import type { Table } from '../table.ts';
import { assertOneOf, type EngineState, refuseLegacyParameters, tableOf, type WriteInput } from './request.ts';

export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck';

/** A write whose request makes sense, before anybody has looked at the item. */
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

/** Reads a write and checks all that can be checked without the item. @throws DynamoDbError */
export function readWrite(state: EngineState, kind: WriteKind, input: WriteInput): ItemWrite {
  refuseLegacyParameters(input);
  const { ConditionExpression, UpdateExpression, ReturnValues, ReturnValuesOnConditionCheckFailure } = input;
  assertOneOf('returnValues', ReturnValues, ['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW']);
  assertOneOf('returnValuesOnConditionCheckFailure', ReturnValuesOnConditionCheckFailure, ['NONE', 'ALL_OLD']);
  if (ReturnValues !== undefined && !(returnValuesOf[kind] as readonly string[]).includes(ReturnValues)) {
    throw validationError(`Return values set to invalid value`);
  }
  const table = tableOf(state, input.TableName);
  const substitutions = new Substitutions(input, ConditionExpression !== undefined || UpdateExpression !== undefined);
  const update = UpdateExpression === undefined ? undefined : parseUpdate(UpdateExpression, substitutions);
  const condition =
    ConditionExpression === undefined
      ? undefined
      : parseCondition(ConditionExpression, 'ConditionExpression', substitutions);
  substitutions.assertAllUsed();
  if (update) assertKeyUntouched(update, table);
  const write = { kind, table, input, condition, update };
  if (kind !== 'Put') return { ...write, key: readKey(readItem(input.Key ?? {}), table.key), item: undefined };
  const item = readItem(input.Item ?? {});
  table.assertStorable(item);
  return { ...write, key: keyOf(item, table.key), item };
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
      assertHasKey(after, table.key);
      table.assertStorable(after, 'Item size to update has exceeded the maximum allowed size');
      return { before, after };
    }
  }
}

/** One write by itself. @throws DynamoDbError, TransactionConflictException while a transaction holds the item */
export function executeWrite(state: EngineState, write: ItemWrite): ItemOutcome {
  const { table, key } = write;
  if (state.transactions.holds({ table, place: table.placeOf(key) })) throw transactionConflict();
  const outcome = outcomeOf(write);
  table.write(key, outcome.after);
  return outcome;
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

/** Whether two writes are about the same item. */
export function isSameItem(one: ItemWrite, other: ItemWrite): boolean {
  return (
    one.table === other.table &&
    Object.entries(one.key).every(([name, value]) => equalValues(value, other.key[name] as AttributeValue))
  );
}
