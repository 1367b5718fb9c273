import { AwsError } from '../../core/aws-error.ts';
import { invalidArgument } from './errors.ts';

/** Where in a shard an iterator is. */
export interface IteratorPosition {
  streamName: string;
  /** Of the stream, in milliseconds: a stream that is made again under the same name has other iterators. */
  createdAt: number;
  shard: number;
  /** Of the next record. */
  position: number;
}

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html */
const EXPIRES_AFTER_MS = 5 * 60 * 1000;

/** @param now milliseconds since the epoch */
export function formatIterator({ streamName, createdAt, shard, position }: IteratorPosition, now: number): string {
  return Buffer.from(JSON.stringify([1, streamName, createdAt, shard, position, now])).toString('base64');
}

/**
 * Reads an iterator.
 * @throws AwsError InvalidArgumentException for what this service has not made; ExpiredIteratorException after five minutes
 */
export function readIterator(iterator: string, now: number): IteratorPosition {
  const [version, streamName, createdAt, shard, position, madeAt] = parse(iterator);
  const numbers = [createdAt, shard, position, madeAt];
  if (version !== 1 || typeof streamName !== 'string' || !numbers.every(Number.isSafeInteger)) {
    throw invalidArgument('Invalid ShardIterator.');
  }
  const made = madeAt as number;
  if (now - made > EXPIRES_AFTER_MS) {
    throw new AwsError(
      'ExpiredIteratorException',
      `Iterator expired. The iterator was created at time ${utc(made)} while right now it is ${utc(now)} which is ` +
        `further in the future than the tolerated delay of ${EXPIRES_AFTER_MS} milliseconds.`,
    );
  }
  return { streamName, createdAt: createdAt as number, shard: shard as number, position: position as number };
}

/** The stream of an iterator, whether it has expired or not; undefined for what is not an iterator. */
export function streamOfIterator(iterator: unknown): string | undefined {
  const name = parse(String(iterator))[1];
  return typeof name === 'string' ? name : undefined;
}

function parse(iterator: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(iterator, 'base64').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** @example utc(0) // 'Thu Jan 01 00:00:00 UTC 1970' */
function utc(time: number): string {
  const [weekday = '', day, month, year, clock] = new Date(time).toUTCString().split(' ');
  return `${weekday.slice(0, -1)} ${month} ${day} ${clock} UTC ${year}`;
}
