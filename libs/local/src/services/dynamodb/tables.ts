import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../../core/aws-error.ts';
import type { LocalDynamoDb } from './local-dynamodb.ts';

type Call = LocalDynamoDb['call'];

/** Properties of AWS::DynamoDB::Table that CreateTable takes under the same name. */
const SAME_IN_API = [
  'AttributeDefinitions',
  'KeySchema',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
  'ProvisionedThroughput',
  'TableClass',
  'DeletionProtectionEnabled',
  'Tags',
] as const;

/** The properties of a table that have an effect here, and those that need none: nothing is encrypted or backed up. */
export const TABLE_PROPERTIES = [
  ...['TableName', 'BillingMode', 'StreamSpecification', 'TimeToLiveSpecification'],
  ...['SSESpecification', 'PointInTimeRecoverySpecification', 'ContributorInsightsSpecification'],
  ...SAME_IN_API,
];

interface Index {
  IndexName: string;
  KeySchema: unknown;
  Projection?: unknown;
}

/** What a template and DescribeTable have in common. */
interface TableProperties {
  AttributeDefinitions?: unknown;
  KeySchema?: unknown;
  GlobalSecondaryIndexes?: Index[];
  LocalSecondaryIndexes?: Index[];
  ProvisionedThroughput?: { ReadCapacityUnits?: number; WriteCapacityUnits?: number };
  DeletionProtectionEnabled?: boolean;
  StreamSpecification?: { StreamViewType?: string };
  TimeToLiveSpecification?: { Enabled?: boolean; AttributeName?: string };
}

interface TableDescription extends TableProperties {
  LatestStreamArn?: string;
  BillingModeSummary?: { BillingMode?: string };
}

/**
 * Creates a table as its CloudFormation properties say, or brings the one of the same name that is already there to what
 * they say now, as far as UpdateTable can.
 *
 * @param properties the resolved properties of an AWS::DynamoDB::Table
 * @returns the ARN of its stream, when it has one
 * @throws AwsError DynamoDB's own; Error when the table that is there has other keys
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
 */
export async function createTable(
  call: Call,
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<{ streamArn: string | undefined }> {
  const wanted = properties as TableProperties;
  const present = await describe(call, name);
  if (present) {
    assertSameKeys(name, present, wanted);
    await update(call, name, present, wanted);
  } else {
    await call('CreateTable', {
      TableName: name,
      BillingMode: wanted.ProvisionedThroughput ? 'PROVISIONED' : 'PAY_PER_REQUEST',
      ...Object.fromEntries(
        SAME_IN_API.flatMap((key) => (properties[key] === undefined ? [] : [[key, properties[key]]])),
      ),
      ...streamOf(wanted),
    });
  }
  await updateTimeToLive(call, name, wanted);
  return { streamArn: (await describe(call, name))?.LatestStreamArn };
}

function streamOf({ StreamSpecification: stream }: TableProperties): object {
  return stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } } : {};
}

async function describe(call: Call, name: string): Promise<TableDescription | undefined> {
  try {
    return (await call('DescribeTable', { TableName: name })).Table as TableDescription;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** @throws Error when CloudFormation would have to replace the table, and with it all items */
function assertSameKeys(name: string, present: TableProperties, wanted: TableProperties): void {
  const schema = ({ KeySchema, LocalSecondaryIndexes = [] }: TableProperties) => ({
    keys: keysOf(KeySchema),
    indexes: LocalSecondaryIndexes.map(shapeOf).toSorted(),
  });
  if (isDeepStrictEqual(schema(present), schema(wanted))) return;
  throw new Error(
    `Table ${name} is already there with other keys or local indexes than the template gives it; remove it or the data directory`,
  );
}

async function update(call: Call, name: string, present: TableDescription, wanted: TableProperties): Promise<void> {
  const change = (changes: object) => call('UpdateTable', { TableName: name, ...changes });
  // One index at a time, as DynamoDB takes them.
  for (const update of indexUpdates(present, wanted)) {
    await change({ AttributeDefinitions: wanted.AttributeDefinitions, GlobalSecondaryIndexUpdates: [update] });
  }
  const { ProvisionedThroughput: throughput, DeletionProtectionEnabled: isProtected = false } = wanted;
  const isOnDemand = present.BillingModeSummary?.BillingMode === 'PAY_PER_REQUEST';
  if (!throughput && !isOnDemand) await change({ BillingMode: 'PAY_PER_REQUEST' });
  if (throughput && (isOnDemand || !isSameThroughput(throughput, present.ProvisionedThroughput))) {
    await change({ BillingMode: 'PROVISIONED', ProvisionedThroughput: throughput });
  }
  if (isProtected !== (present.DeletionProtectionEnabled ?? false)) {
    await change({ DeletionProtectionEnabled: isProtected });
  }
  const [old, current] = [present, wanted].map(({ StreamSpecification }) => StreamSpecification?.StreamViewType);
  if (old === current) return;
  if (old !== undefined) await change({ StreamSpecification: { StreamEnabled: false } });
  if (current !== undefined) await change(streamOf(wanted));
}

function indexUpdates(
  { GlobalSecondaryIndexes: present = [] }: TableProperties,
  { GlobalSecondaryIndexes: wanted = [] }: TableProperties,
): object[] {
  const has = (indexes: readonly Index[], index: Index) => indexes.some((each) => shapeOf(each) === shapeOf(index));
  return [
    ...present.filter((index) => !has(wanted, index)).map(({ IndexName }) => ({ Delete: { IndexName } })),
    ...wanted.filter((index) => !has(present, index)).map((index) => ({ Create: index })),
  ];
}

function isSameThroughput(
  one: NonNullable<TableProperties['ProvisionedThroughput']>,
  other: TableProperties['ProvisionedThroughput'] = {},
): boolean {
  return one.ReadCapacityUnits === other.ReadCapacityUnits && one.WriteCapacityUnits === other.WriteCapacityUnits;
}

async function updateTimeToLive(call: Call, name: string, { TimeToLiveSpecification }: TableProperties): Promise<void> {
  const { TimeToLiveDescription } = await call('DescribeTimeToLive', { TableName: name });
  const { TimeToLiveStatus, AttributeName: present } = (TimeToLiveDescription ?? {}) as Record<string, unknown>;
  const isEnabled = TimeToLiveStatus === 'ENABLED' || TimeToLiveStatus === 'ENABLING';
  const wanted = TimeToLiveSpecification?.Enabled ? TimeToLiveSpecification.AttributeName : undefined;
  if (wanted === (isEnabled ? present : undefined)) return;
  const set = (Enabled: boolean, AttributeName: unknown) =>
    call('UpdateTimeToLive', { TableName: name, TimeToLiveSpecification: { Enabled, AttributeName } });
  if (isEnabled) await set(false, present);
  if (wanted !== undefined) await set(true, wanted);
}

/** Of an index, what cannot be changed. */
function shapeOf({ IndexName, KeySchema, Projection }: Index): string {
  const { ProjectionType, NonKeyAttributes = [] } = (Projection ?? {}) as {
    ProjectionType?: string;
    NonKeyAttributes?: string[];
  };
  return `${IndexName}: ${keysOf(KeySchema)} ${ProjectionType} ${NonKeyAttributes.toSorted().join(' ')}`;
}

function keysOf(keySchema: unknown): string {
  const keys = (Array.isArray(keySchema) ? keySchema : []) as Array<{ AttributeName: string; KeyType: string }>;
  return keys
    .map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`)
    .toSorted()
    .join(', ');
}
