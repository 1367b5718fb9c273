import { itemSize } from '../attribute-value.ts';
import { projectedItem } from '../capacity.ts';
import { keyAttributes, schemaElements } from '../key-schema.ts';
import type { Table } from '../table.ts';
import type { TableIndex, Throughput } from '../table-definition.ts';

/** What the API says of a table. Numbers and sizes are those of now, where AWS's are up to six hours old. */
export function describeTable(
  table: Table,
  status: 'ACTIVE' | 'CREATING' | 'UPDATING' | 'DELETING' = 'ACTIVE',
): object {
  const { definition, stream, state } = table;
  const { key, indexes, billingMode, throughput, tableClass, deletionProtection } = definition;
  const attributes = new Map(
    [key, ...indexes.map((index) => index.key)].flatMap(keyAttributes).map((each) => [each.name, each.type]),
  );
  const described = (kind: TableIndex['kind']): object[] =>
    indexes.filter((index) => index.kind === kind).map((index) => describeIndex(table, index, status));
  const [globals, locals] = [described('global'), described('local')];
  let bytes = 0;
  for (const { item } of table.items.scan()) bytes += itemSize(item);
  return {
    TableName: table.name,
    TableArn: table.arn,
    TableId: state.id,
    TableStatus: status,
    CreationDateTime: state.createdAt / 1000,
    AttributeDefinitions: [...attributes].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    KeySchema: schemaElements(key),
    ItemCount: table.items.size,
    TableSizeBytes: bytes,
    ...(billingMode === 'PAY_PER_REQUEST' && {
      BillingModeSummary: { BillingMode: billingMode, LastUpdateToPayPerRequestDateTime: state.createdAt / 1000 },
    }),
    ProvisionedThroughput: describeThroughput(throughput),
    ...(tableClass && { TableClassSummary: { TableClass: tableClass } }),
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

function describeIndex(table: Table, index: TableIndex, status: string): object {
  const { name, kind, key, projection, throughput } = index;
  const { items } = table.index(name) ?? {};
  let bytes = 0;
  for (const { item } of items?.scan() ?? []) bytes += itemSize(projectedItem(item, index, table) ?? {});
  return {
    IndexName: name,
    IndexArn: `${table.arn}/index/${name}`,
    KeySchema: schemaElements(key),
    Projection: {
      ProjectionType: projection.type,
      ...(projection.include.length > 0 && { NonKeyAttributes: projection.include }),
    },
    IndexSizeBytes: bytes,
    ItemCount: items?.size ?? 0,
    ...(kind === 'global' && {
      IndexStatus: status === 'CREATING' ? 'CREATING' : 'ACTIVE',
      ProvisionedThroughput: describeThroughput(throughput),
    }),
  };
}

function describeThroughput(throughput: Throughput | undefined): object {
  return { NumberOfDecreasesToday: 0, ...(throughput ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 }) };
}
