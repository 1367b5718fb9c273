import { PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KinesisUnderTest } from '../../../fixtures/kinesis-under-test.ts';

let kinesis: KinesisUnderTest;

beforeEach(async () => {
  kinesis = await KinesisUnderTest.start({ faults: ['throttling'] });
});

afterEach(async () => {
  await kinesis[Symbol.asyncDispose]();
});

const exceeded = (shard: string) => ({
  name: 'ProvisionedThroughputExceededException',
  message: `Rate exceeded for shard ${shard} in stream orders under account 000000000000.`,
});

// https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
describe('with --faults throttling', () => {
  test('a shard is read five times a second', async () => {
    await kinesis.create('orders');
    const iterator = await kinesis.iterator('orders');
    for (let read = 0; read < 5; read += 1) await kinesis.get(iterator);
    await expect(kinesis.get(iterator)).rejects.toMatchObject(exceeded('shardId-000000000000'));
    await kinesis.clock.advance(1000);
    await kinesis.get(iterator);
  });

  test('after a read of 10 MB a shard is not read for five seconds', async () => {
    await kinesis.create('orders');
    for (let index = 0; index < 10; index += 1) {
      await kinesis.put('orders', 'x'.repeat(1024 * 1024 - 3));
      await kinesis.clock.advance(1000);
    }
    const iterator = await kinesis.iterator('orders');
    expect((await kinesis.get(iterator)).texts).toHaveLength(10);
    await kinesis.clock.advance(3000);
    await expect(kinesis.get(iterator)).rejects.toMatchObject({ name: 'ProvisionedThroughputExceededException' });
    await kinesis.clock.advance(2000);
    await kinesis.get(iterator);
  });

  test('a shard takes 1 MB a second, and PutRecord above it is refused', async () => {
    await kinesis.create('orders');
    await kinesis.put('orders', 'x'.repeat(1024 * 1024 - 3));
    await expect(kinesis.put('orders', 'x')).rejects.toMatchObject(exceeded('shardId-000000000000'));
    await kinesis.clock.advance(1000);
    await kinesis.put('orders', 'x');
    const refused = kinesis.metrics.filter(({ name }) => name === 'WriteProvisionedThroughputExceeded');
    expect(refused.map(({ value }) => value)).toEqual([0, 1, 0]);
  });

  // https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
  test('PutRecords says of each record if its shard refused it, and keeps the others', async () => {
    await kinesis.create('orders', 2);
    await kinesis.put('orders', 'x'.repeat(1024 * 1024 - 1), { PartitionKey: 'a' });
    const Records = ['a', 'b'].map((PartitionKey) => ({ PartitionKey, Data: Buffer.from(PartitionKey) }));
    const answer = await kinesis.client.send(new PutRecordsCommand({ StreamName: 'orders', Records }));
    const { name: ErrorCode, message: ErrorMessage } = exceeded('shardId-000000000000');
    expect(answer).toMatchObject({
      FailedRecordCount: 1,
      Records: [{ ErrorCode, ErrorMessage }, { ShardId: 'shardId-000000000001' }],
    });
    expect(await kinesis.texts('orders', { ShardId: 'shardId-000000000001' })).toEqual(['b']);
    expect(await kinesis.texts('orders')).toHaveLength(1);
  });
});

test('without it, throughput has no limit', async () => {
  await using unlimited = await KinesisUnderTest.start();
  await unlimited.create('orders');
  const iterator = await unlimited.iterator('orders');
  for (let read = 0; read < 7; read += 1) await unlimited.get(iterator);
});
