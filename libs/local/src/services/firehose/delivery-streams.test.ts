import {
  CreateDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  PutRecordBatchCommand,
} from '@aws-sdk/client-firehose';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FirehoseUnderTest, roleArn } from '../../../fixtures/firehose-under-test.ts';
import { hostUnderTest, serve } from '../../../fixtures/service-under-test.ts';
import { firehose } from './index.ts';

let under: FirehoseUnderTest;

beforeEach(async () => {
  under = await FirehoseUnderTest.start();
});

afterEach(async () => {
  await under[Symbol.asyncDispose]();
});

const processing = (Type: string, ...Parameters: object[]) => ({
  ProcessingConfiguration: { Enabled: true, Processors: [{ Type, Parameters }] },
});
const query = (ParameterValue: string) => ({
  Prefix: 'c=!{partitionKeyFromQuery:c}/',
  ErrorOutputPrefix: 'e/!{firehose:error-output-type}/',
  DynamicPartitioningConfiguration: { Enabled: true },
  ...processing('MetadataExtraction', { ParameterName: 'MetadataExtractionQuery', ParameterValue }),
});

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html
describe('CreateDeliveryStream', () => {
  test('speaks to the SDK', async () => {
    await using running = await firehose.start(hostUnderTest());
    await using served = await serve(firehose as never, running);
    const client = new FirehoseClient(served.client);
    const ExtendedS3DestinationConfiguration = { RoleARN: roleArn, BucketARN: 'arn:aws:s3:::archive', Prefix: 'raw/' };
    await client.send(
      new CreateDeliveryStreamCommand({ DeliveryStreamName: 'orders', ExtendedS3DestinationConfiguration }),
    );
    const { DeliveryStreamDescription } = await client.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'orders' }),
    );
    expect(DeliveryStreamDescription).toMatchObject({
      DeliveryStreamARN: 'arn:aws:firehose:eu-central-1:000000000000:deliverystream/orders',
      DeliveryStreamStatus: 'ACTIVE',
      DeliveryStreamType: 'DirectPut',
      Destinations: [
        {
          ExtendedS3DestinationDescription: {
            Prefix: 'raw/',
            BufferingHints: { SizeInMBs: 5, IntervalInSeconds: 300 },
            CompressionFormat: 'UNCOMPRESSED',
          },
        },
      ],
    });
    const Records = [{ Data: Buffer.from('a') }, { Data: Buffer.from('b') }];
    const answer = await client.send(new PutRecordBatchCommand({ DeliveryStreamName: 'orders', Records }));
    expect(answer).toMatchObject({ FailedPutCount: 0, RequestResponses: [{ RecordId: expect.any(String) }, {}] });
    client.destroy();
  });

  test('is refused for a name that is taken', async () => {
    await under.create();
    await expect(under.create()).rejects.toMatchObject({ name: 'ResourceInUseException' });
  });

  test.each<[object, string]>([
    [{ CompressionFormat: 'Snappy' }, 'The CompressionFormat Snappy is not available on this machine'],
    [{ S3BackupMode: 'Enabled' }, 'S3BackupMode'],
    [{ DataFormatConversionConfiguration: { Enabled: true } }, 'DataFormatConversionConfiguration'],
    [processing('Decompression'), 'The processor Decompression is not available'],
    [query('{c: .a | ascii_downcase}'), 'other jq is not available'],
    [query('.a'), 'other jq is not available'],
    [{ Prefix: '!{timestamp:yyyy}/' }, 'ErrorOutputPrefix cannot be null'],
    [{ Prefix: '!{timestamp:yyyy}/', ErrorOutputPrefix: 'e/!{timestamp:yyyy}/' }, '!{firehose:error-output-type}'],
    [{ Prefix: '!{firehose:error-output-type}/', ErrorOutputPrefix: 'e/' }, 'is not valid in a Prefix'],
    [{ Prefix: '!{timestamp:EEE}/', ErrorOutputPrefix: 'e/' }, 'is not valid in a Prefix'],
    [{ DynamicPartitioningConfiguration: { Enabled: true } }, 'partition keys'],
    [{ BufferingHints: { SizeInMBs: 129 } }, 'from 1 to 128, not 129'],
    [{ BufferingHints: { IntervalInSeconds: 901 } }, 'from 0 to 900, not 901'],
  ])('is refused with %j', async (destination, message) => {
    await expect(under.create(destination)).rejects.toMatchObject({
      name: 'InvalidArgumentException',
      message: expect.stringContaining(message),
    });
  });

  test('is refused for another destination, by its name, also in a template', async () => {
    const SplunkDestinationConfiguration = { HECEndpoint: 'https://splunk.example' };
    await expect(under.create({}, { SplunkDestinationConfiguration })).rejects.toMatchObject({
      message: 'SplunkDestinationConfiguration is not available on this machine',
    });
    const Orders = { Type: 'AWS::KinesisFirehose::DeliveryStream', Properties: { SplunkDestinationConfiguration } };
    await expect(FirehoseUnderTest.start({ resources: { Orders } })).rejects.toThrow(/Orders.*SplunkDestination/);
  });
});

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListDeliveryStreams.html
test('ListDeliveryStreams gives pages by name, and DeleteDeliveryStream deletes one', async () => {
  for (const DeliveryStreamName of ['b', 'a', 'c']) await under.create({}, { DeliveryStreamName });
  expect(await under.call('ListDeliveryStreams', { Limit: 2 })).toEqual({
    DeliveryStreamNames: ['a', 'b'],
    HasMoreDeliveryStreams: true,
  });
  await under.call('DeleteDeliveryStream', { DeliveryStreamName: 'c' });
  const next = await under.call('ListDeliveryStreams', { ExclusiveStartDeliveryStreamName: 'b' });
  expect(next).toEqual({ DeliveryStreamNames: [], HasMoreDeliveryStreams: false });
  await expect(under.call('DescribeDeliveryStream', { DeliveryStreamName: 'c' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'Firehose c under account 000000000000 not found.',
  });
});

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
test('a record has at most 1,000 KiB, a batch 500 records and 4 MiB', async () => {
  await under.create();
  await expect(under.put('x'.repeat(1000 * 1024 + 1))).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  const batch = (count: number, bytes: number) => {
    const record = { Data: Buffer.alloc(bytes).toString('base64') };
    return under.call('PutRecordBatch', { DeliveryStreamName: 'orders', Records: Array(count).fill(record) });
  };
  await expect(batch(501, 1)).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(batch(5, 1000 * 1024)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
});

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_TagDeliveryStream.html
test('a delivery stream has tags', async () => {
  await under.create();
  const DeliveryStreamName = 'orders';
  await under.call('TagDeliveryStream', { DeliveryStreamName, Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
  await under.call('UntagDeliveryStream', { DeliveryStreamName, TagKeys: ['a'] });
  expect(await under.call('ListTagsForDeliveryStream', { DeliveryStreamName })).toEqual({
    Tags: [{ Key: 'b', Value: '' }],
    HasMoreTags: false,
  });
});
