import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { ordersArn, StreamMappingUnderTest, textsOf } from '../../../fixtures/stream-mapping-under-test.ts';

const FIRST_SHARD = 'shardId-000000000000';
const QUEUE = 'arn:aws:sqs:eu-central-1:000000000000:failed';

let under: StreamMappingUnderTest;

beforeEach(() => {
  under = new StreamMappingUnderTest();
});

afterEach(async () => {
  await under[Symbol.asyncDispose]();
});

const called = (...expected: string[]) => eventually(() => expect(under.calls()).toEqual(expected));
const split = (ShardToSplit = FIRST_SHARD, key = 2n ** 127n) =>
  under.kinesis.call('SplitShard', { StreamName: 'orders', ShardToSplit, NewStartingHashKey: `${key}` });

// https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
describe('a mapping of a Kinesis stream', () => {
  test('hands records over in the shape of Kinesis events on Lambda', async () => {
    under.put('{"orderId":"o-1"}', 'o-1');
    await under.map();
    await called('{"orderId":"o-1"}');
    const sequenceNumber = expect.stringMatching(/^\d{56}$/);
    expect(under.events[0]?.Records).toEqual([
      {
        kinesis: {
          kinesisSchemaVersion: '1.0',
          partitionKey: 'o-1',
          sequenceNumber,
          data: Buffer.from('{"orderId":"o-1"}').toString('base64'),
          approximateArrivalTimestamp: under.clock.now() / 1000,
        },
        eventSource: 'aws:kinesis',
        eventVersion: '1.0',
        eventID: expect.stringMatching(/^shardId-000000000000:\d{56}$/),
        eventName: 'aws:kinesis:record',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/f',
        awsRegion: 'eu-central-1',
        eventSourceARN: ordersArn,
      },
    ]);
  });

  test('hands over batches of at most BatchSize, in order, and goes on at its checkpoint', async () => {
    for (const text of ['a', 'b', 'c']) under.put(text);
    await under.map({ BatchSize: 2 });
    await called('a b', 'c');
    await eventually(() => expect([...under.saved.values()]).toEqual([expect.stringMatching(/^\d{56}$/)]));
    await under.stop();
    under.put('d');
    await under.map({ BatchSize: 2 });
    await called('a b', 'c', 'd');
  });

  test('waits for more records for as long as the batching window says', async () => {
    await under.map({ MaximumBatchingWindowInSeconds: 60 });
    under.put('a');
    await under.clock.advance(30_000);
    under.put('b');
    await under.clock.advance(29_000);
    expect(under.calls()).toEqual([]);
    await eventually(async () => {
      await under.clock.advance(1000);
      expect(under.calls()).toEqual(['a b']);
    });
  });

  test('begins at its StartingPosition, also AT_TIMESTAMP', async () => {
    under.put('before');
    await under.clock.advance(60_000);
    const StartingPositionTimestamp = under.clock.now() / 1000;
    under.put('after');
    await under.map({ StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp });
    await called('after');
    await expect(under.map({ StartingPosition: 'AT_TIMESTAMP' })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
  });

  test('filters by the data, as JSON, and by the partition key', async () => {
    under.put('{"total":5}', 'small');
    under.put('{"total":50}', 'large');
    under.put('no JSON', 'large');
    const Pattern = '{"partitionKey":["large"],"data":{"total":[{"numeric":[">",10]}]}}';
    await under.map({ FilterCriteria: { Filters: [{ Pattern }] } });
    await called('{"total":50}');
  });

  test('reports the age of the records', async () => {
    under.put('a');
    await under.clock.advance(5000);
    await under.map();
    await eventually(() => expect(under.ages).toEqual([5000]));
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
describe('a batch that fails', () => {
  test('is retried, and then described to the destination with its place in the stream', async () => {
    under.answer = () => {
      throw new Error('bad');
    };
    under.put('a');
    await under.map({ MaximumRetryAttempts: 2, DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    await eventually(async () => {
      await under.clock.advance(0);
      expect(under.sent).toHaveLength(1);
    });
    expect(under.calls()).toEqual(['a', 'a', 'a']);
    const at = new Date(under.clock.now()).toISOString().replace('.000Z', 'Z');
    expect(under.sent[0]).toMatchObject({
      destination: QUEUE,
      document: {
        requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
        KinesisBatchInfo: {
          shardId: FIRST_SHARD,
          startSequenceNumber: under.events[0]?.Records[0]?.kinesis.sequenceNumber,
          approximateArrivalOfFirstRecord: at,
          batchSize: 1,
          streamArn: ordersArn,
        },
      },
    });
  });

  test('is split with BisectBatchOnFunctionError, so that the other records get through', async () => {
    under.answer = (event) => {
      if (textsOf(event).includes('bad')) throw new Error('bad');
    };
    for (const text of ['a', 'bad', 'c', 'd']) under.put(text);
    const settings = { BisectBatchOnFunctionError: true, MaximumRetryAttempts: 0 };
    await under.map({ ...settings, DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    await called('a bad c d', 'a bad', 'a', 'bad', 'c d');
  });

  test('goes on at the first record that the function names', async () => {
    under.answer = ({ Records }) => ({
      batchItemFailures: under.events.length === 1 ? [{ itemIdentifier: Records[1]?.kinesis.sequenceNumber }] : [],
    });
    for (const text of ['a', 'b', 'c']) under.put(text);
    await under.map({ FunctionResponseTypes: ['ReportBatchItemFailures'] });
    await eventually(async () => {
      await under.clock.advance(0);
      expect(under.calls()).toEqual(['a b c', 'b c']);
    });
  });

  test('is given up when it is older than MaximumRecordAgeInSeconds', async () => {
    under.put('old');
    await under.clock.advance(61_000);
    under.put('new');
    await under.map({ MaximumRecordAgeInSeconds: 60 });
    await called('new');
    expect(under.warnings.join()).toContain('RecordAgeExceeded');
  });
});

// https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
describe('a stream whose shards change', () => {
  test('is read parents first, without skipping records', async () => {
    under.put('before');
    split();
    under.put('after', 'a');
    under.put('after too', 'b');
    await under.map();
    await eventually(() => expect(under.calls().slice(1).sort()).toEqual(['after', 'after too']));
    expect(under.calls()[0]).toBe('before');
    under.kinesis.call('MergeShards', {
      StreamName: 'orders',
      ShardToMerge: 'shardId-000000000001',
      AdjacentShardToMerge: 'shardId-000000000002',
    });
    under.put('merged');
    await eventually(() => expect(under.calls()).toContain('merged'));
  });

  test('with LATEST, records that new shards got before the mapping started are skipped', async () => {
    split();
    under.put('before');
    await under.map({ StartingPosition: 'LATEST' });
    await eventually(() => expect([...under.saved.values()]).toContain('SHARD_END'));
    await eventually(async () => {
      under.put('after');
      expect(under.calls()).toContain('after');
    });
    expect(under.calls().join(' ')).not.toContain('before');
  });

  test('with LATEST, a shard that was created while the mapping was stopped is read from its first record', async () => {
    await under.map({ StartingPosition: 'LATEST' });
    await eventually(async () => {
      under.put('known');
      expect(under.calls()).toContain('known');
    });
    await under.stop();
    split();
    under.put('while away');
    await under.map({ StartingPosition: 'LATEST' });
    await eventually(() => expect(under.calls()).toContain('while away'));
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
test('with a ParallelizationFactor the records of one partition key stay in order', async () => {
  for (let number = 0; number < 40; number += 1) under.put(`${number}`, `key-${number % 4}`);
  await under.map({ ParallelizationFactor: 4, BatchSize: 5 });
  await eventually(() => expect(under.calls().join(' ').split(' ')).toHaveLength(40));
  const texts = under.calls().join(' ').split(' ').map(Number);
  for (const key of [0, 1, 2, 3]) {
    const ofKey = texts.filter((number) => number % 4 === key);
    expect(ofKey).toEqual([...ofKey].sort((one, other) => one - other));
  }
});
