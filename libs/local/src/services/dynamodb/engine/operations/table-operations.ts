import { DynamoDbError, resourceNotFound, validationError } from '../dynamodb-error.ts';
import { type KeySchema, keyAttributes } from '../key-schema.ts';
import { Table, type TableEnvironment } from '../table.ts';
import { type CreateTableInput, readTableDefinition } from '../table-definition.ts';
import { readIterator } from '../table-stream.ts';
import { type EngineState, tableOf } from './request.ts';

const MAX_LISTED = 100;

type Input = Record<string, unknown>;

/** CreateTable: the table can be used at once. */
export function createTable(state: EngineState, input: CreateTableInput, environment: TableEnvironment): Input {
  const definition = readTableDefinition(input);
  if (state.tables.has(definition.name)) {
    throw new DynamoDbError('ResourceInUseException', `Table already exists: ${definition.name}`);
  }
  const table = new Table(definition, environment);
  state.tables.set(definition.name, table);
  return { TableDescription: describe(table) };
}

/** DescribeTable. */
export function describeTable(state: EngineState, { TableName }: Input): Input {
  return { Table: describe(tableOf(state, TableName, true)) };
}

/** DeleteTable. */
export function deleteTable(state: EngineState, { TableName }: Input): Input {
  const table = tableOf(state, TableName, true);
  if (table.definition.deletionProtection) {
    throw validationError(
      `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
    );
  }
  state.tables.delete(table.name);
  return { TableDescription: { ...describe(table), TableStatus: 'DELETING' } };
}

/** ListTables. */
export function listTables(state: EngineState, { ExclusiveStartTableName, Limit = MAX_LISTED }: Input): Input {
  const names = [...state.tables.keys()].sort();
  const rest = names.filter((name) => ExclusiveStartTableName === undefined || name > String(ExclusiveStartTableName));
  const TableNames = rest.slice(0, Number(Limit));
  return {
    TableNames,
    ...(TableNames.length < rest.length && { LastEvaluatedTableName: TableNames.at(-1) }),
  };
}

/** UpdateTimeToLive. */
export function updateTimeToLive(state: EngineState, { TableName, TimeToLiveSpecification }: Input): Input {
  const table = tableOf(state, TableName, true);
  const { Enabled, AttributeName } = (TimeToLiveSpecification ?? {}) as { Enabled?: boolean; AttributeName?: string };
  if (Enabled === (table.timeToLive !== undefined)) {
    throw validationError(`TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`);
  }
  table.timeToLive = Enabled ? AttributeName : undefined;
  return { TimeToLiveSpecification: { Enabled, AttributeName } };
}

/** DescribeTimeToLive. */
export function describeTimeToLive(state: EngineState, { TableName }: Input): Input {
  const { timeToLive } = tableOf(state, TableName, true);
  return {
    TimeToLiveDescription: timeToLive
      ? { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive }
      : { TimeToLiveStatus: 'DISABLED' },
  };
}

/** ListStreams. */
export function listStreams({ tables }: EngineState, { TableName }: Input): Input {
  const Streams = [...tables.values()].flatMap(({ name, stream }) =>
    stream && (TableName === undefined || TableName === name)
      ? [{ StreamArn: stream.arn, StreamLabel: stream.label, TableName: name }]
      : [],
  );
  return { Streams };
}

/** DescribeStream. */
export function describeStream(state: EngineState, { StreamArn }: Input): Input {
  const table = tableOfStream(state, StreamArn);
  return { StreamDescription: table.stream.describe(schemaElements(table.key)) };
}

/** GetShardIterator. */
export function getShardIterator(state: EngineState, input: Input): Input {
  return { ShardIterator: tableOfStream(state, input.StreamArn).stream.iterator(input) };
}

/** GetRecords. */
export function getRecords(state: EngineState, { ShardIterator, Limit }: Input): Input {
  const { streamArn, position } = readIterator(ShardIterator);
  const { stream } = tableOfStream(state, streamArn);
  return { ...stream.records(position, Limit as number | undefined) };
}

function tableOfStream({ tables }: EngineState, arn: unknown): Table & { stream: NonNullable<Table['stream']> } {
  for (const table of tables.values()) {
    if (table.stream?.arn === arn) return table as Table & { stream: NonNullable<Table['stream']> };
  }
  throw resourceNotFound(`Stream: ${arn} not found`);
}

function describe(table: Table): Input {
  const { definition, stream } = table;
  const { key, indexes, billingMode, throughput, deletionProtection } = definition;
  const attributes = new Map(
    [key, ...indexes.map((index) => index.key)].flatMap(keyAttributes).map((each) => [each.name, each.type]),
  );
  const described = (kind: 'global' | 'local') =>
    indexes
      .filter((index) => index.kind === kind)
      .map((index) => ({
        IndexName: index.name,
        IndexArn: `${table.arn}/index/${index.name}`,
        KeySchema: schemaElements(index.key),
        Projection: {
          ProjectionType: index.projection.type,
          ...(index.projection.include.length > 0 && { NonKeyAttributes: index.projection.include }),
        },
        IndexSizeBytes: 0,
        ItemCount: table.index(index.name)?.items.size ?? 0,
        ...(kind === 'global' && { IndexStatus: 'ACTIVE' }),
      }));
  const [globals, locals] = [described('global'), described('local')];
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableStatus: 'ACTIVE',
    CreationDateTime: table.createdAt / 1000,
    AttributeDefinitions: [...attributes].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: schemaElements(key),
    ItemCount: table.items.size,
    TableSizeBytes: 0,
    BillingModeSummary: { BillingMode: billingMode },
    ProvisionedThroughput: { NumberOfDecreasesToday: 0, ...throughput },
    DeletionProtectionEnabled: deletionProtection,
    ...(globals.length > 0 && { GlobalSecondaryIndexes: globals }),
    ...(locals.length > 0 && { LocalSecondaryIndexes: locals }),
    ...(stream && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType },
      LatestStreamArn: stream.arn,
      LatestStreamLabel: stream.label,
    }),
  };
}

function schemaElements({ partitionKey, sortKey }: KeySchema): { AttributeName: string; KeyType: string }[] {
  return [
    { AttributeName: partitionKey.name, KeyType: 'HASH' },
    ...(sortKey ? [{ AttributeName: sortKey.name, KeyType: 'RANGE' }] : []),
  ];
}
