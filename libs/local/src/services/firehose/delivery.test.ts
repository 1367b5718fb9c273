import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { FirehoseUnderTest, role } from '../../../fixtures/firehose-under-test.ts';

let under: FirehoseUnderTest;

afterEach(async () => {
  await under[Symbol.asyncDispose]();
});

const NAME = 'orders-1-2026-06-01-10-21-30';
const delivered = (expected: Record<string, string>) =>
  eventually(async () => {
    await under.clock.advance(0);
    expect(await under.texts()).toEqual(expected);
  });
const processing = (...Processors: object[]) => ({ ProcessingConfiguration: { Enabled: true, Processors } });
const processor = (Type: string, parameters: Record<string, string> = {}) => ({
  Type,
  Parameters: Object.entries(parameters).map(([ParameterName, ParameterValue]) => ({ ParameterName, ParameterValue })),
});
const MINUTE = { BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 1 } };

// https://docs.aws.amazon.com/firehose/latest/dev/buffering-hints.html
describe('a buffer', () => {
  test('is delivered when its oldest record is as old as the interval says', async () => {
    under = await FirehoseUnderTest.start();
    await under.create(MINUTE);
    await under.put('a');
    await under.clock.advance(30_000);
    await under.put('b');
    await under.clock.advance(29_000);
    expect(await under.texts()).toEqual({});
    await under.clock.advance(1000);
    await delivered({ [`2026/06/01/10/${NAME}`]: 'ab' });
  });

  test('is delivered when it is as large as its size says', async () => {
    under = await FirehoseUnderTest.start();
    await under.create(MINUTE);
    const half = 'x'.repeat(600_000);
    await under.put(half);
    await under.put(half);
    await eventually(async () => {
      await under.clock.advance(0);
      expect(Object.values(await under.texts()).map(({ length }) => length)).toEqual([600_000]);
    });
  });
});

// https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
describe('the name of an object', () => {
  test.each([
    [{ Prefix: 'raw/' }, `raw/2026/06/01/10/${NAME}`],
    [
      { Prefix: "y=!{timestamp:yyyy}/'d'=!{timestamp:dd'th'}/", ErrorOutputPrefix: 'e/!{firehose:error-output-type}/' },
      `y=2026/'d'=01th/${NAME}`,
    ],
    [{ Prefix: 'raw/', FileExtension: '.json' }, `raw/2026/06/01/10/${NAME}.json`],
    [{ CustomTimeZone: 'Asia/Tokyo' }, '2026/06/01/19/orders-1-2026-06-01-19-21-30'],
  ])('with %j is %s', async (destination, key) => {
    under = await FirehoseUnderTest.start();
    await under.create({ ...MINUTE, ...destination });
    await under.put('a');
    await under.clock.advance(60_000);
    await delivered({ [key]: 'a' });
  });

  test('ends with .gz when it is compressed', async () => {
    under = await FirehoseUnderTest.start();
    await under.create({ ...MINUTE, CompressionFormat: 'GZIP' });
    await under.put('a');
    await under.clock.advance(60_000);
    await eventually(async () => {
      const [[key, content] = ['', Buffer.alloc(0)]] = Object.entries(await under.objects());
      expect([key, gunzipSync(content).toString()]).toEqual([`2026/06/01/10/${NAME}.gz`, 'a']);
    });
  });
});

// https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html
test('dynamic partitioning puts records under the keys that its query finds, and others under the error prefix', async () => {
  under = await FirehoseUnderTest.start();
  await under.create({
    BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 64 },
    Prefix: 'customer=!{partitionKeyFromQuery:customer}/!{timestamp:yyyy}/',
    ErrorOutputPrefix: 'failed/!{firehose:error-output-type}/!{timestamp:yyyy}/',
    DynamicPartitioningConfiguration: { Enabled: true },
    ...processing(
      processor('MetadataExtraction', {
        MetadataExtractionQuery: '{customer: .customer.id}',
        JsonParsingEngine: 'JQ-1.6',
      }),
      processor('AppendDelimiterToRecord', { Delimiter: '\\n' }),
    ),
  });
  for (const id of [1, 2, 1]) await under.put(`{"customer":{"id":${id}}}`);
  await under.put('no JSON');
  await under.clock.advance(60_000);
  const failed = `failed/processing-failed/2026/${NAME}`;
  await delivered({
    [`customer=1/2026/${NAME}`]: '{"customer":{"id":1}}\n{"customer":{"id":1}}\n',
    [`customer=2/2026/${NAME}`]: '{"customer":{"id":2}}\n',
    [failed]: expect.stringContaining('"errorCode":"DynamicPartitioning.MetadataExtractionFailed"') as never,
  });
  const { rawData } = JSON.parse((await under.texts())[failed] ?? '') as { rawData: string };
  expect(Buffer.from(rawData, 'base64').toString()).toBe('no JSON');
});

