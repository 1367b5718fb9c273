import type { AttributeValue, Item } from '../attribute-value.ts';
import { DynamoDbError, resourceNotFound, validationError } from '../dynamodb-error.ts';
import type { OpenTransactions } from '../open-transactions.ts';
import type { Table } from '../table.ts';

/** What every operation works on. */
export interface EngineState {
  readonly tables: Map<string, Table>;
  readonly transactions: OpenTransactions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The members of a request that names expressions. */
export interface ExpressionInput {
  TableName?: string;
  ConditionExpression?: string;
  FilterExpression?: string;
  KeyConditionExpression?: string;
  ProjectionExpression?: string;
  UpdateExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, AttributeValue>;
  ReturnConsumedCapacity?: string;
}

/** A write to one item. */
export interface WriteInput extends ExpressionInput {
  Key?: Item;
  Item?: Item;
  ReturnValues?: string;
  ReturnValuesOnConditionCheckFailure?: string;
  ReturnItemCollectionMetrics?: string;
}

/** What replaced the parameters from before there were expressions. */
const legacyParameters: Record<string, string> = {
  AttributesToGet: 'ProjectionExpression',
  AttributeUpdates: 'UpdateExpression',
  ConditionalOperator: 'ConditionExpression or FilterExpression',
  Expected: 'ConditionExpression',
  KeyConditions: 'KeyConditionExpression',
  QueryFilter: 'FilterExpression',
  ScanFilter: 'FilterExpression',
};

/** @throws DynamoDbError ValidationException for a legacy parameter, naming what to use */
export function refuseLegacyParameters(input: object): void {
  for (const [name, instead] of Object.entries(legacyParameters)) {
    if ((input as Record<string, unknown>)[name] === undefined) continue;
    throw validationError(`${name} is a legacy parameter that is not supported here: use ${instead}`);
  }
}

/**
 * The table of a request, by its name or ARN.
 * @throws DynamoDbError ResourceNotFoundException; ValidationException without a name
 */
export function tableOf({ tables }: EngineState, name: unknown, detailed = false): Table {
  if (typeof name !== 'string' || name === '') {
    throw validationError(
      "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null",
    );
  }
  const table = tables.get(name.startsWith('arn:') ? name.slice(name.indexOf('/') + 1) : name);
  if (table) return table;
  throw resourceNotFound(detailed ? `Table: ${name} not found` : undefined);
}

/** @throws DynamoDbError ValidationException unless the value is absent or one of these */
export function assertOneOf(member: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(String(value))) return;
  throw validationError(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(', ')}]`,
  );
}

/** A request with a member of the wrong JSON type. */
export function serializationError(message: string): DynamoDbError {
  return new DynamoDbError('SerializationException', message);
}
