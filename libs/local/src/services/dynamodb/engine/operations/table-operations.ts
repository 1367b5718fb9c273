import { randomUUID } from 'node:crypto';
import { DynamoDbError, resourceNotFound, validationError } from '../dynamodb-error.ts';
import { schemaElements } from '../key-schema.ts';
import { checkMembers } from '../member-constraints.ts';
import { Table, type TableState } from '../table.ts';
import { type CreateTableInput, readTableDefinition } from '../table-definition.ts';
import { describeTable } from './describe-table.ts';
import { checkNewTableName, checkTableRequest, type EngineState, keepTable, tableOf } from './request.ts';
import { createTableMembers } from './request-members.ts';
import { assertTags, tagsOf } from './tag-operations.ts';

const MAX_LISTED = 100;

/** CreateTable: the table can be used at once. */
export function createTable(state: EngineState, input: CreateTableInput): object {
  checkNewTableName(input);
  checkMembers(input, createTableMembers);
  const definition = readTableDefinition(input);
  assertTags(input.Tags ?? []);
  if (state.tables.has(definition.name)) {
    throw new DynamoDbError('ResourceInUseException', `Table already exists: ${definition.name}`);
  }
  const { environment } = state;
  const tableState: TableState = {
    id: randomUUID(),
    createdAt: environment.now(),
    definition,
    tags: tagsOf(input.Tags ?? []),
  };
  const table = new Table(tableState, environment);
  keepTable(state, table, tableState);
  const { StreamEnabled, StreamViewType } = input.StreamSpecification ?? {};
  if (StreamEnabled && StreamViewType) openStream(state, table, StreamViewType);
  return { TableDescription: describeTable(table, 'CREATING') };
}

/** Gives a table a stream. */
export function openStream(
  { streams }: EngineState,
  table: Table,
  viewType: NonNullable<Table['stream']>['viewType'],
): void {
  const { arn: tableArn, name: tableName, key } = table;
  table.stream = streams.create({ tableArn, tableName, keySchema: schemaElements(key), viewType });
}

/** DescribeTable. */
export function describe(state: EngineState, input: { TableName?: string }): object {
  checkTableRequest(input, {});
  return { Table: describeTable(tableOf(state, input.TableName, true)) };
}

/** DeleteTable. Its stream can be read for a day. */
export function deleteTable(state: EngineState, input: { TableName?: string }): object {
  checkTableRequest(input, {});
  const table = tableOf(state, input.TableName, true);
  if (table.definition.deletionProtection) {
    throw validationError(
      `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
    );
  }
  const TableDescription = describeTable(table, 'DELETING');
  state.tables.delete(table.name);
  state.environment.journal.remove('tables', table.name, () => state.tables.set(table.name, table));
  table.drop();
  table.stream?.disable();
  return { TableDescription };
}

/** ListTables. */
export function listTables(
  { tables }: EngineState,
  input: { ExclusiveStartTableName?: string; Limit?: number },
): object {
  checkMembers(input, {
    ExclusiveStartTableName: { type: 'string', length: [3, 255], pattern: /^[a-zA-Z0-9_.-]+$/ },
    Limit: { type: 'number', range: [1, MAX_LISTED] },
  });
  const { ExclusiveStartTableName: start, Limit = MAX_LISTED } = input;
  const names = [...tables.keys()].sort().filter((name) => start === undefined || name > start);
  const TableNames = names.slice(0, Limit);
  return { TableNames, ...(TableNames.length < names.length && { LastEvaluatedTableName: TableNames.at(-1) }) };
}

/** DescribeContinuousBackups: what was asked for. Nothing is backed up here. */
export function describeContinuousBackups(state: EngineState, input: { TableName?: string }): object {
  checkTableRequest(input, {});
  return continuousBackups(backedUpTable(state, input.TableName));
}

/** UpdateContinuousBackups. */
export function updateContinuousBackups(
  state: EngineState,
  input: { TableName?: string; PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled?: boolean } },
): object {
  checkTableRequest(input, {
    PointInTimeRecoverySpecification: {
      type: 'structure',
      required: true,
      members: { PointInTimeRecoveryEnabled: { type: 'boolean', required: true } },
    },
  });
  const table = backedUpTable(state, input.TableName);
  table.change({ recoverable: input.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true });
  return continuousBackups(table);
}

function backedUpTable(state: EngineState, name: unknown): Table {
  try {
    return tableOf(state, name);
  } catch (error) {
    if ((error as Error).name !== resourceNotFound().name) throw error;
    throw new DynamoDbError('TableNotFoundException', `Table not found: ${name}`);
  }
}

function continuousBackups({ state: { recoverable = false } }: Table): object {
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: recoverable ? 'ENABLED' : 'DISABLED' },
    },
  };
}
