import { describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  arnOf,
  functionArn,
  type PipesOptions,
  type PipesUnderTest,
  pipeInput,
  pipeRole,
  pipesForEachTest,
  queueArn,
} from '../../../fixtures/pipes-under-test.ts';

const { declare } = pipesForEachTest();

/** Starts a pipe from the Kinesis stream `orders`. @param stream the parameters of the stream beside its position */
function start(
  stream: object,
  members: object = {},
  functions: PipesOptions['functions'] = {},
): Promise<PipesUnderTest> {
  const Stream = { Type: 'AWS::Kinesis::Stream', Properties: { Name: 'orders', ShardCount: 1 } };
  const KinesisStreamParameters = { StartingPosition: 'TRIM_HORIZON', ...stream };
  return declare(
    { Source: arnOf('Stream'), SourceParameters: { KinesisStreamParameters }, ...members },
    { resources: { Stream, Blind: pipeRole('blind', 'sqs:*') }, functions },
  );
}

const put = (started: PipesUnderTest, text: string) =>
  started.call('kinesis', 'PutRecord', {
    StreamName: 'orders',
    PartitionKey: 'k',
    Data: Buffer.from(text).toString('base64'),
  });

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-kinesis.html
describe('a pipe from a Kinesis stream', () => {
  it('gives the target records with the members of Kinesis beside those of the event', async () => {
    const started = await start({});
    await put(started, '{"id":1}');
    await eventually(async () => {
      const [body = '{}'] = await started.take('out');
      expect(JSON.parse(body)).toEqual({
        kinesisSchemaVersion: '1.0',
        partitionKey: 'k',
        sequenceNumber: expect.stringMatching(/^\d{56}$/),
        data: Buffer.from('{"id":1}').toString('base64'),
        approximateArrivalTimestamp: expect.any(Number),
        eventSource: 'aws:kinesis',
        eventVersion: '1.0',
        eventID: expect.stringMatching(/^shardId-000000000000:\d{56}$/),
        eventName: 'aws:kinesis:record',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/all',
        awsRegion: 'us-east-1',
        eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
      });
    });
  });

  it('filters by the data, and its template reads it', async () => {
    const started = await start(
      {},
      {
        SourceParameters: {
          FilterCriteria: { Filters: [{ Pattern: '{"data":{"total":[{"numeric":[">",10]}]}}' }] },
          KinesisStreamParameters: { StartingPosition: 'TRIM_HORIZON' },
        },
        TargetParameters: { InputTemplate: '{"total":<$.data.total>}' },
      },
    );
    for (const total of [5, 50]) await put(started, JSON.stringify({ total }));
    await eventually(async () => expect(await started.take('out')).toEqual(['{"total":50}']));
  });

  it('gives the function again the records that it says have failed, and those behind', async () => {
    const seen: string[] = [];
    const consume = (records: { data: string; eventID: string }[]) => {
      seen.push(records.map(({ data }) => Buffer.from(data, 'base64').toString()).join(' '));
      const [failed] = records.slice(1);
      return seen.length === 1 && failed ? { batchItemFailures: [{ itemIdentifier: failed.eventID }] } : {};
    };
    const started = await start(
      { MaximumBatchingWindowInSeconds: 1, BatchSize: 2 },
      { Target: functionArn('consume') },
      { consume },
    );
    for (const text of ['a', 'b']) await put(started, text);
    await eventually(() => expect(seen).toEqual(['a b', 'b']));
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
  it('halves a batch that failed, and tells the dead-letter queue where the record is that is given up', async () => {
    const done: string[] = [];
    const picky = (records: { data: string }[]) => {
      const texts = records.map(({ data }) => Buffer.from(data, 'base64').toString());
      if (texts.includes('bad')) throw new Error('no');
      done.push(...texts);
    };
    const started = await start(
      {
        ...{ OnPartialBatchItemFailure: 'AUTOMATIC_BISECT', MaximumRetryAttempts: 0 },
        ...{ MaximumBatchingWindowInSeconds: 1, BatchSize: 4, DeadLetterConfig: { Arn: queueArn('dead') } },
      },
      { Target: functionArn('picky') },
      { picky },
    );
    for (const text of ['a', 'b', 'bad', 'd']) await put(started, text);
    await eventually(() => expect(done).toEqual(['a', 'b', 'd']));
    expect(await started.arrived(1, 'dead')).toEqual([
      {
        context: {
          partnerResourceArn: 'arn:aws:pipes:us-east-1:000000000000:pipe/p',
          condition: 'RetryAttemptsExhausted',
        },
        version: '1.0',
        timestamp: expect.any(String),
        KinesisBatchInfo: {
          shardId: 'shardId-000000000000',
          startSequenceNumber: expect.stringMatching(/^\d{56}$/),
          endSequenceNumber: expect.stringMatching(/^\d{56}$/),
          approximateArrivalOfFirstRecord: expect.any(String),
          approximateArrivalOfLastRecord: expect.any(String),
          batchSize: 1,
          streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
        },
      },
    ]);
  });

  it('goes on at the first record that a batch of the target did not take', async () => {
    const started = await start(
      {
        ...{ MaximumBatchingWindowInSeconds: 1, BatchSize: 3, MaximumRetryAttempts: 1 },
        DeadLetterConfig: { Arn: queueArn('dead') },
      },
      {
        Target: 'arn:aws:events:us-east-1:000000000000:event-bus/default',
        // A detail that is not a JSON object is refused by PutEvents, entry by entry.
        TargetParameters: { InputTemplate: '<$.data.detail>' },
      },
    );
    for (const detail of [{ good: 1 }, 'bad', { good: 2 }]) await put(started, JSON.stringify({ detail }));
    const [letter] = (await started.arrived(1, 'dead')) as { KinesisBatchInfo: { batchSize: number } }[];
    expect(letter?.KinesisBatchInfo.batchSize).toBe(2);
  });

  // https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_UpdatePipeSourceKinesisStreamParameters.html
  it('keeps the position that it reads from when its parameters are updated', async () => {
    const started = await start({}, { DesiredState: 'STOPPED' });
    await put(started, '{"id":1}');
    const KinesisStreamParameters = { BatchSize: 5 };
    const { RoleArn } = pipeInput();
    const update = { Name: 'p', RoleArn, DesiredState: 'RUNNING', SourceParameters: { KinesisStreamParameters } };
    await started.invoke('UpdatePipe', update);
    expect(await started.invoke('DescribePipe', { Name: 'p' })).toMatchObject({
      SourceParameters: { KinesisStreamParameters: { BatchSize: 5, StartingPosition: 'TRIM_HORIZON' } },
    });
    expect(await started.arrived(1)).toHaveLength(1);
  });

  it('refuses an update with a parallelization factor above 10', async () => {
    const started = await start({}, { DesiredState: 'STOPPED' });
    const { RoleArn } = pipeInput();
    const SourceParameters = { KinesisStreamParameters: { ParallelizationFactor: 11 } };
    await expect(started.invoke('UpdatePipe', { Name: 'p', RoleArn, SourceParameters })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });

  it('needs a role that may read the stream', async () => {
    await expect(start({}, { RoleArn: arnOf('Blind') })).rejects.toThrow('kinesis:DescribeStream');
  });
});
