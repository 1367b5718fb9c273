import { createHash } from 'node:crypto';

/** A part of a stream: the records whose hash keys are in a range, in order. */
export interface Shard {
  index: number;
  /** The shards that it came from by a split or a merge. */
  parents: readonly number[];
  /** First and last hash key, as decimal numbers. */
  start: string;
  end: string;
  /** Part of its sequence numbers, in seconds: later than that of its parents, also if both were made in the same second. */
  second: number;
  /** Milliseconds since the epoch. */
  openedAt: number;
  closedAt?: number;
  /** Of a closed shard: the position behind its last record. */
  endPosition?: number;
}

export type StreamMode = 'PROVISIONED' | 'ON_DEMAND';

export interface Consumer {
  name: string;
  createdAt: number;
  tags: Record<string, string>;
}

/** A stream with its settings. Its records are in the store. */
export interface Stream {
  name: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  mode: StreamMode;
  retentionHours: number;
  maxRecordKiB: number;
  /** The key that was set. Nothing is encrypted. */
  keyId?: string;
  shardMetrics: string[];
  tags: Record<string, string>;
  shards: Shard[];
  consumers: Consumer[];
  /** It comes from a template, and goes when the template no longer has it. */
  isDeclared: boolean;
}

/** One above the largest hash key. */
export const HASH_KEYS = 2n ** 128n;

/** @example shardId(3) // 'shardId-000000000003' */
export function shardId(index: number): string {
  return `shardId-${String(index).padStart(12, '0')}`;
}

/**
 * Where a record belongs: the MD5 of its partition key as a number.
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
 */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash('md5').update(partitionKey, 'utf8').digest('hex')}`);
}

export function openShards({ shards }: Pick<Stream, 'shards'>): Shard[] {
  return shards.filter(({ closedAt }) => closedAt === undefined);
}

/** Splits all hash keys into ranges of one size. @example evenRanges(2) // two ranges, each with its first and last hash key */
export function evenRanges(count: number): { start: bigint; end: bigint }[] {
  const size = HASH_KEYS / BigInt(count);
  return Array.from({ length: count }, (_, index) => ({
    start: size * BigInt(index),
    end: (index === count - 1 ? HASH_KEYS : size * BigInt(index + 1)) - 1n,
  }));
}
