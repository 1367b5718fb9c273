import { DynamoDbError, resourceNotFound, validationError } from '../dynamodb-error.ts';
import { keyAttributes } from '../key-schema.ts';
import { checkMembers } from '../member-constraints.ts';
import type { Table } from '../table.ts';
import {
  type AttributeDefinitions,
  assertIndexesFit,
  assertStream,
  attributeTypes,
  type IndexInput,
  NO_THROUGHPUT,
  readIndex,
  type StreamSpecification,
  type TableDefinition,
  type TableIndex,
  type Throughput,
} from '../table-definition.ts';
import { describeTable } from './describe-table.ts';
import { checkTableRequest, type EngineState, tableOf } from './request.ts';
import { updateTableMembers } from './request-members.ts';
import { openStream } from './table-operations.ts';

interface IndexUpdate {
  Create?: IndexInput;
  Update?: { IndexName: string; ProvisionedThroughput: Throughput };
  Delete?: { IndexName: string };
}

interface UpdateTableInput {
  TableName?: string;
  AttributeDefinitions?: AttributeDefinitions;
  BillingMode?: TableDefinition['billingMode'];
  ProvisionedThroughput?: Throughput;
  GlobalSecondaryIndexUpdates?: IndexUpdate[];
  StreamSpecification?: StreamSpecification;
  TableClass?: string;
  DeletionProtectionEnabled?: boolean;
  SSESpecification?: object;
}

/**
 * UpdateTable: the changes are made at once.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
 */
export function updateTable(state: EngineState, input: UpdateTableInput): object {
  checkTableRequest(input, {});
  checkMembers(input, updateTableMembers);
  const table = tableOf(state, input.TableName, true);
  assertSomething(input);
  const definition = changedDefinition(table, input);
  assertStream(input.StreamSpecification);
  assertStreamChanges(table, input.StreamSpecification);
  table.change({ definition });
  changeStream(state, table, input.StreamSpecification);
  return { TableDescription: describeTable(table, 'UPDATING') };
}

function assertSomething(input: UpdateTableInput): void {
  const changes = [
    input.ProvisionedThroughput,
    input.BillingMode,
    input.StreamSpecification,
    input.GlobalSecondaryIndexUpdates?.length ? input.GlobalSecondaryIndexUpdates : undefined,
    input.TableClass,
    input.DeletionProtectionEnabled,
    input.SSESpecification,
  ];
  if (changes.some((change) => change !== undefined)) return;
  throw validationError(
    'At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required',
  );
}

function changedDefinition({ definition }: Table, input: UpdateTableInput): TableDefinition {
  const { billingMode, throughput } = changedThroughput(definition, input);
  const indexes = changedIndexes({ ...definition, billingMode }, input);
  const { TableClass, DeletionProtectionEnabled } = input;
  return {
    ...definition,
    billingMode,
    throughput,
    indexes: billingMode === 'PAY_PER_REQUEST' ? indexes.map(({ throughput: _, ...index }) => index) : indexes,
    ...(TableClass !== undefined && { tableClass: TableClass }),
    ...(DeletionProtectionEnabled !== undefined && { deletionProtection: DeletionProtectionEnabled }),
  };
}

function changedThroughput(
  { billingMode: current, throughput: old }: TableDefinition,
  { BillingMode, ProvisionedThroughput: wanted }: UpdateTableInput,
): Pick<TableDefinition, 'billingMode' | 'throughput'> {
  const billingMode = BillingMode ?? current;
  if (billingMode === 'PAY_PER_REQUEST') {
    if (!wanted) return { billingMode, throughput: NO_THROUGHPUT };
    throw validationError(
      'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
    );
  }
  if (!wanted) {
    if (BillingMode === undefined) return { billingMode, throughput: old };
    throw validationError(
      'One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED',
    );
  }
  const same =
    wanted.ReadCapacityUnits === old.ReadCapacityUnits && wanted.WriteCapacityUnits === old.WriteCapacityUnits;
  if (current === 'PROVISIONED' && same) {
    throw validationError(
      `The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: ${old.ReadCapacityUnits}. Requested ReadCapacityUnits: ${wanted.ReadCapacityUnits}. Current WriteCapacityUnits provisioned for the table: ${old.WriteCapacityUnits}. Requested WriteCapacityUnits: ${wanted.WriteCapacityUnits}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.`,
    );
  }
  return { billingMode, throughput: wanted };
}

