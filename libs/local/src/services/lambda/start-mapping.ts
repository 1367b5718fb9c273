import { AwsError } from '../../core/aws-error.ts';
import { serviceOfArn } from '../../core/delivery.ts';
import type { Host } from '../../core/service.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { reportStreamRead } from '../dynamodb/metrics.ts';
import { countStreamRead } from '../dynamodb/stream-usage.ts';
import { kinesis } from '../kinesis/index.ts';
import { sqs } from '../sqs/index.ts';
import type { QueueSource } from '../sqs/queue-source.ts';
import type { Destinations } from './destinations.ts';
import { requireQualifier, SYNCHRONOUS_SECONDS } from './durable/durable-config.ts';
import { dynamoDbSource } from './dynamodb-source.ts';
import type { EventSourceMapping, EventSourceMappingProperties, Invoke } from './event-source-mapping.ts';
import { functionMetrics } from './function-metrics.ts';
import type { FunctionPool, InvokeOptions } from './function-pool.ts';
import { kinesisSource } from './kinesis-source.ts';
import { invalidParameter } from './lambda-errors.ts';
import type { LocalFunction, VersionConfiguration } from './local-function.ts';
import type { Checkpoints } from './shard-checkpoint.ts';
import { startSqsMapping } from './sqs-mapping.ts';
import { startStreamMapping } from './stream-mapping.ts';
import type { StreamSource } from './stream-source.ts';

/**
 * What a function's role has to allow for Lambda to read its queue or stream; here all of it is asked for before each read.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-permissions
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
 */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  sqs: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
  dynamodb: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
  kinesis: ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'].map(
    (name) => `kinesis:${name}`,
  ),
};

/** A mapping that is to be started. */
export interface MappingRequest {
  uuid: string;
  properties: EventSourceMappingProperties;
  found: LocalFunction;
  qualifier: string | undefined;
}

/**
 * Starts what polls an event source.
 * @throws AwsError for settings and event sources that Lambda would refuse
 */
export function startMapping(
  { uuid, properties, found, qualifier }: MappingRequest,
  host: Host,
  checkpoints: Checkpoints | undefined,
  destinations: Destinations,
): EventSourceMapping {
  const common = {
    uuid,
    properties,
    functionArn: found.arnOf(qualifier),
    invoke: (payload: string, options?: InvokeOptions) => found.invoke(payload, { ...options, qualifier }),
    onWarning: host.warn,
  };
  const { pool, configuration } = found.version(qualifier);
  requireSynchronous(configuration, qualifier);
  const source = String(properties.EventSourceArn);
  if (source.startsWith('arn:aws:sqs:')) return startQueueMapping(common, pool, host);
  const open = SOURCES[serviceOfArn(source)];
  if (open)
    return startStream(common, open(source, pool.definition.name, host), { pool, host, checkpoints, destinations });
  throw invalidParameter(
    `Unrecognized event source, must be kinesis, dynamodb stream or sqs. Unsupported source arn: ${source}`,
  );
}

/**
 * Checks that a function's role lets Lambda read an event source, as it does when a mapping is created.
 * @throws AwsError InvalidParameterValueException
 */
export function requireSourcePermissions({ authorizer }: Host, functionName: string, source: string): void {
  const isQueue = source.startsWith('arn:aws:sqs:');
  const refused = ACTIONS[serviceOfArn(source)]?.find((action) =>
    authorizer.findSenderRefusal({ functionName }, { action, resource: source }),
  );
  if (refused === undefined) return;
  throw invalidParameter(
    isQueue
      ? `The function execution role does not have permissions to call ${refused.slice('sqs:'.length)} on SQS`
      : `Cannot access stream ${source}. Please ensure the role can perform the GetRecords, GetShardIterator, ` +
          'DescribeStream, and ListStreams Actions on your stream in IAM.',
  );
}

function queueOf(arn: string, authorize: () => void, host: Host): QueueSource {
  try {
    return host.handleOf(sqs).source(arn, authorize);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    throw invalidParameter(
      'Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. ' +
        `SQS Error Message: The specified queue does not exist: ${arn}`,
    );
  }
}

