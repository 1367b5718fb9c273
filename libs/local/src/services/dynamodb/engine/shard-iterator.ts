import { DynamoDbError, validationError } from './dynamodb-error.ts';

/** Where in a shard an iterator is. */
export interface IteratorPosition {
  shardId: string;
  /** Number of the next record. */
  position: number;
  /** Milliseconds since 1970. */
  madeAt: number;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html */
const EXPIRES_AFTER_MS = 15 * 60 * 1000;

/** A shard iterator: in front the ARN of its stream, as AWS has it, then what only this engine reads. */
export function formatIterator(streamArn: string, { shardId, position, madeAt }: IteratorPosition): string {
  const content = Buffer.from(`${shardId} ${position} ${madeAt}`).toString('base64');
  return `${streamArn}|1|${content}`;
}

/**
 * Reads a shard iterator.
 * @throws DynamoDbError ExpiredIteratorException after 15 minutes; ValidationException when this engine has not made it
 */
export function readIterator(iterator: unknown, now: number): IteratorPosition & { streamArn: string } {
  const [, streamArn, content = ''] = /^(arn:[^|]*)\|1\|([A-Za-z0-9+/=]+)$/.exec(String(iterator)) ?? [];
  const text = Buffer.from(content, 'base64').toString();
  const [, shardId, position, madeAt] = /^(shardId-\S+) (\d+) (\d+)$/.exec(text) ?? [];
  if (streamArn === undefined || shardId === undefined) throw validationError('Invalid ShardIterator');
  if (now - Number(madeAt) > EXPIRES_AFTER_MS) {
    throw new DynamoDbError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${httpDate(Number(madeAt))} while right now it is ${httpDate(now)} which is further in the future than the tolerated delay of ${EXPIRES_AFTER_MS} milliseconds.`,
    );
  }
  return { streamArn, shardId, position: Number(position), madeAt: Number(madeAt) };
}

function httpDate(time: number): string {
  return new Date(time).toUTCString();
}
