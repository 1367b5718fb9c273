import { validationError } from './dynamodb-error.ts';
import { type KeyAttribute, type KeySchema, keyAttributes } from './key-schema.ts';
import type { StreamViewType } from './table-stream.ts';

/** Which attributes an index has beside the keys. */
export interface IndexProjection {
  type: 'ALL' | 'KEYS_ONLY' | 'INCLUDE';
  include: readonly string[];
}

export interface Throughput {
  ReadCapacityUnits: number;
  WriteCapacityUnits: number;
}

/** A secondary index. */
export interface TableIndex {
  name: string;
  kind: 'global' | 'local';
  key: KeySchema;
  projection: IndexProjection;
  /** Of a global index of a table that is provisioned. */
  throughput?: Throughput;
}

/** What CreateTable and UpdateTable say of a table, as far as the engine acts on it. */
export interface TableDefinition {
  name: string;
  key: KeySchema;
  indexes: readonly TableIndex[];
  billingMode: 'PAY_PER_REQUEST' | 'PROVISIONED';
  throughput: Throughput;
  tableClass?: string;
  deletionProtection: boolean;
}

export interface IndexInput {
  IndexName: string;
  KeySchema: KeySchemaInput;
  Projection: { ProjectionType?: IndexProjection['type']; NonKeyAttributes?: string[] };
  ProvisionedThroughput?: Throughput;
}

type KeySchemaInput = { AttributeName: string; KeyType: string }[];
export type AttributeDefinitions = { AttributeName: string; AttributeType: string }[];

export interface StreamSpecification {
  StreamEnabled?: boolean;
  StreamViewType?: StreamViewType;
}

