import { Readable } from 'node:stream';
import { text as streamText } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import {
  arnOf,
  functionArn,
  type PipesUnderTest,
  pipeInput,
  pipeRole,
  pipesForEachTest,
  queue,
  queueArn,
  roleArn,
} from '../../../fixtures/pipes-under-test.ts';
import { s3 } from '../s3/index.ts';

const { start, create } = pipesForEachTest();

const arn = (service: string, resource: string) => `arn:aws:${service}:us-east-1:000000000000:${resource}`;

/** Lets a service send to the queue `out`. */
const outPolicy = (Service: string) => ({
  Type: 'AWS::SQS::QueuePolicy',
  Properties: {
    Queues: [{ Ref: 'Out' }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { Service }, Action: 'sqs:SendMessage', Resource: arnOf('Out') },
    },
  },
});

/** The next message of the queue `out`. */
const next = (started: PipesUnderTest) =>
  eventually(async () => {
    const [body = ''] = await started.take('out');
    return JSON.parse(body);
  });

const machine = (StateMachineName: string, StateMachineType: string, state: object) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    ...{ StateMachineName, StateMachineType, Definition: { StartAt: 'S', States: { S: { ...state, End: true } } } },
    RoleArn: 'arn:aws:iam::000000000000:role/machine',
  },
});