function changedIndexes(definition: TableDefinition, input: UpdateTableInput): TableIndex[] {
  const { GlobalSecondaryIndexUpdates: updates = [], AttributeDefinitions } = input;
  let indexes = [...definition.indexes];
  if (updates.length === 0) return indexes;
  assertOneEach(updates);
  const attributes = new Map<string, string>(
    [definition.key, ...indexes.map(({ key }) => key)].flatMap(keyAttributes).map(({ name, type }) => [name, type]),
  );
  for (const [name, type] of attributeTypes(AttributeDefinitions ?? [])) attributes.set(name, type);
  for (const { Create, Update, Delete } of updates) {
    if (Create) {
      if (indexes.some(({ name }) => name === Create.IndexName)) {
        throw validationError('Attempting to create an index which already exists');
      }
      indexes = [...indexes, readIndex('global', Create, attributes, definition.billingMode)];
    } else {
      const name = (Update ?? Delete)?.IndexName;
      const found = indexes.find((index) => index.name === name && index.kind === 'global');
      if (!found) throw resourceNotFound();
      indexes = Delete
        ? indexes.filter((index) => index !== found)
        : indexes.map((index) =>
            index === found && Update ? { ...index, throughput: Update.ProvisionedThroughput } : index,
          );
    }
  }
  const used = new Set(
    [definition.key, ...indexes.map(({ key }) => key)].flatMap(keyAttributes).map(({ name }) => name),
  );
  // Attributes of an index that was deleted need no definition any more.
  for (const name of attributes.keys())
    if (!used.has(name) && !isGiven(AttributeDefinitions, name)) attributes.delete(name);
  assertIndexesFit({ key: definition.key, indexes }, attributes);
  return indexes;
}

function isGiven(definitions: AttributeDefinitions | undefined, name: string): boolean {
  return definitions?.some(({ AttributeName }) => AttributeName === name) ?? false;
}

function assertOneEach(updates: readonly IndexUpdate[]): void {
  const seen = new Set<string>();
  for (const { Create, Update, Delete } of updates) {
    const [action, other] = [Create, Update, Delete].filter((each) => each !== undefined);
    if (!action || other) {
      throw validationError(
        'One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null',
      );
    }
    if (seen.has(action.IndexName)) {
      throw validationError(
        `One or more parameter values were invalid: Only one global secondary index update per index is allowed simultaneously. Index: ${action.IndexName}`,
      );
    }
    seen.add(action.IndexName);
  }
  if (updates.filter(({ Create, Delete }) => Create || Delete).length > 1) {
    throw new DynamoDbError(
      'LimitExceededException',
      'Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table',
    );
  }
}

function assertStreamChanges({ stream }: Table, wanted: StreamSpecification | undefined): void {
  if (wanted?.StreamEnabled === undefined) return;
  if (wanted.StreamEnabled && stream) {
    throw validationError(`Table already has an enabled stream: ${stream.arn}`);
  }
  if (!wanted.StreamEnabled && !stream) throw validationError('Table is already not enabled for streams');
}

function changeStream(state: EngineState, table: Table, wanted: StreamSpecification | undefined): void {
  if (wanted?.StreamEnabled && wanted.StreamViewType) openStream(state, table, wanted.StreamViewType);
  else if (wanted?.StreamEnabled === false) {
    table.stream?.disable();
    table.stream = undefined;
  }
}
