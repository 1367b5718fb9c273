import {
  ListShardsCommand,
  MergeShardsCommand,
  type Shard,
  ShardFilterType,
  SplitShardCommand,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KinesisUnderTest, streamArn } from '../../../fixtures/kinesis-under-test.ts';

const HALF = 2n ** 127n;
const LAST = 2n ** 128n - 1n;
const FIRST_SHARD = 'shardId-000000000000';

let kinesis: KinesisUnderTest;

beforeEach(async () => {
  kinesis = await KinesisUnderTest.start();
});

afterEach(async () => {
  await kinesis[Symbol.asyncDispose]();
});

const split = (ShardToSplit = FIRST_SHARD, key = HALF) =>
  kinesis.client.send(new SplitShardCommand({ StreamName: 'orders', ShardToSplit, NewStartingHashKey: `${key}` }));
const merge = (ShardToMerge: string, AdjacentShardToMerge: string) =>
  kinesis.client.send(new MergeShardsCommand({ StreamName: 'orders', ShardToMerge, AdjacentShardToMerge }));
const update = (TargetShardCount: number) =>
  kinesis.client.send(
    new UpdateShardCountCommand({ StreamName: 'orders', TargetShardCount, ScalingType: 'UNIFORM_SCALING' }),
  );
const isOpen = ({ SequenceNumberRange }: Shard) => SequenceNumberRange?.EndingSequenceNumber === undefined;
const openRanges = async () =>
  (await kinesis.shards('orders'))
    .filter(isOpen)
    .map(({ HashKeyRange: range }) => [BigInt(range?.StartingHashKey ?? 0), BigInt(range?.EndingHashKey ?? 0)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SplitShard.html
describe('SplitShard', () => {
  test('closes the shard and gives its hash keys to two children', async () => {
    await kinesis.create('orders');
    const { SequenceNumber } = await kinesis.put('orders', 'before');
    await split();
    const [parent, low, high] = await kinesis.shards('orders');
    const ending = parent?.SequenceNumberRange?.EndingSequenceNumber ?? '';
    expect(ending > SequenceNumber).toBe(true);
    expect(low).toMatchObject({
      ParentShardId: FIRST_SHARD,
      HashKeyRange: { StartingHashKey: '0', EndingHashKey: `${HALF - 1n}` },
    });
    expect(high).toMatchObject({ HashKeyRange: { StartingHashKey: `${HALF}`, EndingHashKey: `${LAST}` } });
    const after = await kinesis.put('orders', 'after', { PartitionKey: 'a' });
    expect(after.ShardId).toBe(low?.ShardId);
    expect(after.SequenceNumber > ending).toBe(true);
  });

  // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
  test('lets a consumer read the parent to its end, and then names the children', async () => {
    await kinesis.create('orders');
    await kinesis.put('orders', 'a');
    await kinesis.put('orders', 'b');
    const iterator = await kinesis.iterator('orders');
    await split();
    const first = await kinesis.get(iterator, 1);
    expect(first.ChildShards).toBeUndefined();
    const { NextShardIterator, ChildShards, texts } = await kinesis.get(first.NextShardIterator);
    expect([texts, NextShardIterator]).toEqual([['b'], undefined]);
    expect(ChildShards).toMatchObject([
      { ShardId: 'shardId-000000000001', ParentShards: [FIRST_SHARD] },
      { ShardId: 'shardId-000000000002', ParentShards: [FIRST_SHARD] },
    ]);
  });

  test.each([0n, LAST + 1n])('is refused at the hash key %s, where one child would be empty', async (key) => {
    await kinesis.create('orders');
    await expect(split(FIRST_SHARD, key)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });

  test('is refused for a shard that is closed or not there, and for a stream on demand', async () => {
    await kinesis.create('orders');
    await expect(split('shardId-000000000007')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await split();
    await expect(split()).rejects.toMatchObject({ message: expect.stringContaining('already been merged or split') });
    const StreamModeDetails = { StreamMode: 'ON_DEMAND' } as const;
    await kinesis.client.send(new UpdateStreamModeCommand({ StreamARN: streamArn('orders'), StreamModeDetails }));
    await expect(split('shardId-000000000001', 5n)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_MergeShards.html
describe('MergeShards', () => {
  test('makes one shard of two neighbours', async () => {
    await kinesis.create('orders', 3);
    await merge('shardId-000000000001', FIRST_SHARD);
    const merged = (await kinesis.shards('orders')).at(-1);
    expect(merged).toMatchObject({
      ParentShardId: 'shardId-000000000001',
      AdjacentParentShardId: FIRST_SHARD,
      HashKeyRange: { StartingHashKey: '0' },
    });
    expect(await openRanges()).toHaveLength(2);
  });

  test('is refused for shards that are not neighbours', async () => {
    await kinesis.create('orders', 3);
    await expect(merge(FIRST_SHARD, 'shardId-000000000002')).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      message: expect.stringContaining('are not an adjacent pair of shards eligible for merging'),
    });
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html
describe('UpdateShardCount', () => {
  test.each([
    [4, 8],
    [4, 2],
    [4, 3],
    [3, 5],
  ])('scales %i shards to %i of one size, without gaps', async (from, to) => {
    await kinesis.create('orders', from);
    await expect(update(to)).resolves.toMatchObject({ CurrentShardCount: from, TargetShardCount: to });
    const ranges = await openRanges();
    expect(ranges).toHaveLength(to);
    expect([ranges[0]?.[0], ranges.at(-1)?.[1]]).toEqual([0n, LAST]);
    const size = 2n ** 128n / BigInt(to);
    ranges.slice(1).forEach(([start], index) => {
      expect([start, start]).toEqual([(ranges[index]?.[1] ?? 0n) + 1n, size * BigInt(index + 1)]);
    });
  });

  test('doubles or halves at most', async () => {
    await kinesis.create('orders', 4);
    await expect(update(9)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    await expect(update(1)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListShards.html
describe('ListShards', () => {
  test('gives pages, whose tokens are valid for 300 seconds and name the stream', async () => {
    await kinesis.create('orders', 3);
    const list = (input: object) => kinesis.client.send(new ListShardsCommand(input));
    const { Shards, NextToken } = await list({ StreamName: 'orders', MaxResults: 2 });
    expect(Shards).toHaveLength(2);
    await expect(list({ StreamName: 'orders', NextToken })).rejects.toMatchObject({
      message: 'NextToken and StreamName cannot be provided together.',
    });
    expect(await list({ NextToken })).toMatchObject({ Shards: [{ ShardId: 'shardId-000000000002' }] });
    await kinesis.clock.advance(300_001);
    await expect(list({ NextToken })).rejects.toMatchObject({ name: 'ExpiredNextTokenException' });
  });

  test.each([
    [ShardFilterType.AT_LATEST, '1 2'],
    [ShardFilterType.AT_TIMESTAMP, '0'],
    [ShardFilterType.AFTER_SHARD_ID, '2'],
    [ShardFilterType.FROM_TIMESTAMP, '0 1 2'],
    [ShardFilterType.AT_TRIM_HORIZON, '0'],
    [ShardFilterType.FROM_TRIM_HORIZON, '0 1 2'],
  ])('filters by %s', async (Type, expected) => {
    await kinesis.create('orders');
    await kinesis.clock.advance(1000);
    const Timestamp = new Date(kinesis.clock.now());
    await kinesis.clock.advance(1000);
    await split();
    const ShardFilter = { Type, Timestamp, ShardId: 'shardId-000000000001' };
    const { Shards = [] } = await kinesis.client.send(new ListShardsCommand({ StreamName: 'orders', ShardFilter }));
    expect(Shards.map(({ ShardId }) => Number(ShardId?.slice(-3))).join(' ')).toBe(expected);
  });

  test('leaves a closed shard out once its records are gone', async () => {
    await kinesis.create('orders');
    await split();
    await kinesis.clock.advance(24 * 3_600_000 + 1);
    expect((await kinesis.shards('orders')).map(({ ShardId }) => ShardId)).not.toContain(FIRST_SHARD);
  });
});