/** Starts a pipe from the queue `in` to the Firehose stream `f`, which delivers to a bucket after a minute. */
async function withFirehose(members: object, resources: Record<string, object> = {}) {
  const Bucket = { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'archive' } };
  const Delivery = {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: 'delivery',
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Principal: { Service: 'firehose.amazonaws.com' }, Action: 'sts:AssumeRole' },
      },
      Policies: [
        {
          PolicyName: 'p',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: { Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::archive/*' },
          },
        },
      ],
    },
  };
  const Stream = {
    Type: 'AWS::KinesisFirehose::DeliveryStream',
    Properties: {
      DeliveryStreamName: 'f',
      ExtendedS3DestinationConfiguration: {
        ...{ RoleARN: arnOf('Delivery'), BucketARN: arnOf('Bucket') },
        BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 1 },
      },
    },
  };
  const TargetParameters = { InputTemplate: '{"n":<$.body.n>}' };
  const started = await create(
    { Target: arn('firehose', 'deliverystream/f'), TargetParameters, ...members },
    { resources: { Bucket, Delivery, Stream, ...resources } },
  );
  const texts = async (): Promise<string[]> => {
    const store = started.cloud.host.handleOf(s3);
    const { Contents = [] } = (await store.call('ListObjectsV2', { Bucket: 'archive' })) as {
      Contents?: { Key: string }[];
    };
    return Promise.all(
      Contents.map(async ({ Key }) => {
        const { Body } = (await store.call('GetObject', { Bucket: 'archive', Key })) as { Body: Iterable<Uint8Array> };
        return streamText(Readable.from(Body, { objectMode: false }));
      }),
    );
  };
  return { started, texts };
}

// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html
describe('a target', () => {
  it('that is a function gets the batch as a list, also of one event', async () => {
    const batches: unknown[] = [];
    const started = await create(
      { Target: functionArn('see'), TargetParameters: { InputTemplate: '{"n":<$.body.n>}' } },
      { functions: { see: (batch) => void batches.push(batch) } },
    );
    await started.send({ n: 1 });
    await eventually(() => expect(batches).toEqual([[{ n: 1 }]]));
  });

  it('that is a function gets the batch asynchronously with FIRE_AND_FORGET', async () => {
    const LambdaFunctionParameters = { InvocationType: 'FIRE_AND_FORGET' };
    const TargetParameters = { InputTemplate: '{"n":<$.body.n>}', LambdaFunctionParameters };
    const started = await create({ Target: functionArn('later'), TargetParameters });
    await started.send({ n: 1 });
    await eventually(() => expect(started.delivered).toEqual([{ arn: functionArn('later'), payload: [{ n: 1 }] }]));
  });

  it('that is a FIFO queue gets the group and the id for deduplication that the event has', async () => {
    const SqsQueueParameters = { MessageGroupId: '$.body.customer', MessageDeduplicationId: '$.body.id' };
    const TargetParameters = { InputTemplate: '<$.body.id>', SqsQueueParameters };
    const Fifo = queue('out.fifo', { FifoQueue: true });
    const started = await create({ Target: queueArn('out.fifo'), TargetParameters }, { resources: { Fifo } });
    await started.send({ customer: 'ada', id: '1' }, { customer: 'bob', id: '1' }, { customer: 'bob', id: '2' });
    await eventually(async () => expect(await started.count('in')).toBe(0));
    // The second one is a duplicate of the first.
    expect(await started.count('out.fifo')).toBe(2);
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html#pipes-targets-dynamic-parms
  it('that is a bus gets the event as the detail, with the parameters of the pipe', async () => {
    const Rule = {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { source: ['shop'] }, Targets: [{ Id: 'q', Arn: arnOf('Out') }] },
    };
    const started = await create(
      {
        Target: arn('events', 'event-bus/default'),
        TargetParameters: {
          InputTemplate: '{"id":<$.body.id>}',
          EventBridgeEventBusParameters: {
            ...{ DetailType: '$.body.type', Source: 'shop', Resources: ['$.body.order'], Time: '$.body.at' },
          },
        },
      },
      { resources: { Rule, Policy: outPolicy('events.amazonaws.com') } },
    );
    await started.send({ id: 7, type: 'OrderPlaced', order: 'arn:aws:shop:::order/7', at: '2026-06-01T00:00:00Z' });
    expect(await next(started)).toMatchObject({
      source: 'shop',
      'detail-type': 'OrderPlaced',
      resources: ['arn:aws:shop:::order/7'],
      time: '2026-06-01T00:00:00Z',
      detail: { id: 7 },
    });
  });

  it('that is a topic gets each event as a message', async () => {
    const Topic = { Type: 'AWS::SNS::Topic', Properties: { TopicName: 't' } };
    const Subscription = {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        ...{ TopicArn: { Ref: 'Topic' }, Protocol: 'sqs', Endpoint: arnOf('Out'), RawMessageDelivery: true },
      },
    };
    const resources = { Topic, Subscription, Policy: outPolicy('sns.amazonaws.com') };
    const started = await create(
      { Target: arn('sns', 't'), TargetParameters: { InputTemplate: '{"n":<$.body.n>}' } },
      { resources },
    );
    await started.send({ n: 1 });
    expect(await next(started)).toEqual({ n: 1 });
  });

  it('that is a log group gets each event as a line of the stream that the pipe names', async () => {
    const Group = { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: 'g' } };
    const CloudWatchLogsParameters = { LogStreamName: '$.body.shop' };
    const TargetParameters = { InputTemplate: '{"n":<$.body.n>}', CloudWatchLogsParameters };
    const started = await start({ resources: { Group } });
    await started.call('logs', 'CreateLogStream', { logGroupName: 'g', logStreamName: 'berlin' });
    await started.invoke('CreatePipe', pipeInput({ Target: arn('logs', 'log-group:g'), TargetParameters }));
    await started.send({ n: 1, shop: 'berlin' });
    await eventually(async () => {
      const given = { logGroupName: 'g', logStreamName: 'berlin' };
      const { events } = (await started.call('logs', 'GetLogEvents', given)) as { events?: { message: string }[] };
      expect(events?.map(({ message }) => message)).toEqual(['{"n":1}']);
    });
  });

  // https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeTargetKinesisStreamParameters.html
  it('that is a Kinesis stream gets each event as a record, with the partition key that the event has', async () => {
    const Stream = { Type: 'AWS::Kinesis::Stream', Properties: { Name: 's', ShardCount: 1 } };
    const KinesisStreamParameters = { PartitionKey: '$.body.customer' };
    const TargetParameters = { InputTemplate: '{"n":<$.body.n>}', KinesisStreamParameters };
    const started = await create({ Target: arn('kinesis', 'stream/s'), TargetParameters }, { resources: { Stream } });
    await started.send({ n: 1, customer: 'ada' });
    const shard = { StreamName: 's', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON' };
    const iterator = await started.call('kinesis', 'GetShardIterator', shard);
    await eventually(async () => {
      const { Records = [] } = (await started.call('kinesis', 'GetRecords', iterator)) as {
        Records?: { PartitionKey: string; Data: string }[];
      };
      expect(Records.map(({ PartitionKey, Data }) => [PartitionKey, String(Buffer.from(Data, 'base64'))])).toEqual([
        ['ada', '{"n":1}'],
      ]);
    });
    await eventually(async () => expect(await started.count('in')).toBe(0));
  });

  it('that is a Kinesis stream needs a partition key', async () => {
    const started = await start();
    await expect(started.invoke('CreatePipe', pipeInput({ Target: arn('kinesis', 'stream/s') }))).rejects.toThrow(
      'KinesisStreamParameters are required for a Kinesis stream',
    );
  });

  // https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
  it('that is a Firehose stream gets each event as a record', async () => {
    const { started, texts } = await withFirehose({});
    await started.send({ n: 1 }, { n: 2 });
    await eventually(async () => expect(await started.count('in')).toBe(0));
    await started.clock.advance(61_000);
    await eventually(async () => expect((await texts()).join('')).toMatch(/^({"n":1}{"n":2}|{"n":2}{"n":1})$/));
  });

  it('that is a Firehose stream gets nothing when the role may not put records, and the messages stay', async () => {
    const Reader = pipeRole('reader', 'sqs:*');
    const { started } = await withFirehose({ RoleArn: roleArn.replace('all', 'reader') }, { Reader });
    await started.send({ n: 1 });
    await eventually(() => expect(started.warnings.join()).toMatch(/Pipe p failed: .*firehose:PutRecordBatch/));
    expect(await started.count('in')).toBe(1);
  });

  // https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_PipeTargetStateMachineParameters.html
  it('that is a Standard state machine is started with FIRE_AND_FORGET', async () => {
    const StepFunctionStateMachineParameters = { InvocationType: 'FIRE_AND_FORGET' };
    const stateMachineArn = arn('states', 'stateMachine:m');
    const started = await create(
      {
        Target: stateMachineArn,
        TargetParameters: { InputTemplate: '{"n":<$.body.n>}', StepFunctionStateMachineParameters },
      },
      { resources: { M: machine('m', 'STANDARD', { Type: 'Pass' }) } },
    );
    await started.send({ n: 1 });
    await eventually(async () => {
      const found = await started.call('states', 'ListExecutions', { stateMachineArn });
      const [execution] = found.executions as never as { executionArn: string }[];
      const described = await started.call('states', 'DescribeExecution', { executionArn: execution?.executionArn });
      expect(described.output).toBe('[{"n":1}]');
    });
  });

  it('that is an Express state machine names the failed events in its output', async () => {
    const Parameters = { batchItemFailures: [{ 'itemIdentifier.$': '$[0].messageId' }] };
    const started = await create(
      { Target: arn('states', 'stateMachine:e') },
      { resources: { E: machine('e', 'EXPRESS', { Type: 'Pass', Parameters }) } },
    );
    let failed = 0;
    started.cloud.host.onMetric(({ name }) => {
      if (name === 'ExecutionPartiallyFailed') failed += 1;
    });
    await started.send({ n: 1 });
    await eventually(() => expect(failed).toBe(1));
    expect(await started.count('in')).toBe(1);
  });
});
