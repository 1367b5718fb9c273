import type { AttributeValue, Item } from '../attribute-value.ts';
import { resourceNotFound, validationError } from '../dynamodb-error.ts';
import {
  checkMembers,
  type MemberConstraint,
  type MemberConstraints,
  problem,
  problemsError,
} from '../member-constraints.ts';
import type { OpenTransactions } from '../open-transactions.ts';
import type { StreamRegistry } from '../stream-registry.ts';
import type { Table, TableEnvironment, TableState } from '../table.ts';
import type { Throttle } from '../throttle.ts';
import type { RequestTokens } from './request-tokens.ts';

/** What every operation works on. */
export interface EngineState {
  readonly tables: Map<string, Table>;
  readonly streams: StreamRegistry;
  readonly transactions: OpenTransactions;
  readonly tokens: RequestTokens;
  readonly environment: TableEnvironment;
  /** Host and port that clients are told. */
  readonly address: string;
  /** Refuses what is above the capacity; nothing is refused without it. */
  readonly throttle: Throttle | undefined;
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

const NAME_PATTERN = '[a-zA-Z0-9_.-]+';
const name: MemberConstraint = { required: true, type: 'string', length: [1, 255], pattern: /^[a-zA-Z0-9_.-]+$/ };
const arn: MemberConstraint = { required: true, type: 'string', length: [1, 1024] };
const nameOfTable = { TableName: name };
const arnOfTable = { TableName: arn };

/**
 * Checks the members of a request for one table. A bad name is reported alone, before everything else.
 * @throws DynamoDbError
 */
export function checkTableRequest(input: object, members: MemberConstraints): void {
  const { TableName } = input as { TableName?: unknown };
  checkMembers(input, String(TableName).startsWith('arn:') ? arnOfTable : nameOfTable);
  checkMembers(input, members);
}

/** @throws DynamoDbError ValidationException unless it is a name that CreateTable takes */
export function checkNewTableName({ TableName }: { TableName?: unknown }): void {
  if (TableName === undefined || TableName === null) {
    throw validationError("The parameter 'TableName' is required but was not present in the request");
  }
  checkMembers({ TableName }, { TableName: { type: 'string' } });
  const text = String(TableName);
  const problems: string[] = [];
  const add = (rule: string): void => void problems.push(problem(`'${text}'`, 'tableName', rule));
  if (text.length < 3) add('Member must have length greater than or equal to 3');
  if (text.length > 255) add('Member must have length less than or equal to 255');
  if (text !== '' && !new RegExp(`^${NAME_PATTERN}$`).test(text)) {
    add(`Member must satisfy regular expression pattern: ${NAME_PATTERN}`);
  }
  if (problems.length > 0) throw problemsError(problems);
}

/**
 * The table of a request, by its name or ARN.
 * @throws DynamoDbError ResourceNotFoundException
 */
export function tableOf({ tables }: EngineState, nameOrArn: unknown, detailed = false): Table {
  const given = String(nameOrArn);
  const table = tables.get(given.startsWith('arn:') ? given.slice(given.indexOf('/') + 1) : given);
  if (table) return table;
  throw resourceNotFound(detailed ? `Table: ${given} not found` : undefined);
}

/** Keeps the state of a table that is new. */
export function keepTable({ tables, environment }: EngineState, table: Table, state: TableState): void {
  tables.set(table.name, table);
  environment.journal.put('tables', table.name, state, () => tables.delete(table.name));
}
