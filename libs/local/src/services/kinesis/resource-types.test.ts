import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeStreamCommand, ListStreamsCommand, ListTagsForStreamCommand } from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KinesisUnderTest } from '../../../fixtures/kinesis-under-test.ts';

let dataDirectory: string;

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'kinesis-'));
});

afterEach(() => {
  rmSync(dataDirectory, { recursive: true, force: true });
});

const start = (properties?: Record<string, unknown>) =>
  KinesisUnderTest.start({
    dataDirectory,
    resources: properties ? [{ type: 'AWS::Kinesis::Stream', name: 'orders', properties }] : [],
  });
const describeStream = async ({ client }: KinesisUnderTest) =>
  (await client.send(new DescribeStreamCommand({ StreamName: 'orders' }))).StreamDescription;

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kinesis-stream.html
describe('a stream of a template', () => {
  test('has the settings of the template', async () => {
    await using kinesis = await start({
      ShardCount: '2',
      RetentionPeriodHours: 48,
      StreamEncryption: { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' },
      Tags: [{ Key: 'team', Value: 'shop' }],
    });
    expect(await describeStream(kinesis)).toMatchObject({
      RetentionPeriodHours: 48,
      EncryptionType: 'KMS',
      KeyId: 'alias/aws/kinesis',
      Shards: [{}, {}],
    });
    const { Tags } = await kinesis.client.send(new ListTagsForStreamCommand({ StreamName: 'orders' }));
    expect(Tags).toEqual([{ Key: 'team', Value: 'shop' }]);
  });

  test('keeps its records over a start that changes its settings', async () => {
    {
      await using first = await start({ ShardCount: 1, StreamEncryption: { EncryptionType: 'KMS', KeyId: 'k' } });
      await first.put('orders', 'kept');
    }
    await using second = await start({ ShardCount: 2, RetentionPeriodHours: 72 });
    const description = await describeStream(second);
    expect(description).toMatchObject({ RetentionPeriodHours: 72, EncryptionType: 'NONE' });
    expect(description?.Shards).toHaveLength(3);
    expect(await second.texts('orders')).toEqual(['kept']);
  });

  test('is deleted when the template no longer has it; a stream that the API made stays', async () => {
    {
      await using first = await start({ ShardCount: 1 });
      await first.create('by-hand');
    }
    await using second = await start();
    expect((await second.client.send(new ListStreamsCommand({}))).StreamNames).toEqual(['by-hand']);
  });

  test('is refused with settings that Kinesis refuses', async () => {
    await expect(start({ ShardCount: 1, RetentionPeriodHours: 12 })).rejects.toThrow(
      'Minimum allowed retention period',
    );
    await expect(start({ StreamModeDetails: { StreamMode: 'ON_DEMAND' }, ShardCount: 1 })).rejects.toThrow(
      'ShardCount',
    );
  });
});

// The checkpoint of a consumer is a sequence number: it has to mean the same after a restart.
test('records, iterators and sequence numbers outlive the process', async () => {
  let iterator: string | undefined;
  let written: string;
  {
    await using first = await KinesisUnderTest.start({ dataDirectory });
    await first.create('orders');
    await first.put('orders', 'a');
    iterator = await first.iterator('orders', { ShardIteratorType: 'LATEST' });
    written = (await first.put('orders', 'b')).SequenceNumber;
  }
  await using second = await KinesisUnderTest.start({ dataDirectory });
  expect((await second.get(iterator)).texts).toEqual(['b']);
  const { SequenceNumber } = await second.put('orders', 'c');
  expect(SequenceNumber > written).toBe(true);
  const members = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: written } as const;
  expect(await second.texts('orders', members)).toEqual(['c']);
});
