import { validationError } from './dynamodb-error.ts';
import { type KeyAttribute, type KeySchema, keyAttributes } from './key-schema.ts';
import type { StreamViewType } from './table-stream.ts';

/** Which attributes an index has beside the keys. */
export interface IndexProjection {
  type: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
  include: readonly string[];
}

/** A secondary index. */
export interface TableIndex {
  name: string;
  kind: 'global' | 'local';
  key: KeySchema;
  projection: IndexProjection;
}

/** What CreateTable says of a table, as far as the engine acts on it. */
export interface TableDefinition {
  name: string;
  key: KeySchema;
  indexes: readonly TableIndex[];
  streamViewType?: StreamViewType;
  billingMode: 'PAY_PER_REQUEST' | 'PROVISIONED';
  throughput: { ReadCapacityUnits: number; WriteCapacityUnits: number };
  deletionProtection: boolean;
}

interface IndexInput {
  IndexName?: string;
  KeySchema?: { AttributeName: string; KeyType: string }[];
  Projection?: { ProjectionType?: string; NonKeyAttributes?: string[] };
}

/** The input of CreateTable, as far as the engine acts on it. */
export interface CreateTableInput {
  TableName?: string;
  AttributeDefinitions?: { AttributeName: string; AttributeType: string }[];
  KeySchema?: { AttributeName: string; KeyType: string }[];
  GlobalSecondaryIndexes?: IndexInput[];
  LocalSecondaryIndexes?: IndexInput[];
  StreamSpecification?: { StreamEnabled?: boolean; StreamViewType?: string };
  BillingMode?: string;
  ProvisionedThroughput?: { ReadCapacityUnits: number; WriteCapacityUnits: number };
  DeletionProtectionEnabled?: boolean;
}

const MAX_GLOBAL_INDEXES = 20;
const MAX_LOCAL_INDEXES = 5;
const viewTypes: ReadonlySet<string> = new Set(['KEYS_ONLY', 'NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES']);

