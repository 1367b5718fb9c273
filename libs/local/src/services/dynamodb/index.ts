import type { Stack } from '@millrace/cloudformation';
import type { AwsService, Host, RunningService } from '../../core/service.ts';
import { dynamoDbAccess } from './access.ts';
import { dynamodbDifferences } from './differences.ts';
import { EmbeddedDynamoDb } from './embedded-dynamodb.ts';
import type { DynamoDbBackend, LocalDynamoDb } from './local-dynamodb.ts';
import { DYNAMODB_METRICS } from './metrics.ts';
import { OutsideDynamoDb } from './outside-dynamodb.ts';
import { dynamoDbResourceTypes } from './resource-types.ts';
import { countDynamoDb } from './usage.ts';

/** DynamoDB and its streams, in this process. */
export const dynamodb: AwsService<LocalDynamoDb> = {
  name: 'dynamodb',
  differences: dynamodbDifferences,
  protocols: ['json'],
  targets: ['DynamoDB_20120810', 'DynamoDBStreams_20120810'],
  resourceTypes: dynamoDbResourceTypes,
  access: dynamoDbAccess,
  metrics: { 'AWS/DynamoDB': DYNAMODB_METRICS },
  meters: {
    'dynamodb.requests': 'requests [table]',
    'dynamodb.readUnits': 'read request units [table]',
    'dynamodb.writeUnits': 'write request units [table]',
    'dynamodb.keyWriteUnits': 'write request units [table/partition key]',
    'dynamodb.streamReads': 'reads of streams that had records [table]',
    'dynamodb.streamRecords': 'records of streams [table]',
  },
  start,
};

async function start(host: Host): Promise<RunningService<LocalDynamoDb>> {
  const backend = startBackend(host);
  let partitionKeys = new Map<string, string | undefined>();
  return {
    handle: backend,
    api: backend.answer,
    meter: (usage, { operation, input, output }) => {
      const used = backend.usedBy(output);
      if (used) countDynamoDb(usage, { operation, input, ...used }, (table) => partitionKeys.get(table));
    },
    activate: (stacks) => {
      partitionKeys = partitionKeysOf(stacks);
    },
    console: () => backend.console(),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

function startBackend({
  accountId,
  region,
  clock,
  dataDirectory,
  options,
  warn,
  metric,
  awsUrl,
}: Host): DynamoDbBackend {
  const { dynamodbEndpoint: endpoint, faults } = options;
  if (endpoint !== undefined) return new OutsideDynamoDb({ endpoint, region });
  return new EmbeddedDynamoDb({ accountId, region, clock, origin: awsUrl, dataDirectory, faults, warn, metric });
}

function partitionKeysOf(stacks: readonly Stack[]): Map<string, string | undefined> {
  return new Map(
    stacks.flatMap((stack) =>
      stack.resourcesOfType('AWS::DynamoDB::Table').map(({ logicalId, name }) => {
        const { KeySchema } = stack.properties(logicalId) as {
          KeySchema: { AttributeName: string; KeyType: string }[];
        };
        return [name, KeySchema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName] as const;
      }),
    ),
  );
}