test('a partition key can have a quoted name, and be a part of a text', async () => {
  under = await FirehoseUnderTest.start();
  await under.create({
    BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 64 },
    Prefix: 'day=!{partitionKeyFromQuery:day}/type=!{partitionKeyFromQuery:type}/',
    ErrorOutputPrefix: 'failed/!{firehose:error-output-type}/',
    DynamicPartitioningConfiguration: { Enabled: true },
    ...processing(
      processor('MetadataExtraction', {
        MetadataExtractionQuery: '{day: .detail.time[0:10], type: ."detail-type"}',
        JsonParsingEngine: 'JQ-1.6',
      }),
    ),
  });
  const put = (time: unknown) => under.put(JSON.stringify({ 'detail-type': 'Placed.v1', detail: { time } }));
  await put('2026-05-31T23:59:59.999Z');
  await put('2026-06-01T00:00:00.000Z');
  await put(17); // there is nothing to cut of a number
  await under.clock.advance(60_000);
  await delivered({
    [`day=2026-05-31/type=Placed.v1/${NAME}`]: expect.stringContaining('23:59') as never,
    [`day=2026-06-01/type=Placed.v1/${NAME}`]: expect.stringContaining('00:00') as never,
    [`failed/processing-failed/2026/06/01/10/${NAME}`]: expect.stringContaining('MetadataExtractionFailed') as never,
  });
});

// https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
describe('a Lambda transformation', () => {
  const LambdaArn = 'arn:aws:lambda:us-east-1:000000000000:function:shape';
  const text = (data: string) => Buffer.from(data, 'base64').toString();

  test('changes records, drops them, or lets them fail', async () => {
    under = await FirehoseUnderTest.start();
    under.handler = ({ records }) => ({
      records: records.map(({ recordId, data }) => {
        const result = { drop: 'Dropped', fail: 'ProcessingFailed' }[text(data)] ?? 'Ok';
        return { recordId, result, data: Buffer.from(text(data).toUpperCase()).toString('base64') };
      }),
    });
    await under.create({ ...MINUTE, ...processing(processor('Lambda', { LambdaArn })) });
    for (const record of ['a', 'drop', 'fail', 'b']) await under.put(record);
    await under.clock.advance(60_000);
    await delivered({
      [`2026/06/01/10/${NAME}`]: 'AB',
      [`processing-failed/2026/06/01/10/${NAME}`]: expect.stringContaining('Lambda.ProcessingFailedStatus') as never,
    });
  });

  test('that fails is tried again three times, and then its records go to the error prefix', async () => {
    under = await FirehoseUnderTest.start();
    let calls = 0;
    under.handler = () => {
      calls += 1;
      throw new Error('broken');
    };
    await under.create({ ...MINUTE, ...processing(processor('Lambda', { LambdaArn })) });
    await under.put('a');
    await under.clock.advance(60_000);
    const message = '{"attemptsMade":4,';
    await delivered({ [`processing-failed/2026/06/01/10/${NAME}`]: expect.stringContaining(message) as never });
    expect(calls).toBe(4);
  });
});

// https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3
test('records wait, with a warning, while the role may not write into the bucket', async () => {
  under = await FirehoseUnderTest.start({ statements: [{ Action: 's3:PutObject', Resource: 'arn:aws:s3:::other/*' }] });
  await under.create(MINUTE);
  await under.put('a');
  await under.clock.advance(60_000);
  await eventually(() => expect(under.warnings.join('\n')).toContain('s3:PutObject'));
  await under.clock.advance(60_000);
  expect(await under.texts()).toEqual({});
});

