import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { BUCKET, FirehoseUnderTest, roleArn } from '../../../fixtures/firehose-under-test.ts';

let under: FirehoseUnderTest;

afterEach(async () => {
  await under[Symbol.asyncDispose]();
});

const BY_DAY = {
  Prefix: 'day=!{partitionKeyFromQuery:day}/',
  ErrorOutputPrefix: 'errors/',
  BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 64 },
  DynamicPartitioningConfiguration: { Enabled: true },
  ProcessingConfiguration: {
    Enabled: true,
    Processors: [
      {
        Type: 'MetadataExtraction',
        Parameters: [
          { ParameterName: 'MetadataExtractionQuery', ParameterValue: '{day: .day}' },
          { ParameterName: 'JsonParsingEngine', ParameterValue: 'JQ-1.6' },
        ],
      },
      { Type: 'AppendDelimiterToRecord', Parameters: [{ ParameterName: 'Delimiter', ParameterValue: '\\n' }] },
    ],
  },
};

const amounts = (meter: `firehose.${string}`) =>
  Object.fromEntries(
    under.usage
      .entries()
      .filter((entry) => entry.meter === meter)
      .map(({ resource, amount }) => [resource, amount]),
  );

const textOf = (bytes: number) => 'x'.repeat(bytes);

// https://aws.amazon.com/firehose/pricing/
test('each record is billed by 5 KB, when it comes', async () => {
  under = await FirehoseUnderTest.start();
  await under.create();
  await under.put(textOf(3 * 1024));
  await under.put(textOf(5 * 1024));
  await under.put(textOf(12 * 1024));
  expect(amounts('firehose.ingestedBytes')).toEqual({ orders: (5 + 5 + 15) * 1024 });
  expect(amounts('firehose.requests')).toEqual({ orders: 3 });
});

// https://aws.amazon.com/firehose/pricing/
test('the rounding is by record and not by request, and that of a Kinesis stream too', async () => {
  under = await FirehoseUnderTest.start();
  await under.create();
  const Records = [1, 2, 3].map((bytes) => ({ Data: Buffer.alloc(bytes).toString('base64') }));
  await under.call('PutRecordBatch', { DeliveryStreamName: 'orders', Records });
  expect(amounts('firehose.ingestedBytes')).toEqual({ orders: 15 * 1024 });
  expect(amounts('firehose.requests')).toEqual({ orders: 1 });

  under.kinesis.call('CreateStream', { StreamName: 'views', ShardCount: 1 });
  await under.clock.advance(0);
  await under.call('CreateDeliveryStream', {
    DeliveryStreamName: 'views',
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: {
      KinesisStreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/views',
      RoleARN: roleArn,
    },
    ExtendedS3DestinationConfiguration: { RoleARN: roleArn, BucketARN: `arn:aws:s3:::${BUCKET}` },
  });
  await eventually(async () => {
    await under.clock.advance(1000);
    under.kinesis.call('PutRecord', { StreamName: 'views', PartitionKey: 'p', Data: 'YQ==' });
    expect(amounts('firehose.ingestedBytes').views).toBeGreaterThan(0);
  });
  expect((amounts('firehose.ingestedBytes').views ?? 0) % (5 * 1024)).toBe(0);
});

// https://aws.amazon.com/firehose/pricing/
test('what is to be delivered is counted by its own bytes and by partition, as it comes', async () => {
  under = await FirehoseUnderTest.start();
  await under.create(BY_DAY);
  const [one, two] = ['{"day":"2026-06-01"}', '{"day":"2026-06-02","more":1}'];
  for (const text of [one, one, two, 'not JSON']) await under.put(text);
  // With the line break that the stream appends to each.
  expect(amounts('firehose.deliveredBytes')).toEqual({
    'orders/day=2026-06-01/': 2 * (one.length + 1),
    'orders/day=2026-06-02/': two.length + 1,
  });
  expect(amounts('firehose.ingestedBytes')).toEqual({ orders: 4 * 5 * 1024 });
});

test('without dynamic partitioning it is one prefix', async () => {
  under = await FirehoseUnderTest.start();
  await under.create({ Prefix: 'all/', ErrorOutputPrefix: 'errors/' });
  await under.put('a');
  expect(amounts('firehose.deliveredBytes')).toEqual({ 'orders/all/2026/06/01/10/': 1 });
});
