import { AwsError } from '../../core/aws-error.ts';
import type { Host } from '../../core/service.ts';
import { dynamodb } from '../dynamodb/index.ts';
import { kinesis } from '../kinesis/index.ts';
import { dynamoDbSource } from '../lambda/dynamodb-source.ts';
import type { EventSourceMapping, EventSourceMappingProperties } from '../lambda/event-source-mapping.ts';
import { kinesisSource } from '../lambda/kinesis-source.ts';
import { startSqsMapping } from '../lambda/sqs-mapping.ts';
import { startStreamMapping } from '../lambda/stream-mapping.ts';
import type { SourceRecord, StreamSource } from '../lambda/stream-source.ts';
import { sqs } from '../sqs/index.ts';
import { kindOf, type Pipe, type SourceSettings } from './pipe.ts';
import type { PipeStore } from './pipe-store.ts';
import { runnerOf } from './run.ts';
import { batchLimitOf, isApiDestination } from './target.ts';

/** A service whose events pipes read. */
interface SourceKind {
  /**
   * What the role of a pipe has to allow. All of it is asked for before each read.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html
   */
  readonly actions: readonly string[];
  readonly defaultBatchSize: number;
  settingsOf(pipe: Pick<Pipe, 'SourceParameters'>): SourceSettings | undefined;
  start(pipe: Pipe, properties: EventSourceMappingProperties, host: Host, store: PipeStore): EventSourceMapping;
}

/** The sources by the service of their ARN. */
export const SOURCES: Readonly<Record<string, SourceKind>> = {
  sqs: {
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    defaultBatchSize: 10,
    settingsOf: ({ SourceParameters }) => SourceParameters?.SqsQueueParameters,
    start: startQueue,
  },
  dynamodb: {
    actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
    defaultBatchSize: 100,
    settingsOf: ({ SourceParameters }) => SourceParameters?.DynamoDBStreamParameters,
    start: (pipe, properties, host, store) => startStream(pipe, properties, tableStream(pipe, host), { host, store }),
  },
  kinesis: {
    actions: ['DescribeStream', 'GetRecords', 'GetShardIterator'].map((name) => `kinesis:${name}`),
    defaultBatchSize: 100,
    settingsOf: ({ SourceParameters }) => SourceParameters?.KinesisStreamParameters,
    start: (pipe, properties, host, store) => startStream(pipe, properties, kinesisStream(pipe, host), { host, store }),
  },
};

/** Batches of a queue that are under way at once. */
const CONCURRENCY = 10;

/** The most events of one batch: what the pipe says, or the source's default as far as enrichment and target take it. */
export function batchSizeOf(pipe: Pick<Pipe, 'Source' | 'SourceParameters' | 'Enrichment' | 'Target'>): number {
  const kind = SOURCES[kindOf(pipe.Source)];
  return kind?.settingsOf(pipe)?.BatchSize ?? Math.min(kind?.defaultBatchSize ?? 1, largestBatch(pipe));
}

/** How many events enrichment and target take at once. */
export function largestBatch({ Enrichment, Target }: Pick<Pipe, 'Enrichment' | 'Target'>): number {
  if (Enrichment && isApiDestination(Enrichment)) return 1;
  return batchLimitOf(Target) ?? 10_000;
}

/**
 * Starts reading the source of a pipe.
 * @throws Error with the reason why the source cannot be read
 */
export function startSource(pipe: Pipe, host: Host, store: PipeStore): EventSourceMapping {
  const kind = SOURCES[kindOf(pipe.Source)];
  if (!kind) throw new Error(`Pipes do not read ${kindOf(pipe.Source)} on this machine`);
  authorizer(pipe, kind, host)();
  const { MaximumBatchingWindowInSeconds } = kind.settingsOf(pipe) ?? {};
  return kind.start(
    pipe,
    {
      EventSourceArn: pipe.Source,
      FunctionName: pipe.Arn,
      BatchSize: batchSizeOf(pipe),
      ...(MaximumBatchingWindowInSeconds === undefined ? {} : { MaximumBatchingWindowInSeconds }),
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ...(pipe.SourceParameters?.FilterCriteria ? { FilterCriteria: pipe.SourceParameters.FilterCriteria } : {}),
    },
    host,
    store,
  );
}

