import type { Input } from '../../core/access.ts';
import { invalidArgument, limitExceeded, notFound, validation } from './errors.ts';
import { evenRanges, openShards, type Shard, type Stream, shardId } from './stream.ts';
import type { StreamDirectory } from './stream-directory.ts';

/** Of one stream. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html */
export const MAX_SHARDS = 10_000;

/** Shards with one even part of the hash keys each, for a new stream. */
export function firstShards(count: number, now: number): Shard[] {
  return evenRanges(count).map(({ start, end }, index) => ({
    index,
    parents: [],
    start: String(start),
    end: String(end),
    second: Math.floor(now / 1000),
    openedAt: now,
  }));
}

/**
 * Changes the shards of streams: a shard is closed, and others take over its hash keys. A consumer reads them once it has read their
 * parents to the end.
 * https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html
 */
export class Resharding {
  readonly #directory: StreamDirectory;

  constructor(directory: StreamDirectory) {
    this.#directory = directory;
  }

  /** SplitShard. @throws AwsError InvalidArgumentException, ResourceNotFoundException, ValidationException, LimitExceededException */
  split(input: Input): void {
    const stream = this.#directory.of(input);
    requireProvisioned(stream, 'SplitShard');
    const shard = this.#openShard(stream, String(input.ShardToSplit), 'SplitShard');
    const key = BigInt(String(input.NewStartingHashKey));
    if (key <= BigInt(shard.start) || key > BigInt(shard.end)) {
      throw invalidArgument(
        `NewStartingHashKey ${key} used in SplitShard() on shard ${shardId(shard.index)} in stream ${stream.name} under ` +
          `account ${this.#directory.accountId} is not both greater than one plus the shard's StartingHashKey ` +
          `${shard.start} and less than the shard's EndingHashKey ${shard.end}.`,
      );
    }
    if (openShards(stream).length >= MAX_SHARDS) throw limitExceeded(`A stream has at most ${MAX_SHARDS} open shards.`);
    this.#reshard(stream, (steps) => steps.split(shard, key));
  }

  /** MergeShards. @throws AwsError InvalidArgumentException, ResourceNotFoundException, ValidationException */
  merge(input: Input): void {
    const stream = this.#directory.of(input);
    requireProvisioned(stream, 'MergeShards');
    const one = this.#openShard(stream, String(input.ShardToMerge), 'MergeShards');
    const other = this.#openShard(stream, String(input.AdjacentShardToMerge), 'MergeShards');
    if (BigInt(one.end) + 1n !== BigInt(other.start) && BigInt(other.end) + 1n !== BigInt(one.start)) {
      throw invalidArgument(
        `Shards ${shardId(one.index)} and ${shardId(other.index)} in stream ${stream.name} under account ` +
          `${this.#directory.accountId} are not an adjacent pair of shards eligible for merging`,
      );
    }
    this.#reshard(stream, (steps) => steps.merge(one, other));
  }

  /** UpdateShardCount. @throws AwsError InvalidArgumentException, ResourceNotFoundException, ValidationException, LimitExceededException */
  update(input: Input): object {
    const stream = this.#directory.of(input);
    requireProvisioned(stream, 'UpdateShardCount');
    const current = openShards(stream).length;
    const target = Number(input.TargetShardCount);
    if (target > MAX_SHARDS) throw limitExceeded(`A stream has at most ${MAX_SHARDS} open shards.`);
    if (target > current * 2 || target < Math.ceil(current / 2)) {
      throw invalidArgument(
        `UpdateShardCount cannot scale ${target > current ? 'up over double' : 'down below half'} your current open ` +
          `shard count. Current open shard count: ${current} Target shard count: ${target}`,
      );
    }
    this.scale(stream, target);
    const { name } = stream;
    return {
      StreamName: name,
      StreamARN: this.#directory.arnOf(name),
      CurrentShardCount: current,
      TargetShardCount: target,
    };
  }

  /** Gives a stream so many shards of one size, by splits and merges. */
  scale(stream: Stream, count: number): void {
    const ranges = evenRanges(count);
    this.#reshard(stream, (steps) => {
      for (const { start } of ranges.slice(1)) {
        const wide = openShards(stream).find((shard) => BigInt(shard.start) < start && start <= BigInt(shard.end));
        if (wide) steps.split(wide, start);
      }
      for (const { start, end } of ranges) {
        const inRange = openShards(stream)
          .filter((shard) => BigInt(shard.start) >= start && BigInt(shard.end) <= end)
          .sort((one, other) => (BigInt(one.start) < BigInt(other.start) ? -1 : 1));
        inRange.reduce((merged, shard) => steps.merge(merged, shard));
      }
    });
  }

  /** Makes all steps of a change together, or none of them. */
  #reshard(stream: Stream, change: (steps: Steps) => void): void {
    const before = structuredClone(stream.shards);
    try {
      this.#directory.store.reshard(stream, (take) => change(new Steps(stream, take, this.#directory.now)));
    } catch (error) {
      stream.shards = before;
      throw error;
    }
    this.#directory.changed(stream.name);
  }

  #openShard(stream: Stream, id: string, operation: string): Shard {
    const under = `in stream ${stream.name} under account ${this.#directory.accountId}`;
    const shard = this.#directory.keptShards(stream).find(({ index }) => shardId(index) === id);
    if (!shard) throw notFound(`Could not find shard ${id} ${under}.`);
    if (shard.closedAt !== undefined) {
      throw invalidArgument(
        `Shard ${id} ${under} has already been merged or split, and thus is not eligible for ${operation}`,
      );
    }
    return shard;
  }
}

/** The steps of one change. */
class Steps {
  readonly #stream: Stream;
  readonly #take: (shard: number) => number;
  readonly #now: number;

  constructor(stream: Stream, take: (shard: number) => number, now: number) {
    this.#stream = stream;
    this.#take = take;
    this.#now = now;
  }

  split(shard: Shard, key: bigint): void {
    this.#close(shard);
    this.#open([shard], shard.start, String(key - 1n));
    this.#open([shard], String(key), shard.end);
  }

  merge(one: Shard, other: Shard): Shard {
    const [low, high] = BigInt(one.start) < BigInt(other.start) ? [one, other] : [other, one];
    this.#close(one);
    this.#close(other);
    return this.#open([one, other], low.start, high.end);
  }

  #close(shard: Shard): void {
    shard.closedAt = this.#now;
    shard.endPosition = this.#take(shard.index);
  }

  #open(parents: readonly Shard[], start: string, end: string): Shard {
    const shard: Shard = {
      index: Math.max(...this.#stream.shards.map(({ index }) => index)) + 1,
      parents: parents.map(({ index }) => index),
      start,
      end,
      second: Math.max(Math.floor(this.#now / 1000), ...parents.map(({ second }) => second + 1)),
      openedAt: this.#now,
    };
    this.#stream.shards.push(shard);
    return shard;
  }
}

function requireProvisioned({ name, mode }: Stream, operation: string): void {
  if (mode === 'PROVISIONED') return;
  throw validation(`${operation} is not valid for stream ${name}, whose capacity mode is on-demand.`);
}