/** @throws DynamoDbError ValidationException when no such table can be made */
export function readTableDefinition(input: CreateTableInput): TableDefinition {
  const { TableName: name = '' } = input;
  if (!/^[a-zA-Z0-9_.-]{3,255}$/.test(name)) {
    throw validationError(
      name.length < 3 || name.length > 255
        ? 'TableName must be at least 3 characters long and at most 255 characters long'
        : `1 validation error detected: Value '${name}' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
    );
  }
  const attributes = new Map(
    (input.AttributeDefinitions ?? []).map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  );
  const key = readKeySchema(input.KeySchema, attributes);
  const { GlobalSecondaryIndexes: globals = [], LocalSecondaryIndexes: locals = [] } = input;
  assertCount('GlobalSecondaryIndex', globals.length, MAX_GLOBAL_INDEXES);
  assertCount('LocalSecondaryIndex', locals.length, MAX_LOCAL_INDEXES);
  const indexes = [
    ...globals.map((index) => readIndex('global', index, attributes)),
    ...locals.map((index) => readIndex('local', index, attributes)),
  ];
  assertDistinctNames(indexes);
  for (const index of indexes) assertIndexFits(index, key);
  assertAttributesUsed(attributes, [key, ...indexes.map((index) => index.key)]);
  const { StreamEnabled, StreamViewType } = input.StreamSpecification ?? {};
  if (StreamEnabled && !viewTypes.has(StreamViewType ?? '')) {
    throw validationError(
      'One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true',
    );
  }
  const billingMode = input.BillingMode === 'PAY_PER_REQUEST' ? 'PAY_PER_REQUEST' : 'PROVISIONED';
  if (billingMode === 'PAY_PER_REQUEST' && input.ProvisionedThroughput) {
    throw validationError(
      'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
    );
  }
  if (billingMode === 'PROVISIONED' && !input.ProvisionedThroughput) {
    throw validationError(
      'One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
    );
  }
  return {
    name,
    key,
    indexes,
    ...(StreamEnabled && { streamViewType: StreamViewType as StreamViewType }),
    billingMode,
    throughput: input.ProvisionedThroughput ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    deletionProtection: input.DeletionProtectionEnabled === true,
  };
}

function readKeySchema(schema: IndexInput['KeySchema'], attributes: ReadonlyMap<string, string>): KeySchema {
  const [first, second, third] = schema ?? [];
  if (!first || third) {
    throw validationError(
      `1 validation error detected: Value '${JSON.stringify(schema ?? [])}' at 'keySchema' failed to satisfy constraint: Member must have length ${first ? 'less than or equal to 2' : 'greater than or equal to 1'}`,
    );
  }
  if (first.KeyType !== 'HASH') {
    throw validationError('Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
  }
  if (second && second.KeyType !== 'RANGE') {
    throw validationError('Invalid KeySchema: The second KeySchemaElement is not a RANGE key type');
  }
  if (second && second.AttributeName === first.AttributeName) {
    throw validationError('Both the Hash Key and the Range Key element in the KeySchema have the same name');
  }
  const attribute = (name: string): KeyAttribute => {
    const type = attributes.get(name);
    if (type === 'S' || type === 'N' || type === 'B') return { name, type };
    const keys = [first, second].flatMap((element) => element?.AttributeName ?? []).join(', ');
    throw validationError(
      `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [${keys}], AttributeDefinitions: [${[...attributes.keys()].join(', ')}]`,
    );
  };
  return {
    partitionKey: attribute(first.AttributeName),
    ...(second && { sortKey: attribute(second.AttributeName) }),
  };
}

function readIndex(
  kind: TableIndex['kind'],
  { IndexName: name = '', KeySchema, Projection: { ProjectionType = '', NonKeyAttributes = [] } = {} }: IndexInput,
  attributes: ReadonlyMap<string, string>,
): TableIndex {
  if (!/^[a-zA-Z0-9_.-]{3,255}$/.test(name)) {
    throw validationError(
      `1 validation error detected: Value '${name}' at 'indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
    );
  }
  if (ProjectionType !== 'ALL' && ProjectionType !== 'KEYS_ONLY' && ProjectionType !== 'INCLUDE') {
    throw validationError(
      `One or more parameter values were invalid: Unknown ProjectionType: ${ProjectionType || 'null'}`,
    );
  }
  if (ProjectionType !== 'INCLUDE' && NonKeyAttributes.length > 0) {
    throw validationError(
      `One or more parameter values were invalid: ProjectionType is ${ProjectionType}, but NonKeyAttributes is specified`,
    );
  }
  return {
    name,
    kind,
    key: readKeySchema(KeySchema, attributes),
    projection: { type: ProjectionType, include: NonKeyAttributes },
  };
}

function assertCount(kind: string, count: number, maximum: number): void {
  if (count <= maximum) return;
  throw validationError(
    `One or more parameter values were invalid: ${kind} count exceeds the per-table limit of ${maximum}`,
  );
}

function assertDistinctNames(indexes: readonly TableIndex[]): void {
  const seen = new Set<string>();
  for (const { name } of indexes) {
    if (seen.has(name))
      throw validationError(`One or more parameter values were invalid: Duplicate index name: ${name}`);
    seen.add(name);
  }
}

function assertIndexFits({ name, kind, key }: TableIndex, table: KeySchema): void {
  if (kind === 'global') return;
  if (!table.sortKey) {
    throw validationError(
      'One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex',
    );
  }
  if (key.partitionKey.name !== table.partitionKey.name) {
    throw validationError(
      `One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: ${name}. index hash key: ${key.partitionKey.name}, table hash key: ${table.partitionKey.name}`,
    );
  }
  if (!key.sortKey) {
    throw validationError(
      `One or more parameter values were invalid: Index KeySchema does not have a range key for index: ${name}`,
    );
  }
}

function assertAttributesUsed(attributes: ReadonlyMap<string, string>, schemas: readonly KeySchema[]): void {
  const used = new Set(schemas.flatMap(keyAttributes).map(({ name }) => name));
  if (attributes.size === used.size) return;
  throw validationError(
    'One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions',
  );
}
