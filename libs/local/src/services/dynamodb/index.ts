import type { Stack } from '@millrace/cloudformation';
import type { AwsService, Host, RunningService } from '../../core/service.ts';
import { dynamoDbAccess } from './access.ts';
import { dynamodbDifferences } from './differences.ts';
import { startDynamoDbFront } from './front.ts';
import type { LocalDynamoDb } from './local-dynamodb.ts';
import { startDynamoDb } from './process.ts';
import { CountedAnswer, DynamoDbProxy } from './proxy.ts';
import { dynamoDbResourceTypes } from './resource-types.ts';
import { DYNAMODB_METRICS } from './stream-metrics.ts';
import { countDynamoDb, hasCapacity } from './usage.ts';

const WRITES = new Set([
  ...['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems'],
  ...['ExecuteStatement', 'ExecuteTransaction', 'BatchExecuteStatement'],
]);

/** DynamoDB and its streams, by a process of their own. */
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
  await using started = new AsyncDisposableStack();
  const { endpoint } = await startDatabase(host, started);
  const proxy = new DynamoDbProxy(endpoint);
  started.defer(() => proxy.close());
  // Only the gateway counts, and makes signatures fit for a DynamoDB that is not the runtime's own.
  const needsGateway = host.usage !== undefined || host.options.dynamodbEndpoint !== undefined;
  const functionsUrl = needsGateway ? host.awsUrl : await startFront(endpoint, host, started);
  const listeners: (() => void)[] = [];
  let partitionKeys = new Map<string, string | undefined>();
  const owned = started.move();
  return {
    handle: { endpoint, functionsUrl, onWrite: (listener) => void listeners.push(listener) },
    api: async ({ operation, input, caller, request, isMetered }) => {
      const { target: url, headers, body } = request;
      const isCounted = isMetered && hasCapacity(operation);
      const answer = await (isCounted
        ? proxy.answerCounted({ url, headers, body }, input)
        : proxy.answer({ url, headers, body }));
      if (WRITES.has(operation) && caller.functionName === undefined) for (const listener of listeners) listener();
      return answer;
    },
    meter: (usage, { operation, input, output }) => {
      if (!(output instanceof CountedAnswer)) return;
      countDynamoDb(usage, { operation, input, output: output.output }, (table) => partitionKeys.get(table));
    },
    activate: (stacks) => {
      partitionKeys = partitionKeysOf(stacks);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startDatabase({ options, dataDirectory }: Host, started: AsyncDisposableStack) {
  if (options.dynamodbEndpoint !== undefined) return { endpoint: options.dynamodbEndpoint };
  const database = await startDynamoDb({ dataDirectory, onExit: (reason) => options.onFailure?.(reason) });
  started.defer(database.stop);
  return database;
}

/** @returns the URL of what functions reach DynamoDB through */
async function startFront(endpoint: string, host: Host, started: AsyncDisposableStack): Promise<string> {
  const front = await startDynamoDbFront({
    endpoint,
    gateway: host.gateway,
    allows: ({ accessKeyId, operation, body }) => {
      try {
        const input = JSON.parse(body.toString());
        return host.authorizer.allows(accessKeyId, { service: 'dynamodb', operation, input });
      } catch {
        // What cannot be read is the gateway's to answer.
        return false;
      }
    },
  });
  started.defer(front.stop);
  return front.url;
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
