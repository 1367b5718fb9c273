import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  arnOf,
  functionArn,
  type PipesUnderTest,
  pipeInput,
  pipeRole,
  startPipes,
} from '../../../fixtures/pipes-under-test.ts';

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

type Options = { functions?: NonNullable<Parameters<typeof startPipes>[0]>['functions']; [member: string]: unknown };

/** Starts a pipe from the Kinesis stream `orders`, as a template has it. */
async function start(stream: object, { functions = {}, ...members }: Options = {}): Promise<PipesUnderTest> {
  const Stream = { Type: 'AWS::Kinesis::Stream', Properties: { Name: 'orders', ShardCount: 1 } };
  const Pipe = {
    Type: 'AWS::Pipes::Pipe',
    Properties: pipeInput({
      Source: arnOf('Stream'),
      RoleArn: arnOf('Role'),
      SourceParameters: { KinesisStreamParameters: { StartingPosition: 'TRIM_HORIZON', ...stream } },
      ...members,
    }),
  };
  const Blind = pipeRole('blind', 'sqs:*');
  return stack.use(await startPipes({ resources: { Stream, Pipe, Blind }, functions }));
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
      { functions: { consume }, Target: functionArn('consume') },
    );
    for (const text of ['a', 'b']) await put(started, text);
    await eventually(() => expect(seen).toEqual(['a b', 'b']));
  });

  it('needs a role that may read the stream', async () => {
    await expect(start({}, { RoleArn: arnOf('Blind') })).rejects.toThrow('kinesis:DescribeStream');
  });
});