/** The input of CreateTable, as far as the engine acts on it. */
export interface CreateTableInput {
  TableName: string;
  AttributeDefinitions: AttributeDefinitions;
  KeySchema: KeySchemaInput;
  GlobalSecondaryIndexes?: IndexInput[];
  LocalSecondaryIndexes?: IndexInput[];
  StreamSpecification?: StreamSpecification;
  BillingMode?: TableDefinition['billingMode'];
  ProvisionedThroughput?: Throughput;
  TableClass?: string;
  DeletionProtectionEnabled?: boolean;
  Tags?: { Key: string; Value: string }[];
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html */
const MAX_GLOBAL_INDEXES = 20;
const MAX_LOCAL_INDEXES = 5;
const MAX_PROJECTED_ATTRIBUTES = 100;

/**
 * @param input has passed the model
 * @throws DynamoDbError ValidationException when no such table can be made
 */
export function readTableDefinition(input: CreateTableInput): TableDefinition {
  const attributes = attributeTypes(input.AttributeDefinitions);
  const key = readKeySchema(input.KeySchema, attributes);
  const { GlobalSecondaryIndexes: globals, LocalSecondaryIndexes: locals } = input;
  assertIndexList('GlobalSecondaryIndexes', globals);
  assertIndexList('LocalSecondaryIndexes', locals);
  const { billingMode, throughput } = readThroughput(input);
  const indexes = [
    ...(globals ?? []).map((index) => readIndex('global', index, attributes, billingMode)),
    ...(locals ?? []).map((index) => readIndex('local', index, attributes, billingMode)),
  ];
  const definition = { name: input.TableName, key, indexes, billingMode, throughput };
  assertIndexesFit(definition, attributes);
  assertStream(input.StreamSpecification);
  return {
    ...definition,
    ...(input.TableClass && { tableClass: input.TableClass }),
    deletionProtection: input.DeletionProtectionEnabled === true,
  };
}

/** @throws DynamoDbError ValidationException when the indexes do not fit the table or each other */
export function assertIndexesFit(
  { key, indexes }: Pick<TableDefinition, 'key' | 'indexes'>,
  attributes: ReadonlyMap<string, string>,
): void {
  const count = (counted: TableIndex['kind']): number => indexes.filter(({ kind }) => kind === counted).length;
  if (count('global') > MAX_GLOBAL_INDEXES) {
    throw validationError(
      `One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of ${MAX_GLOBAL_INDEXES}`,
    );
  }
  if (count('local') > MAX_LOCAL_INDEXES) {
    throw validationError(
      `One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of ${MAX_LOCAL_INDEXES}`,
    );
  }
  const seen = new Set<string>();
  for (const { name } of indexes) {
    if (seen.has(name)) {
      throw validationError(`One or more parameter values were invalid: Duplicate index name: ${name}`);
    }
    seen.add(name);
  }
  const projected = indexes.reduce((sum, { projection }) => sum + projection.include.length, 0);
  if (projected > MAX_PROJECTED_ATTRIBUTES) {
    throw validationError(
      `One or more parameter values were invalid: The total number of NonKeyAttributes of all indexes exceeds the limit of ${MAX_PROJECTED_ATTRIBUTES}`,
    );
  }
  for (const index of indexes) assertIndexFits(index, key);
  assertAttributesUsed(attributes, [key, ...indexes.map((index) => index.key)]);
}

/** @throws DynamoDbError ValidationException */
export function assertStream({ StreamEnabled, StreamViewType }: StreamSpecification = {}): void {
  if (StreamEnabled && StreamViewType === undefined) {
    throw validationError(
      'One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true',
    );
  }
  if (StreamEnabled === false && StreamViewType !== undefined) {
    throw validationError(
      'One or more parameter values were invalid: StreamViewType cannot be specified when StreamEnabled is false',
    );
  }
}

export function attributeTypes(definitions: AttributeDefinitions): Map<string, string> {
  const types = new Map<string, string>();
  for (const { AttributeName, AttributeType } of definitions) {
    if (types.has(AttributeName)) {
      throw validationError(
        `One or more parameter values were invalid: Duplicate AttributeName in AttributeDefinitions: ${AttributeName}`,
      );
    }
    types.set(AttributeName, AttributeType);
  }
  return types;
}

function readThroughput({
  BillingMode,
  ProvisionedThroughput,
}: Pick<CreateTableInput, 'BillingMode' | 'ProvisionedThroughput'>): Pick<
  TableDefinition,
  'billingMode' | 'throughput'
> {
  if (BillingMode === 'PAY_PER_REQUEST') {
    if (!ProvisionedThroughput) return { billingMode: BillingMode, throughput: NO_THROUGHPUT };
    throw validationError(
      'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
    );
  }
  if (ProvisionedThroughput) return { billingMode: 'PROVISIONED', throughput: ProvisionedThroughput };
  throw validationError(
    'One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
  );
}

export const NO_THROUGHPUT: Throughput = { ReadCapacityUnits: 0, WriteCapacityUnits: 0 };

function readKeySchema(schema: KeySchemaInput, attributes: ReadonlyMap<string, string>, index?: string): KeySchema {
  const [first, second] = schema;
  if (index === undefined && schema.length > attributes.size) {
    throw validationError('Invalid KeySchema: Some index key attribute have no definition');
  }
  if (first?.KeyType !== 'HASH') {
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
    const keys = schema.map(({ AttributeName }) => AttributeName).join(', ');
    throw validationError(
      `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [${keys}], AttributeDefinitions: [${[...attributes.keys()].join(', ')}]`,
    );
  };
  return {
    partitionKey: attribute(first.AttributeName),
    ...(second && { sortKey: attribute(second.AttributeName) }),
  };
}

/** @throws DynamoDbError ValidationException */
export function readIndex(
  kind: TableIndex['kind'],
  { IndexName: name, KeySchema, Projection, ProvisionedThroughput: throughput }: IndexInput,
  attributes: ReadonlyMap<string, string>,
  billingMode: TableDefinition['billingMode'],
): TableIndex {
  const { ProjectionType: type, NonKeyAttributes: include = [] } = Projection;
  if (type === undefined) {
    throw validationError('One or more parameter values were invalid: Unknown ProjectionType: null');
  }
  if (type !== 'INCLUDE' && include.length > 0) {
    throw validationError(
      `One or more parameter values were invalid: ProjectionType is ${type}, but NonKeyAttributes is specified`,
    );
  }
  if (type === 'INCLUDE' && include.length === 0) {
    throw validationError(
      'One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified',
    );
  }
  if (kind === 'global' && billingMode === 'PROVISIONED' && !throughput) {
    throw validationError(
      `One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified for index: ${name}`,
    );
  }
  if (billingMode === 'PAY_PER_REQUEST' && throughput) {
    throw validationError(
      `One or more parameter values were invalid: ProvisionedThroughput should not be specified for index: ${name} when BillingMode is PAY_PER_REQUEST`,
    );
  }
  return {
    name,
    kind,
    key: readKeySchema(KeySchema, attributes, name),
    projection: { type, include },
    ...(kind === 'global' && throughput && { throughput }),
  };
}

function assertIndexList(member: string, indexes: readonly IndexInput[] | undefined): void {
  if (indexes?.length !== 0) return;
  throw validationError(`One or more parameter values were invalid: List of ${member} is empty`);
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
  if (schemas.length === 1) {
    throw validationError(
      'One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions',
    );
  }
  const keys = [...used].join(', ');
  throw validationError(
    `One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: [${[...attributes.keys()].join(', ')}], keys used: [${keys}]`,
  );
}
