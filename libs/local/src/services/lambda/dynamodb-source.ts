import type { SourceRecord, SourceShard, StreamSource } from './stream-source.ts';

/** Calls an operation of the DynamoDB Streams API: `call('GetRecords', { ShardIterator })`. Rejects with an error that has a `code`. */
export type StreamsCall = (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** A record as DynamoDB Streams gives it. */
export interface DynamoDbRecord {
  eventID: string;
  eventName: string;
  eventSource: string;
  awsRegion: string;
  dynamodb: {
    SequenceNumber: string;
    ApproximateCreationDateTime?: number /* epoch seconds */;
    Keys?: Readonly<Record<string, unknown>>;
    [key: string]: unknown;
  };
}

interface DescribedShard {
  ShardId: string;
  ParentShardId?: string;
}

export interface DynamoDbSourceOptions {
  arn: string;
  call: StreamsCall;
  /** The clock of the database; the machine's unless given. */
  now?: () => number;
  onRecords?: (listener: () => void) => () => void;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html */
const MAX_RECORDS = 1000;

/** A stream of a table. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html */
export function dynamoDbSource({ arn, call, now = Date.now, onRecords }: DynamoDbSourceOptions): StreamSource {
  return {
    arn,
    title: 'DynamoDB',
    batchInfo: 'DDBStreamBatchInfo',
    startingPositions: ['TRIM_HORIZON', 'LATEST'],
    now,
    shards: () => shardsOf(arn, call),
    iterator: async (ShardId, { type, sequenceNumber }) => {
      const input = { StreamArn: arn, ShardId, ShardIteratorType: type };
      const numbered = sequenceNumber === undefined ? input : { ...input, SequenceNumber: sequenceNumber };
      return String((await call('GetShardIterator', numbered)).ShardIterator);
    },
    read: async (_shardId, ShardIterator, limit) => {
      const answer = await call('GetRecords', { ShardIterator, Limit: Math.min(limit, MAX_RECORDS) });
      const records = (answer.Records ?? []) as DynamoDbRecord[];
      return {
        records: records.map((record) => dynamoDbRecord(record, arn)),
        next: answer.NextShardIterator as string | undefined,
      };
    },
    ...(onRecords && { onRecords }),
  };
}

/** A record as a mapping handles it. @param arn of its stream */
export function dynamoDbRecord(record: DynamoDbRecord, arn: string): SourceRecord {
  const { SequenceNumber, ApproximateCreationDateTime: seconds, Keys = {} } = record.dynamodb;
  const event = { ...record, awsRegion: arn.split(':')[3] ?? '', eventSourceARN: arn };
  return {
    event,
    filterable: event,
    sequenceNumber: SequenceNumber,
    arrivedAt: seconds === undefined ? undefined : seconds * 1000,
    orderKey: () => JSON.stringify(Object.entries(Keys).sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

async function shardsOf(StreamArn: string, call: StreamsCall): Promise<SourceShard[]> {
  const shards: DescribedShard[] = [];
  let last: string | undefined;
  do {
    const { StreamDescription } = await call('DescribeStream', {
      StreamArn,
      ...(last === undefined ? {} : { ExclusiveStartShardId: last }),
    });
    const page = StreamDescription as { Shards?: DescribedShard[]; LastEvaluatedShardId?: string };
    shards.push(...(page.Shards ?? []));
    last = page.LastEvaluatedShardId;
  } while (last !== undefined);
  return shards.map(({ ShardId, ParentShardId }) => ({
    id: ShardId,
    parents: ParentShardId === undefined ? [] : [ParentShardId],
  }));
}
