import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../../core/aws-error.ts';
import { callAwsJson } from '../../core/aws-json-client.ts';

/** Properties of AWS::DynamoDB::Table that CreateTable takes under the same name. */
const SAME_IN_API = [
  'AttributeDefinitions',
  'KeySchema',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
  'ProvisionedThroughput',
  'TableClass',
  'DeletionProtectionEnabled',
] as const;

/** The properties of a table that have an effect here, and those that need none: nothing is encrypted or backed up. */
export const TABLE_PROPERTIES = [
  ...['TableName', 'BillingMode', 'StreamSpecification', 'TimeToLiveSpecification', 'Tags'],
  ...['SSESpecification', 'PointInTimeRecoverySpecification', 'ContributorInsightsSpecification'],
  ...SAME_IN_API,
];

/**
 * Creates a table as its CloudFormation properties say, or takes the one of the same name that is already there.
 *
 * @param properties the resolved properties of an AWS::DynamoDB::Table
 * @returns the ARN of its stream, when it has one
 * @throws AwsError DynamoDB's own; Error when the table that is there has other keys
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
 */
export async function createTable(
  { endpoint, region }: { endpoint: string; region: string },
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<{ streamArn: string | undefined }> {
  const call = (operation: string, input: unknown) =>
    callAwsJson(endpoint, { region, service: 'dynamodb', target: `DynamoDB_20120810.${operation}` }, input);
  const present = await describe(call, name);
  if (present) {
    if (!isDeepStrictEqual(schemaOf(present), schemaOf(properties))) {
      throw new Error(
        `Table ${name} is already there with other keys or indexes than the template gives it; remove it or the data directory`,
      );
    }
    return { streamArn: streamOf(present) };
  }

  const stream = properties.StreamSpecification as { StreamViewType?: string } | undefined;
  const created = await call('CreateTable', {
    TableName: name,
    BillingMode: properties.ProvisionedThroughput ? 'PROVISIONED' : 'PAY_PER_REQUEST',
    ...Object.fromEntries(
      SAME_IN_API.flatMap((key) => (properties[key] === undefined ? [] : [[key, properties[key]]])),
    ),
    ...(stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } } : {}),
  });
  const timeToLive = properties.TimeToLiveSpecification as { Enabled?: boolean; AttributeName?: string } | undefined;
  if (timeToLive?.Enabled) {
    await call('UpdateTimeToLive', { TableName: name, TimeToLiveSpecification: timeToLive });
  }
  return { streamArn: streamOf(created.TableDescription as TableDescription) };
}

interface Schema {
  KeySchema?: unknown;
  GlobalSecondaryIndexes?: unknown;
  LocalSecondaryIndexes?: unknown;
}

interface TableDescription extends Schema {
  LatestStreamArn?: string;
}

function streamOf(table: TableDescription): string | undefined {
  return table.LatestStreamArn;
}

async function describe(
  call: (operation: string, input: unknown) => Promise<Record<string, unknown>>,
  name: string,
): Promise<TableDescription | undefined> {
  try {
    return (await call('DescribeTable', { TableName: name })).Table as TableDescription;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** Keys and indexes, in a form that does not depend on the order they are listed in. */
function schemaOf({ KeySchema, GlobalSecondaryIndexes, LocalSecondaryIndexes }: Schema): unknown {
  const indexes = [GlobalSecondaryIndexes, LocalSecondaryIndexes].flatMap((list) => (Array.isArray(list) ? list : []));
  return {
    keys: keysOf(KeySchema),
    indexes: (indexes as Array<{ IndexName: string; KeySchema: unknown }>)
      .map((index) => `${index.IndexName}: ${keysOf(index.KeySchema)}`)
      .toSorted(),
  };
}

function keysOf(keySchema: unknown): string {
  const keys = (Array.isArray(keySchema) ? keySchema : []) as Array<{ AttributeName: string; KeyType: string }>;
  return keys
    .map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`)
    .toSorted()
    .join(', ');
}
