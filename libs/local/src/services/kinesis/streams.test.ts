import {
  AddTagsToStreamCommand,
  CreateStreamCommand,
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DeregisterStreamConsumerCommand,
  DescribeStreamCommand,
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  EnableEnhancedMonitoringCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListStreamConsumersCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  PutRecordsCommand,
  RegisterStreamConsumerCommand,
  RemoveTagsFromStreamCommand,
  SubscribeToShardCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KinesisUnderTest, streamArn } from '../../../fixtures/kinesis-under-test.ts';

const DAY_MS = 24 * 3_600_000;
const StreamName = 'orders';

let kinesis: KinesisUnderTest;

beforeEach(async () => {
  kinesis = await KinesisUnderTest.start();
});

afterEach(async () => {
  await kinesis[Symbol.asyncDispose]();
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
describe('CreateStream', () => {
  test('makes a provisioned stream with as many shards as are asked for', async () => {
    await kinesis.create(StreamName, 2);
    const { StreamDescription } = await kinesis.client.send(new DescribeStreamCommand({ StreamName }));
    expect(StreamDescription).toMatchObject({
      StreamARN: streamArn(StreamName),
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      RetentionPeriodHours: 24,
      EncryptionType: 'NONE',
      HasMoreShards: false,
      Shards: [{ ShardId: 'shardId-000000000000' }, { ShardId: 'shardId-000000000001' }],
    });
  });

  test('makes a stream on demand with four shards, and takes no ShardCount for it', async () => {
    const onDemand = { StreamName, StreamModeDetails: { StreamMode: 'ON_DEMAND' } } as const;
    await expect(kinesis.client.send(new CreateStreamCommand({ ...onDemand, ShardCount: 1 }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await kinesis.client.send(new CreateStreamCommand(onDemand));
    const summary = await kinesis.client.send(new DescribeStreamSummaryCommand({ StreamARN: streamArn(StreamName) }));
    expect(summary.StreamDescriptionSummary).toMatchObject({ OpenShardCount: 4, ConsumerCount: 0 });
  });

  test('is refused for a name that is taken or not valid, and without a number of shards', async () => {
    await kinesis.create(StreamName);
    await expect(kinesis.create(StreamName)).rejects.toMatchObject({
      name: 'ResourceInUseException',
      message: 'Stream orders under account 000000000000 already exists.',
    });
    await expect(kinesis.create('or/ders')).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(kinesis.client.send(new CreateStreamCommand({ StreamName: 'x' }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListStreams.html
test('ListStreams gives pages by name', async () => {
  for (const name of ['b', 'a', 'c']) await kinesis.create(name);
  const first = await kinesis.client.send(new ListStreamsCommand({ Limit: 2 }));
  expect(first).toMatchObject({ StreamNames: ['a', 'b'], HasMoreStreams: true });
  const next = await kinesis.client.send(new ListStreamsCommand({ NextToken: first.NextToken }));
  expect(next).toMatchObject({ StreamNames: ['c'], HasMoreStreams: false });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DeleteStream.html
test('DeleteStream takes the records with it, and a new stream of the name has other iterators', async () => {
  await kinesis.create(StreamName);
  await kinesis.put(StreamName, 'old');
  const iterator = await kinesis.iterator(StreamName);
  await kinesis.client.send(new DeleteStreamCommand({ StreamName }));
  await expect(kinesis.get(iterator)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await kinesis.clock.advance(1000);
  await kinesis.create(StreamName);
  expect(await kinesis.texts(StreamName)).toEqual([]);
  await expect(kinesis.get(iterator)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
});

// https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html
describe('retention', () => {
  test('forgets a record after 24 hours', async () => {
    await kinesis.create(StreamName);
    await kinesis.put(StreamName, 'old');
    await kinesis.clock.advance(DAY_MS - 60_000);
    await kinesis.put(StreamName, 'new');
    expect(await kinesis.texts(StreamName)).toEqual(['old', 'new']);
    await kinesis.clock.advance(60_000);
    expect(await kinesis.texts(StreamName)).toEqual(['new']);
  });

  test('can be longer, up to 365 days, and shorter again', async () => {
    await kinesis.create(StreamName);
    const increase = (RetentionPeriodHours: number) =>
      kinesis.client.send(new IncreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours }));
    const decrease = (RetentionPeriodHours: number) =>
      kinesis.client.send(new DecreaseStreamRetentionPeriodCommand({ StreamName, RetentionPeriodHours }));
    await kinesis.put(StreamName, 'kept');
    await increase(48);
    await kinesis.clock.advance(DAY_MS + 1);
    expect(await kinesis.texts(StreamName)).toEqual(['kept']);
    for (const refused of [increase(24), decrease(72), increase(8761), decrease(23)]) {
      await expect(refused).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    }
    await decrease(24);
    expect(await kinesis.texts(StreamName)).toEqual([]);
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_AddTagsToStream.html
test('a stream has up to 50 tags', async () => {
  await kinesis.create(StreamName);
  const add = (Tags: Record<string, string>) => kinesis.client.send(new AddTagsToStreamCommand({ StreamName, Tags }));
  await add({ team: 'shop', stage: 'dev' });
  await kinesis.client.send(new RemoveTagsFromStreamCommand({ StreamName, TagKeys: ['stage'] }));
  const page = await kinesis.client.send(new ListTagsForStreamCommand({ StreamName }));
  expect(page).toMatchObject({ Tags: [{ Key: 'team', Value: 'shop' }], HasMoreTags: false });
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, '']));
  await expect(add(many)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html
describe('consumers', () => {
  const StreamARN = streamArn(StreamName);
  const register = (ConsumerName: string) =>
    kinesis.client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }));

  test('are registered, up to 20 for each stream, and keep a stream from being deleted', async () => {
    await kinesis.create(StreamName);
    const { Consumer } = await register('billing');
    const { ConsumerARN } = Consumer ?? {};
    expect(ConsumerARN).toBe(`${StreamARN}/consumer/billing:${kinesis.clock.now() / 1000}`);
    const found = await kinesis.client.send(new DescribeStreamConsumerCommand({ ConsumerARN }));
    expect(found.ConsumerDescription).toMatchObject({ ConsumerStatus: 'ACTIVE', StreamARN });
    await expect(register('billing')).rejects.toMatchObject({ name: 'ResourceInUseException' });
    for (let index = 1; index < 20; index += 1) await register(`c${index}`);
    await expect(register('too-many')).rejects.toMatchObject({ name: 'LimitExceededException' });
    const { Consumers } = await kinesis.client.send(new ListStreamConsumersCommand({ StreamARN, MaxResults: 1 }));
    expect(Consumers).toMatchObject([{ ConsumerName: 'billing' }]);
    await expect(kinesis.client.send(new DeleteStreamCommand({ StreamName }))).rejects.toMatchObject({
      name: 'ResourceInUseException',
    });
    await kinesis.client.send(new DeleteStreamCommand({ StreamName, EnforceConsumerDeletion: true }));
  });

  test('have tags, and can be taken back', async () => {
    await kinesis.create(StreamName);
    const { Consumer } = await register('billing');
    const ResourceARN = Consumer?.ConsumerARN;
    await kinesis.client.send(new TagResourceCommand({ ResourceARN, Tags: { team: 'billing' } }));
    const tags = await kinesis.client.send(new ListTagsForResourceCommand({ ResourceARN }));
    expect(tags.Tags).toEqual([{ Key: 'team', Value: 'billing' }]);
    await kinesis.client.send(new DeregisterStreamConsumerCommand({ StreamARN, ConsumerName: 'billing' }));
    await expect(
      kinesis.client.send(new DescribeStreamConsumerCommand({ StreamARN, ConsumerName: 'billing' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('get an error from SubscribeToShard, which is not available on this machine', async () => {
    await kinesis.create(StreamName);
    const { Consumer } = await register('billing');
    const subscribe = new SubscribeToShardCommand({
      ConsumerARN: Consumer?.ConsumerARN,
      ShardId: 'shardId-000000000000',
      StartingPosition: { Type: 'LATEST' },
    });
    await expect(kinesis.client.send(subscribe)).rejects.toMatchObject({
      message: expect.stringContaining('SubscribeToShard is not available on this machine'),
    });
  });
});

// https://docs.aws.amazon.com/kinesis/latest/APIReference/API_EnableEnhancedMonitoring.html
test('shard-level metrics are kept', async () => {
  await kinesis.create(StreamName);
  const input = { StreamName, ShardLevelMetrics: ['IncomingBytes' as const] };
  expect(await kinesis.client.send(new EnableEnhancedMonitoringCommand(input))).toMatchObject({
    CurrentShardLevelMetrics: [],
    DesiredShardLevelMetrics: ['IncomingBytes'],
  });
});

// https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
test('a stream reports metrics of what is written and read', async () => {
  await kinesis.create(StreamName);
  const Records = ['a', 'bc'].map((text) => ({ PartitionKey: 'k', Data: Buffer.from(text) }));
  await kinesis.client.send(new PutRecordsCommand({ StreamName, Records }));
  await kinesis.texts(StreamName);
  const valueIn = (name: string) => kinesis.metrics.find((metric) => metric.name === name)?.value;
  expect(kinesis.metrics[0]).toMatchObject({ namespace: 'AWS/Kinesis', dimensions: { StreamName } });
  expect(['IncomingRecords', 'IncomingBytes', 'GetRecords.Records', 'GetRecords.Bytes'].map(valueIn)).toEqual([
    2, 5, 2, 3,
  ]);
});