/** What mappings of queues and streams have in common. */
interface MappingBase {
  uuid: string;
  properties: EventSourceMappingProperties;
  functionArn: string;
  invoke: Invoke;
  onWarning: (line: string) => void;
}

function startQueueMapping(common: MappingBase, pool: FunctionPool, host: Host): EventSourceMapping {
  const { name, timeoutSeconds, concurrency } = pool.definition;
  const source = common.properties.EventSourceArn;
  return startSqsMapping({
    ...common,
    clock: host.clock,
    queue: queueOf(source, () => authorize(name, source, host), host),
    functionTimeoutSeconds: timeoutSeconds,
    functionConcurrency: concurrency,
  });
}

/** @throws AwsError where the role of a function does not allow to read a source */
function authorize(functionName: string, source: string, { authorizer }: Host): void {
  for (const action of ACTIONS[serviceOfArn(source)] ?? []) {
    authorizer.authorizeRole(functionName, { action, resource: source });
  }
}

/** How a stream is read in the name of a function, by the service of its ARN. */
const SOURCES: Readonly<Record<string, (arn: string, functionName: string, host: Host) => StreamSource>> = {
  dynamodb: (arn, functionName, host) => {
    const tables = host.handleOf(dynamodb);
    return dynamoDbSource({
      arn,
      // A database outside has the machine's clock.
      ...(host.options.dynamodbEndpoint === undefined && { now: () => host.clock.now() }),
      call: async (operation, input) => {
        authorize(functionName, arn, host);
        const startedAt = performance.now();
        const output = await tables.call(operation, input);
        if (operation === 'GetRecords') reportStreamRead(host, arn, performance.now() - startedAt);
        if (host.usage) countStreamRead(host.usage, arn, output);
        return output;
      },
      onRecords: (listener) => tables.onRecords(arn, listener),
    });
  },
  kinesis: (arn, functionName, host) => {
    const streams = host.handleOf(kinesis);
    if (!streams.isThere(arn)) throw invalidParameter(`Stream not found: ${arn}`);
    return kinesisSource({
      arn,
      now: () => host.clock.now(),
      call: async (operation, input) => {
        authorize(functionName, arn, host);
        return streams.call(operation, input);
      },
      onRecords: (listener) => streams.onRecords(arn, listener),
      roleArn: host.authorizer.callerOfSender({ functionName }).principalArn,
    });
  },
};

function startStream(
  common: MappingBase,
  source: StreamSource,
  {
    pool,
    host,
    checkpoints,
    destinations,
  }: { pool: FunctionPool; host: Host; checkpoints: Checkpoints | undefined; destinations: Destinations },
): EventSourceMapping {
  const { name } = pool.definition;
  const report = functionMetrics(host, name);
  return startStreamMapping({
    clock: host.clock,
    ...common,
    ...(checkpoints ? { checkpoints } : {}),
    source,
    onIteratorAge: (age) => report('IteratorAge', age),
    sendToDestination: async (arn, body, shardId) => {
      try {
        if (!arn.startsWith('arn:aws:s3:')) await destinations.deliver(name, arn, body);
        else await destinations.putObject(name, arn, `${common.uuid}/${shardId}`, body);
      } catch (error) {
        report('DestinationDeliveryFailures', 1);
        throw error;
      }
    },
  });
}

/**
 * Mappings wait for the end of a durable execution.
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking-esm.html
 *
 * @throws AwsError InvalidParameterValueException
 */
function requireSynchronous({ durable }: Pick<VersionConfiguration, 'durable'>, qualifier: string | undefined): void {
  if (!durable) return;
  requireQualifier(qualifier);
  if (durable.executionTimeoutSeconds > SYNCHRONOUS_SECONDS) {
    throw invalidParameter(
      'You cannot create an event source mapping for a durable function with an executionTimeout greater than 15 minutes.',
    );
  }
}
