import type { Input } from '../../core/access.ts';
import {
  checkInput,
  list,
  mapOf,
  oneOf,
  required,
  type Shape,
  structure,
  text,
  time,
  whole,
} from '../../core/shapes.ts';

// The constraints of https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Operations.html

const streamName = text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ });
const streamArn = text({ min: 1, max: 2048, pattern: /^arn:aws.*:kinesis:.*:\d{12}:stream\/\S+$/ });
const consumerArn = text({
  min: 1,
  max: 2048,
  pattern: /^arn:aws.*:kinesis:.*:\d{12}:stream\/\S+\/consumer\/\S+:\d+$/,
});
const resourceArn = text({ min: 1, max: 2048, pattern: /^arn:aws.*:kinesis:.*:\d{12}:.*stream\/\S+$/ });
const shardName = text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ });
const hashKey = text({ pattern: /^(0|[1-9]\d{0,38})$/ });
const token = text({ min: 1, max: 1_048_576 });
const tags = mapOf(text({ max: 256 }));
const tagKeys = required(list(text({ min: 1, max: 128 }), { min: 1, max: 50 }));
const partitionKey = required(text({ min: 1, max: 256 }));
const sequence = text({ pattern: /^(0|[1-9]\d{0,128})$/ });
const mode = structure({ StreamMode: required(oneOf('PROVISIONED', 'ON_DEMAND')) });
const iteratorType = oneOf('AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER', 'TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP');
const filterType = oneOf(
  ...['AFTER_SHARD_ID', 'AT_TRIM_HORIZON', 'FROM_TRIM_HORIZON', 'AT_LATEST', 'AT_TIMESTAMP', 'FROM_TIMESTAMP'],
);
/** The shard-level metrics, without `ALL`. */
export const SHARD_METRICS: readonly string[] = [
  ...['IncomingBytes', 'IncomingRecords', 'OutgoingBytes', 'OutgoingRecords'],
  ...['WriteProvisionedThroughputExceeded', 'ReadProvisionedThroughputExceeded', 'IteratorAgeMilliseconds'],
];
const metrics = structure({
  StreamName: streamName,
  StreamARN: streamArn,
  ShardLevelMetrics: required(list(oneOf(...SHARD_METRICS, 'ALL'), { min: 1, max: 7 })),
});
const named = { StreamName: streamName, StreamARN: streamArn };
const stream = structure(named);
const retention = structure({ ...named, RetentionPeriodHours: required(whole()) });
const encryption = structure({
  ...named,
  EncryptionType: required(oneOf('NONE', 'KMS')),
  KeyId: required(text({ min: 1, max: 2048 })),
});
const consumer = structure({
  StreamARN: streamArn,
  ConsumerName: text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ }),
  ConsumerARN: consumerArn,
});
const record = { Data: required(text()), PartitionKey: partitionKey, ExplicitHashKey: hashKey };

/** What each operation takes. */
export const inputs = {
  AddTagsToStream: structure({ ...named, Tags: required(tags) }),
  CreateStream: structure({
    StreamName: required(streamName),
    ShardCount: whole({ min: 1 }),
    StreamModeDetails: mode,
    MaxRecordSizeInKiB: whole({ min: 1024, max: 10_240 }),
    Tags: tags,
  }),
  DecreaseStreamRetentionPeriod: retention,
  DeleteStream: stream,
  DeregisterStreamConsumer: consumer,
  DescribeLimits: structure({}),
  DescribeStream: structure({ ...named, Limit: whole({ min: 1, max: 10_000 }), ExclusiveStartShardId: shardName }),
  DescribeStreamConsumer: consumer,
  DescribeStreamSummary: stream,
  DisableEnhancedMonitoring: metrics,
  EnableEnhancedMonitoring: metrics,
  GetRecords: structure({
    ShardIterator: required(text({ min: 1, max: 512 })),
    Limit: whole({ min: 1, max: 10_000 }),
    StreamARN: streamArn,
  }),
  GetShardIterator: structure({
    ...named,
    ShardId: required(shardName),
    ShardIteratorType: required(iteratorType),
    StartingSequenceNumber: sequence,
    Timestamp: time(),
  }),
  IncreaseStreamRetentionPeriod: retention,
  ListShards: structure({
    ...named,
    NextToken: token,
    ExclusiveStartShardId: shardName,
    MaxResults: whole({ min: 1, max: 10_000 }),
    StreamCreationTimestamp: time(),
    ShardFilter: structure({ Type: required(filterType), ShardId: shardName, Timestamp: time() }),
  }),
  ListStreamConsumers: structure({
    StreamARN: required(streamArn),
    NextToken: token,
    MaxResults: whole({ min: 1, max: 10_000 }),
    StreamCreationTimestamp: time(),
  }),
  ListStreams: structure({
    Limit: whole({ min: 1, max: 10_000 }),
    ExclusiveStartStreamName: streamName,
    NextToken: token,
  }),
  ListTagsForResource: structure({ ResourceARN: required(resourceArn) }),
  ListTagsForStream: structure({
    ...named,
    ExclusiveStartTagKey: text({ min: 1, max: 128 }),
    Limit: whole({ min: 1, max: 50 }),
  }),
  MergeShards: structure({ ...named, ShardToMerge: required(shardName), AdjacentShardToMerge: required(shardName) }),
  PutRecord: structure({ ...named, ...record, SequenceNumberForOrdering: sequence }),
  PutRecords: structure({ ...named, Records: required(list(structure(record), { min: 1, max: 500 })) }),
  RegisterStreamConsumer: structure({
    StreamARN: required(streamArn),
    ConsumerName: required(text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9_.-]+$/ })),
    Tags: tags,
  }),
  RemoveTagsFromStream: structure({ ...named, TagKeys: tagKeys }),
  SplitShard: structure({ ...named, ShardToSplit: required(shardName), NewStartingHashKey: required(hashKey) }),
  StartStreamEncryption: encryption,
  StopStreamEncryption: encryption,
  TagResource: structure({ ResourceARN: required(resourceArn), Tags: required(tags) }),
  UntagResource: structure({ ResourceARN: required(resourceArn), TagKeys: tagKeys }),
  UpdateMaxRecordSize: structure({
    StreamARN: required(streamArn),
    MaxRecordSizeInKiB: required(whole({ min: 1024, max: 10_240 })),
  }),
  UpdateShardCount: structure({
    ...named,
    TargetShardCount: required(whole({ min: 1 })),
    ScalingType: required(oneOf('UNIFORM_SCALING')),
  }),
  UpdateStreamMode: structure({ StreamARN: required(streamArn), StreamModeDetails: required(mode) }),
} as const satisfies Readonly<Record<string, Shape>>;

export type KinesisOperation = keyof typeof inputs;

/** @throws AwsError ValidationException, SerializationException */
export function check(operation: KinesisOperation, input: Input): void {
  checkInput(inputs[operation], input);
}