/** Makes what asks for the permissions of a pipe's role. It throws AwsError where one is missing. */
function authorizer({ Arn, RoleArn, Source }: Pipe, { actions }: SourceKind, host: Host): () => void {
  const sender = { service: 'pipes.amazonaws.com', sourceArn: Arn, roleArn: RoleArn };
  return () => {
    for (const action of actions) {
      const refusal = host.authorizer.findSenderRefusal(sender, { action, resource: Source });
      if (refusal) throw new AwsError('AccessDeniedException', refusal.message, 403);
    }
  };
}

function startQueue(pipe: Pipe, properties: EventSourceMappingProperties, host: Host): EventSourceMapping {
  return startSqsMapping({
    clock: host.clock,
    properties,
    queue: host.handleOf(sqs).source(pipe.Source, authorizer(pipe, SOURCES.sqs as SourceKind, host)),
    functionArn: pipe.Arn,
    functionTimeoutSeconds: 0,
    functionConcurrency: CONCURRENCY,
    invoke: runnerOf(pipe, host),
    onWarning: host.warn,
  });
}

function tableStream(pipe: Pipe, host: Host): StreamSource {
  const tables = host.handleOf(dynamodb);
  const authorize = authorizer(pipe, SOURCES.dynamodb as SourceKind, host);
  return dynamoDbSource({
    arn: pipe.Source,
    ...(host.options.dynamodbEndpoint === undefined && { now: () => host.clock.now() }),
    call: (operation, input) => {
      authorize();
      return tables.call(operation, input);
    },
    onRecords: (listener) => tables.onRecords(pipe.Source, listener),
  });
}

function kinesisStream(pipe: Pipe, host: Host): StreamSource {
  const streams = host.handleOf(kinesis);
  if (!streams.isThere(pipe.Source)) throw new Error(`The Kinesis stream ${pipe.Source} does not exist`);
  const authorize = authorizer(pipe, SOURCES.kinesis as SourceKind, host);
  const source = kinesisSource({
    arn: pipe.Source,
    now: () => host.clock.now(),
    call: async (operation, input) => {
      authorize();
      return streams.call(operation, input);
    },
    onRecords: (listener) => streams.onRecords(pipe.Source, listener),
    roleArn: pipe.RoleArn,
  });
  return {
    ...source,
    read: async (shardId, iterator, limit) => {
      const { records, next } = await source.read(shardId, iterator, limit);
      return { records: records.map(flatten), next };
    },
  };
}

/**
 * Pipes have the members of a record beside those of its event.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
 */
function flatten(record: SourceRecord): SourceRecord {
  const { kinesis: members, ...rest } = record.event as { kinesis: object };
  return { ...record, event: { ...members, ...rest }, filterable: { ...rest, ...record.filterable } };
}

function startStream(
  pipe: Pipe,
  properties: EventSourceMappingProperties,
  source: StreamSource,
  { host, store }: { host: Host; store: PipeStore },
): EventSourceMapping {
  const settings = SOURCES[kindOf(pipe.Source)]?.settingsOf(pipe) ?? {};
  const { DeadLetterConfig, OnPartialBatchItemFailure, ...rest } = settings;
  const sender = { service: 'pipes.amazonaws.com', sourceArn: pipe.Arn, roleArn: pipe.RoleArn };
  return startStreamMapping({
    clock: host.clock,
    properties: {
      ...rest,
      ...properties,
      BisectBatchOnFunctionError: OnPartialBatchItemFailure === 'AUTOMATIC_BISECT',
      ...(DeadLetterConfig?.Arn ? { DestinationConfig: { OnFailure: { Destination: DeadLetterConfig.Arn } } } : {}),
    },
    functionArn: pipe.Arn,
    source,
    invoke: runnerOf(pipe, host),
    sendToDestination: (arn, body) => host.deliver(arn, body, { sender }),
    failureContext: (condition) => ({ context: { partnerResourceArn: pipe.Arn, condition } }),
    checkpoints: {
      load: async (key) => store.loadCheckpoint(pipe.Name, key),
      save: async (key, value) => store.saveCheckpoint(pipe.Name, key, value),
    },
    onWarning: host.warn,
  });
}
