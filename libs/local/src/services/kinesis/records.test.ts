import { PutRecordsCommand, StartStreamEncryptionCommand, UpdateMaxRecordSizeCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KinesisUnderTest } from '../../../fixtures/kinesis-under-test.ts';

const HALF = (2n ** 127n).toString();

let kinesis: KinesisUnderTest;

beforeEach(async () => {
  kinesis = await KinesisUnderTest.start();
});

afterEach(async () => {
  await kinesis[Symbol.asyncDispose]();
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html
describe('PutRecord', () => {
  test('puts records of one key into one shard, in order, with growing sequence numbers', async () => {
    await kinesis.create('orders', 4);
    const written = [];
    for (const text of ['a', 'b', 'c']) written.push(await kinesis.put('orders', text, { PartitionKey: 'order-1' }));
    const [{ ShardId } = { ShardId: '' }] = written;
    expect(new Set(written.map((record) => record.ShardId))).toEqual(new Set([ShardId]));
    const numbers = written.map(({ SequenceNumber }) => SequenceNumber);
    expect(numbers).toEqual([expect.stringMatching(/^49\d{54}$/), numbers[1], numbers[2]]);
    expect([...numbers].sort()).toEqual(numbers);
    const { Records, texts } = await kinesis.get(await kinesis.iterator('orders', { ShardId }));
    expect(texts).toEqual(['a', 'b', 'c']);
    expect(Records.map(({ SequenceNumber }) => SequenceNumber)).toEqual(numbers);
    expect(Records[0]).toMatchObject({
      PartitionKey: 'order-1',
      ApproximateArrivalTimestamp: new Date(kinesis.clock.now()),
    });
  });

  test('chooses the shard by the MD5 of the partition key, or by ExplicitHashKey', async () => {
    await kinesis.create('orders', 2);
    // MD5 of "a" begins with 0c, that of "b" with 92.
    expect((await kinesis.put('orders', '1', { PartitionKey: 'a' })).ShardId).toBe('shardId-000000000000');
    expect((await kinesis.put('orders', '2', { PartitionKey: 'b' })).ShardId).toBe('shardId-000000000001');
    const explicit = await kinesis.put('orders', '3', { PartitionKey: 'a', ExplicitHashKey: HALF });
    expect(explicit.ShardId).toBe('shardId-000000000001');
    const last = (2n ** 128n - 1n).toString();
    expect((await kinesis.put('orders', '4', { ExplicitHashKey: last })).ShardId).toBe('shardId-000000000001');
    await expect(kinesis.put('orders', '5', { ExplicitHashKey: (2n ** 128n).toString() })).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      message: expect.stringContaining('[0, 2^128-1]'),
    });
  });

  test('refuses a record larger than the stream takes, by default 1 MiB with its key', async () => {
    await kinesis.create('orders');
    const largest = 'x'.repeat(1024 * 1024 - 'key'.length);
    await kinesis.put('orders', largest);
    await expect(kinesis.put('orders', `${largest}x`)).rejects.toMatchObject({ name: 'ValidationException' });
    const StreamARN = 'arn:aws:kinesis:eu-central-1:000000000000:stream/orders';
    await kinesis.client.send(new UpdateMaxRecordSizeCommand({ StreamARN, MaxRecordSizeInKiB: 2048 }));
    await kinesis.put('orders', `${largest}x`);
  });

  test('answers ResourceNotFoundException for a stream that is not there', async () => {
    await expect(kinesis.put('missing', 'a')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Stream missing under account 000000000000 not found.',
    });
  });

  test('says that a stream is encrypted', async () => {
    await kinesis.create('orders');
    const encryption = { StreamName: 'orders', EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' } as const;
    await kinesis.client.send(new StartStreamEncryptionCommand(encryption));
    await kinesis.put('orders', 'a');
    expect((await kinesis.get(await kinesis.iterator('orders'))).Records).toMatchObject([{ EncryptionType: 'KMS' }]);
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
describe('PutRecords', () => {
  const entries = (count: number, bytes = 1) =>
    Array.from({ length: count }, (_, index) => ({ PartitionKey: `${index}`, Data: Buffer.alloc(bytes, 97) }));

  test('answers each of up to 500 records in the order of the request', async () => {
    await kinesis.create('orders', 2);
    const Records = [
      { PartitionKey: 'b', Data: Buffer.from('1') },
      { PartitionKey: 'a', Data: Buffer.from('2') },
    ];
    const { FailedRecordCount, Records: answers } = await kinesis.client.send(
      new PutRecordsCommand({ StreamName: 'orders', Records }),
    );
    expect(FailedRecordCount).toBe(0);
    expect(answers).toMatchObject([{ ShardId: 'shardId-000000000001' }, { ShardId: 'shardId-000000000000' }]);
    await expect(
      kinesis.client.send(new PutRecordsCommand({ StreamName: 'orders', Records: entries(501) })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('refuses more than 10 MiB in one call, and keeps no record of it', async () => {
    await kinesis.create('orders');
    const Records = entries(11, 1024 * 1024 - 10);
    await expect(kinesis.client.send(new PutRecordsCommand({ StreamName: 'orders', Records }))).rejects.toMatchObject({
      name: 'InvalidArgumentException',
    });
    expect(await kinesis.texts('orders')).toEqual([]);
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
describe('GetShardIterator', () => {
  test.each([
    ['TRIM_HORIZON', 'a b c'],
    ['LATEST', ''],
    ['AT_SEQUENCE_NUMBER', 'b c'],
    ['AFTER_SEQUENCE_NUMBER', 'c'],
    ['AT_TIMESTAMP', 'b c'],
  ] as const)('of the type %s begins where it says', async (ShardIteratorType, expected) => {
    await kinesis.create('orders');
    await kinesis.put('orders', 'a');
    await kinesis.clock.advance(60_000);
    const Timestamp = new Date(kinesis.clock.now());
    const { SequenceNumber } = await kinesis.put('orders', 'b');
    await kinesis.clock.advance(60_000);
    await kinesis.put('orders', 'c');
    const iterator = await kinesis.iterator('orders', {
      ShardIteratorType,
      ...(ShardIteratorType.endsWith('NUMBER') && { StartingSequenceNumber: SequenceNumber }),
      ...(ShardIteratorType === 'AT_TIMESTAMP' && { Timestamp }),
    });
    const { texts, NextShardIterator } = await kinesis.get(iterator);
    expect(texts.join(' ')).toBe(expected);
    await kinesis.put('orders', 'd');
    expect((await kinesis.get(NextShardIterator)).texts).toEqual(['d']);
  });

  test('takes the StartingSequenceNumber of the shard, which is before its first record', async () => {
    await kinesis.create('orders');
    await kinesis.put('orders', 'a');
    const [shard] = await kinesis.shards('orders');
    const StartingSequenceNumber = shard?.SequenceNumberRange?.StartingSequenceNumber;
    const members = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber } as const;
    expect(await kinesis.texts('orders', members)).toEqual(['a']);
  });

  test.each([
    ['without a sequence number', { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' }],
    ['with one that it has no use for', { ShardIteratorType: 'LATEST', StartingSequenceNumber: '1' }],
    ['for a number that is not one', { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: '17' }],
    ['for a time to come', { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: new Date('2030-01-01') }],
  ] as const)('is refused %s', async (_what, members) => {
    await kinesis.create('orders');
    await expect(kinesis.iterator('orders', members)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });

  test('is refused for a shard that is not there, and for a number of another shard', async () => {
    await kinesis.create('orders', 2);
    await expect(kinesis.iterator('orders', { ShardId: 'shardId-000000000009' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Shard shardId-000000000009 in stream orders under account 000000000000 does not exist',
    });
    const { SequenceNumber: StartingSequenceNumber } = await kinesis.put('orders', 'a', { PartitionKey: 'b' });
    const members = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber } as const;
    await expect(kinesis.iterator('orders', members)).rejects.toMatchObject({
      message: expect.stringContaining('It encodes shardId-000000000001'),
    });
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
describe('GetRecords', () => {
  test('refuses an iterator after five minutes', async () => {
    await kinesis.create('orders');
    const iterator = await kinesis.iterator('orders');
    await kinesis.clock.advance(300_000);
    await kinesis.get(iterator);
    await kinesis.clock.advance(1);
    await expect(kinesis.get(iterator)).rejects.toMatchObject({
      name: 'ExpiredIteratorException',
      message: expect.stringMatching(
        /^Iterator expired\. The iterator was created at time Mon Jun 01 00:00:00 UTC 2026/,
      ),
    });
    await expect(kinesis.get('nonsense')).rejects.toMatchObject({ message: 'Invalid ShardIterator.' });
  });

  test('says how far the records are behind the newest', async () => {
    await kinesis.create('orders');
    await kinesis.put('orders', 'a');
    await kinesis.clock.advance(10_000);
    await kinesis.put('orders', 'b');
    const first = await kinesis.get(await kinesis.iterator('orders'), 1);
    expect(first).toMatchObject({ texts: ['a'], MillisBehindLatest: 10_000 });
    expect(await kinesis.get(first.NextShardIterator)).toMatchObject({ texts: ['b'], MillisBehindLatest: 0 });
  });

  test('gives at most 10 MB, and then the rest', async () => {
    await kinesis.create('orders');
    for (let index = 0; index < 12; index += 1) await kinesis.put('orders', String(index % 10).repeat(1024 * 1024 - 3));
    const first = await kinesis.get(await kinesis.iterator('orders'));
    expect(first.texts).toHaveLength(10);
    expect((await kinesis.get(first.NextShardIterator)).texts).toHaveLength(2);
    await expect(kinesis.get(first.NextShardIterator, 10_001)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});
