import type { SourceRecord, SourceShard, StreamSource } from './stream-source.ts';

/** Calls an operation of Kinesis. Rejects with an error that has a `code`. */
export type KinesisCall = (
  operation: 'DescribeStream' | 'GetRecords' | 'GetShardIterator',
  input: Record<string, unknown>,
) => Promise<unknown>;

interface KinesisRecord {
  SequenceNumber: string;
  /** Seconds since the epoch. */
  ApproximateArrivalTimestamp: number;
  /** In base64. */
  Data: string;
  PartitionKey: string;
  EncryptionType?: string;
}

interface DescribedShard {
  ShardId: string;
  ParentShardId?: string;
  AdjacentParentShardId?: string;
}

export interface KinesisSourceOptions {
  arn: string;
  call: KinesisCall;
  now: () => number;
  onRecords: (listener: () => void) => () => void;
  /** The role that the records are read with. */
  roleArn: string;
}

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html */
const MAX_RECORDS = 10_000;

/** A Kinesis stream. https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html */
export function kinesisSource({ arn, call, now, onRecords, roleArn }: KinesisSourceOptions): StreamSource {
  return {
    arn,
    title: 'Kinesis',
    batchInfo: 'KinesisBatchInfo',
    startingPositions: ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'],
    filterData: 'data',
    now,
    onRecords,
    shards: () => shardsOf(arn, call),
    iterator: async (ShardId, { type, sequenceNumber, timestamp }) => {
      const answer = await call('GetShardIterator', {
        StreamARN: arn,
        ShardId,
        ShardIteratorType: type,
        ...(sequenceNumber !== undefined && { StartingSequenceNumber: sequenceNumber }),
        ...(timestamp !== undefined && { Timestamp: timestamp / 1000 }),
      });
      return (answer as { ShardIterator: string }).ShardIterator;
    },
    read: async (shardId, ShardIterator, limit) => {
      const answer = await call('GetRecords', { StreamARN: arn, ShardIterator, Limit: Math.min(limit, MAX_RECORDS) });
      const { Records, NextShardIterator } = answer as { Records: KinesisRecord[]; NextShardIterator?: string };
      return { records: Records.map((record) => recordOf(record, { arn, shardId, roleArn })), next: NextShardIterator };
    },
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html#services-kinesis-event-example */
function recordOf(
  { SequenceNumber, ApproximateArrivalTimestamp, Data, PartitionKey, EncryptionType }: KinesisRecord,
  { arn, shardId, roleArn }: { arn: string; shardId: string; roleArn: string },
): SourceRecord {
  const kinesis = {
    kinesisSchemaVersion: '1.0',
    partitionKey: PartitionKey,
    sequenceNumber: SequenceNumber,
    data: Data,
    approximateArrivalTimestamp: ApproximateArrivalTimestamp,
    ...(EncryptionType !== undefined && { encryptionType: EncryptionType }),
  };
  return {
    event: {
      kinesis,
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${shardId}:${SequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: roleArn,
      awsRegion: arn.split(':')[3] ?? '',
      eventSourceARN: arn,
    },
    // Filters see the data as text. https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis-filtering.html
    filterable: { ...kinesis, data: Buffer.from(Data, 'base64').toString() },
    sequenceNumber: SequenceNumber,
    arrivedAt: ApproximateArrivalTimestamp * 1000,
    orderKey: () => PartitionKey,
  };
}

async function shardsOf(StreamARN: string, call: KinesisCall): Promise<SourceShard[]> {
  const shards: DescribedShard[] = [];
  let hasMore = true;
  while (hasMore) {
    const last = shards.at(-1)?.ShardId;
    const { StreamDescription } = (await call('DescribeStream', {
      StreamARN,
      ...(last !== undefined && { ExclusiveStartShardId: last }),
    })) as { StreamDescription: { Shards: DescribedShard[]; HasMoreShards: boolean } };
    shards.push(...StreamDescription.Shards);
    hasMore = StreamDescription.HasMoreShards;
  }
  return shards.map(({ ShardId, ParentShardId, AdjacentParentShardId }) => ({
    id: ShardId,
    parents: [ParentShardId, AdjacentParentShardId].filter((id) => id !== undefined),
  }));
}