// https://docs.aws.amazon.com/firehose/latest/dev/writing-with-kinesis-streams.html
test('a delivery stream reads its Kinesis stream, and takes no records itself', async () => {
  under = await FirehoseUnderTest.start();
  under.kinesis.call('CreateStream', { StreamName: 'clicks', ShardCount: 1 });
  const KinesisStreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';
  const KinesisStreamSourceConfiguration = { KinesisStreamARN, RoleARN: 'arn:aws:iam::000000000000:role/delivery' };
  await under.create(MINUTE, { DeliveryStreamType: 'KinesisStreamAsSource', KinesisStreamSourceConfiguration });
  await expect(under.put('a')).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  const read = () => under.metrics.some(({ name }) => name === 'DataReadFromKinesisStream.Records');
  await eventually(() => {
    under.kinesis.call('PutRecord', {
      StreamName: 'clicks',
      PartitionKey: 'k',
      Data: Buffer.from('c').toString('base64'),
    });
    expect(read()).toBe(true);
  });
  await eventually(async () => {
    await under.clock.advance(60_000);
    expect(Object.values(await under.texts()).join('')).toMatch(/^c+$/);
  });
  expect(under.metrics).toContainEqual(expect.objectContaining({ name: 'KinesisMillisBehindLatest' }));
});

test('without its Kinesis stream, a delivery stream of the API starts with a warning, and one of a template stops the start', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'firehose-'));
  const KinesisStreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';
  const RoleARN = 'arn:aws:iam::000000000000:role/delivery';
  const source = {
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN, RoleARN },
  };
  const destination = { RoleARN, BucketARN: 'arn:aws:s3:::archive' };
  const Properties = { ...source, ExtendedS3DestinationConfiguration: destination };
  const Orders = { Type: 'AWS::KinesisFirehose::DeliveryStream', Properties };
  try {
    under = await FirehoseUnderTest.start({ dataDirectory });
    under.kinesis.call('CreateStream', { StreamName: 'clicks', ShardCount: 1 });
    await under.create({}, source);
    under.kinesis.call('DeleteStream', { StreamName: 'clicks' });
    await under[Symbol.asyncDispose]();
    under = await FirehoseUnderTest.start({ dataDirectory });
    expect(under.warnings.join()).toContain(
      `orders cannot start: The Kinesis stream ${KinesisStreamARN} does not exist`,
    );
    await expect(FirehoseUnderTest.start({ resources: { Orders } })).rejects.toThrow(
      `${KinesisStreamARN} does not exist`,
    );
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
});

// https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecord.html
test('acknowledged records are delivered after a restart', async () => {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'firehose-'));
  try {
    under = await FirehoseUnderTest.start({ dataDirectory });
    await under.create(MINUTE);
    await under.put('a');
    const { clock } = under;
    await under[Symbol.asyncDispose]();
    under = await FirehoseUnderTest.start({ dataDirectory, clock });
    await under.put('b');
    await clock.advance(60_000);
    await delivered({ [`2026/06/01/10/${NAME}`]: 'ab' });
  } finally {
    await under[Symbol.asyncDispose]();
    under = await FirehoseUnderTest.start();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
});

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
test('a rule puts its events into a delivery stream, with its role', async () => {
  under = await FirehoseUnderTest.start({
    resources: {
      Orders: {
        Type: 'AWS::KinesisFirehose::DeliveryStream',
        Properties: {
          DeliveryStreamName: 'orders',
          ExtendedS3DestinationConfiguration: {
            RoleARN: { 'Fn::GetAtt': ['Role', 'Arn'] },
            BucketARN: { 'Fn::GetAtt': ['Archive', 'Arn'] },
            BufferingHints: { IntervalInSeconds: '60', SizeInMBs: '1' },
          },
        },
      },
      Rules: role(
        'rules',
        [{ Action: 'firehose:PutRecord', Resource: { 'Fn::GetAtt': ['Orders', 'Arn'] } }],
        'events.amazonaws.com',
      ),
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['shop'] },
          Targets: [
            {
              Id: 't',
              Arn: { 'Fn::GetAtt': ['Orders', 'Arn'] },
              RoleArn: { 'Fn::GetAtt': ['Rules', 'Arn'] },
              InputPath: '$.detail',
            },
          ],
        },
      },
    },
  });
  await under.putEvent({ id: 1 });
  await under.clock.advance(60_000);
  await delivered({ [`2026/06/01/10/${NAME}`]: '{"id":1}' });
});
