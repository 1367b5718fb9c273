import { GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import {
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  ListFunctionEventInvokeConfigsCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { arn, LambdaUnderTest, queue } from '../../../fixtures/lambda-under-test.ts';
import { s3 } from '../s3/index.ts';

let under: LambdaUnderTest;
beforeEach(() => {
  under = new LambdaUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const MINUTE = 60_000;
const event = (value: unknown) => Buffer.from(JSON.stringify(value));
const invoke = (value: unknown, rest: object = {}) =>
  under.client.send(
    new InvokeCommand({ FunctionName: 'relay', InvocationType: 'Event', Payload: event(value), ...rest }),
  );
const seen = (count: number) => eventually(() => expect(under.seen()).toHaveLength(count));
const events = (asynchronousEvents: object) =>
  eventually(() => expect(under.cloud.consoles().lambda).toHaveProperty('asynchronousEvents', asynchronousEvents));
/** Waits until so many events wait for a retry, and none is being handled. */
const waiting = (count: number) => events({ relay: { waiting: count, running: 0 } });
const done = () => events({});
/** Waits until an event has been tried so often and waits for its retry. */
const settled = async (count: number) => {
  await seen(count);
  await waiting(1);
};

const config = (Properties: object) => ({
  Type: 'AWS::Lambda::EventInvokeConfig',
  Properties: { FunctionName: 'relay', Qualifier: '$LATEST', ...Properties },
  DependsOn: ['Relay'],
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
describe('an asynchronous event', () => {
  test('is accepted with 202 and handled', async () => {
    await under.start({ Relay: under.fn('relay') });
    const { StatusCode, $metadata } = await invoke({ id: 1 });
    expect(StatusCode).toBe(202);
    await done();
    expect(under.seen()).toMatchObject([{ event: { id: 1 }, context: { awsRequestId: $metadata.requestId } }]);
  });

  test('that fails is tried again after one minute and after two more, then is in the dead-letter queue', async () => {
    await under.start({
      Dead: queue('dead'),
      Relay: under.fn('relay', { DeadLetterConfig: { TargetArn: arn('sqs', 'dead') } }),
    });
    const { $metadata } = await invoke({ fail: 'out of stock' });
    await settled(1);
    await under.clock.advance(MINUTE - 1);
    expect(under.seen()).toHaveLength(1);
    await under.clock.advance(1);
    await settled(2);
    await under.clock.advance(2 * MINUTE - 1);
    expect(under.seen()).toHaveLength(2);
    await under.clock.advance(1);
    await seen(3);
    await done();
    expect(await under.messages('dead')).toEqual([
      {
        body: { fail: 'out of stock' },
        attributes: { RequestID: $metadata.requestId, ErrorCode: '200', ErrorMessage: 'out of stock' },
      },
    ]);
    expect(new Set(under.seen().map(({ context }) => context.awsRequestId))).toEqual(new Set([$metadata.requestId]));
  });

  test('goes with its outcome to the destination', async () => {
    await under.start({
      ...{ Good: queue('good'), Bad: queue('bad'), Relay: under.fn('relay') },
      Config: config({
        MaximumRetryAttempts: 0,
        DestinationConfig: {
          OnSuccess: { Destination: arn('sqs', 'good') },
          OnFailure: { Destination: arn('sqs', 'bad') },
        },
      }),
    });
    const ok = await invoke({ id: 7 });
    await done();
    const failed = await invoke({ fail: 'no sku' });
    await done();
    expect(await under.messages('good')).toMatchObject([
      {
        body: {
          version: '1.0',
          timestamp: new Date(under.clock.now()).toISOString(),
          requestContext: {
            requestId: ok.$metadata.requestId,
            functionArn: `${arn('lambda', 'function:relay')}:$LATEST`,
            condition: 'Success',
            approximateInvokeCount: 1,
          },
          requestPayload: { id: 7 },
          responseContext: { statusCode: 200, executedVersion: '$LATEST' },
          responsePayload: { handled: 7 },
        },
      },
    ]);
    expect(await under.messages('bad')).toMatchObject([
      {
        body: {
          requestContext: {
            requestId: failed.$metadata.requestId,
            condition: 'RetriesExhausted',
            approximateInvokeCount: 1,
          },
          requestPayload: { fail: 'no sku' },
          responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
          responsePayload: { errorType: 'TypeError', errorMessage: 'no sku' },
        },
      },
    ]);
  });

  test('reaches another function and a bus as destinations', async () => {
    await under.start({
      ...{ Heard: queue('heard'), Relay: under.fn('relay'), Audit: under.fn('audit') },
      Policy: {
        Type: 'AWS::SQS::QueuePolicy',
        Properties: {
          Queues: [{ Ref: 'Heard' }],
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: arn('sqs', 'heard'),
            },
          },
        },
      },
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventPattern: { source: ['lambda'] },
          Targets: [{ Id: 'heard', Arn: arn('sqs', 'heard') }],
        },
      },
      Config: config({
        MaximumRetryAttempts: 0,
        DestinationConfig: {
          OnSuccess: { Destination: arn('events', 'event-bus/default') },
          OnFailure: { Destination: arn('lambda', 'function:audit') },
        },
      }),
    });
    await invoke({ id: 3 });
    const [heard] = await eventually(async () => {
      const messages = await under.messages('heard');
      expect(messages).toHaveLength(1);
      return messages;
    });
    expect(heard?.body).toMatchObject({
      source: 'lambda',
      'detail-type': 'Lambda Function Invocation Result - Success',
      resources: [`${arn('lambda', 'function:relay')}:$LATEST`, arn('events', 'event-bus/default')],
      detail: { requestPayload: { id: 3 }, responsePayload: { handled: 3 } },
    });
    await invoke({ fail: 'x' });
    await seen(3);
    expect(under.seen()[2]).toMatchObject({
      context: { functionName: 'audit' },
      event: { requestPayload: { fail: 'x' }, requestContext: { condition: 'RetriesExhausted' } },
    });
  });

  test('that is given up goes into a bucket', async () => {
    await under.start({
      ...{ Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'failures' } }, Relay: under.fn('relay') },
      Config: config({
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::failures' } },
      }),
    });
    await invoke({ fail: 'x' });
    await done();
    const bucket = under.cloud.host.handleOf(s3);
    const { Contents } = (await bucket.call('ListObjectsV2', { Bucket: 'failures' })) as {
      Contents: { Key: string }[];
    };
    expect(Contents.map(({ Key }) => Key)).toEqual([
      expect.stringMatching(
        /^aws\/lambda\/async\/relay\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
      ),
    ]);
    expect(under.warnings).toEqual([]);
  });

  test('that grows too old before its retry is given up', async () => {
    await under.start({
      ...{ Bad: queue('bad'), Relay: under.fn('relay') },
      Config: config({
        MaximumEventAgeInSeconds: 90,
        DestinationConfig: { OnFailure: { Destination: arn('sqs', 'bad') } },
      }),
    });
    await invoke({ fail: 'x' });
    await settled(1);
    await under.clock.advance(MINUTE);
    await settled(2);
    await under.clock.advance(MINUTE);
    await done();
    expect(under.seen()).toHaveLength(2);
    expect(await under.messages('bad')).toMatchObject([
      { body: { requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 2 } } },
    ]);
  });

  test('that is throttled comes back after one second, two, four …, and that counts for no retry', async () => {
    await under.start({ Relay: under.fn('relay', { ReservedConcurrentExecutions: 1 }) });
    const busy = invoke({ sleep: 1500 }, { InvocationType: 'RequestResponse' });
    await seen(1);
    await invoke({ id: 'waits' });
    await waiting(1);
    await busy;
    expect(under.seen()).toHaveLength(1);
    await under.clock.advance(1000);
    await done();
    expect(under.seen()[1]).toMatchObject({ event: { id: 'waits' } });
  });

  test('goes to the dead letters at once when the reserved concurrency is 0', async () => {
    await under.start({
      Dead: queue('dead'),
      Relay: under.fn('relay', {
        ReservedConcurrentExecutions: 0,
        DeadLetterConfig: { TargetArn: arn('sqs', 'dead') },
      }),
    });
    await invoke({ id: 1 });
    await done();
    expect(await under.messages('dead')).toMatchObject([{ body: { id: 1 } }]);
    expect(under.seen()).toEqual([]);
  });

  test('without a destination is lost, and that is said and counted', async () => {
    await under.start({ Relay: under.fn('relay'), Config: config({ MaximumRetryAttempts: 0 }) });
    await invoke({ fail: 'x' });
    await done();
    expect(under.warnings).toEqual([
      'relay has given up an asynchronous event (RetriesExhausted), and it has neither an on-failure destination nor a dead-letter queue: the event is lost',
    ]);
    const sumOf = async (MetricName: string) => {
      const { Datapoints } = await under.cloudWatch.send(
        new GetMetricStatisticsCommand({
          Namespace: 'AWS/Lambda',
          MetricName,
          Dimensions: [{ Name: 'FunctionName', Value: 'relay' }],
          StartTime: new Date(under.clock.now() - 5 * MINUTE),
          EndTime: new Date(under.clock.now() + 5 * MINUTE),
          Period: 60,
          Statistics: ['Sum'],
        }),
      );
      return Datapoints?.map(({ Sum }) => Sum);
    };
    for (const metric of ['AsyncEventsReceived', 'AsyncEventsDropped', 'Errors'])
      expect(await sumOf(metric)).toEqual([1]);
    expect(await sumOf('AsyncEventAge')).toEqual([0]);
  });

  test('outlives the process that accepted it, and the one that was handling it', async () => {
    const resources = { Relay: under.fn('relay') };
    await under.start(resources, { keepsData: true });
    await invoke({ fail: 'x' });
    await settled(1);
    await invoke({ sleep: 60_000 });
    await seen(2);
    await under.stop();
    await under.start(resources, { keepsData: true });
    await under.clock.advance(0);
    await seen(3);
    expect(under.seen()[2]?.event).toEqual({ sleep: 60_000 });
    await under.clock.advance(MINUTE);
    await seen(4);
    expect(under.seen()[3]?.event).toEqual({ fail: 'x' });
  });

  test('is what rules deliver: it is tried again', async () => {
    await under.start({ Relay: under.fn('relay') });
    const sender = { service: 'events.amazonaws.com', sourceArn: arn('events', 'rule/r') };
    await under.cloud.host.deliver(arn('lambda', 'function:relay'), '{"fail":"x"}', { sender });
    await settled(1);
    await under.clock.advance(MINUTE);
    await seen(2);
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
describe('permissions', () => {
  const role = (Action: string, Resource: string) => ({
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName: 'relay-role',
      AssumeRolePolicyDocument: {},
      Policies: [
        {
          PolicyName: 'all',
          PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] },
        },
      ],
    },
  });
  const Role = { 'Fn::GetAtt': ['Role', 'Arn'] };

  test('a destination that the role may not use is refused', async () => {
    await under.start({ Role: role('sqs:SendMessage', arn('sqs', 'good')), Relay: under.fn('relay', { Role }) });
    const put = (Destination: string) =>
      under.client.send(
        new PutFunctionEventInvokeConfigCommand({
          FunctionName: 'relay',
          DestinationConfig: { OnFailure: { Destination } },
        }),
      );
    await put(arn('sqs', 'good'));
    await expect(put(arn('sqs', 'other'))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: `The function's execution role does not have permissions to call SendMessage on ${arn('sqs', 'other')}`,
    });
    await expect(put(arn('events', 'event-bus/default'))).rejects.toThrow('to call PutEvents on');
    await expect(put(arn('kinesis', 'stream/x'))).rejects.toThrow('is invalid');
  });

  test('a dead-letter queue that the role may not use stops the start', async () => {
    await expect(
      under.start({
        Role: role('sns:Publish', '*'),
        Relay: under.fn('relay', { Role, DeadLetterConfig: { TargetArn: arn('sqs', 'dead') } }),
      }),
    ).rejects.toThrow(
      'Resources.Relay: The provided execution role does not have permissions to call SendMessage on SQS',
    );
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
describe('EventInvokeConfig', () => {
  const FunctionName = 'relay';

  test('is put, updated, listed and deleted, and outlives the process', async () => {
    const resources = { Relay: under.fn('relay') };
    await under.start(resources, { keepsData: true });
    const FunctionArn = `${arn('lambda', 'function:relay')}:$LATEST`;
    await expect(under.client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await under.client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 1 }));
    const updated = new UpdateFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 60 });
    expect(await under.client.send(updated)).toMatchObject({
      FunctionArn,
      MaximumRetryAttempts: 1,
      MaximumEventAgeInSeconds: 60,
    });
    await under.stop();
    await under.start(resources, { keepsData: true });
    const listed = await under.client.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName }));
    expect(listed.FunctionEventInvokeConfigs).toMatchObject([{ FunctionArn, MaximumRetryAttempts: 1 }]);
    await under.client.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }));
    await expect(under.client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test.each([
    [
      { MaximumRetryAttempts: 3 },
      "'3' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less",
    ],
    [{ MaximumEventAgeInSeconds: 59 }, "'59' at 'maximumEventAgeInSeconds' failed to satisfy constraint"],
    [{}, 'You must specify at least one of error handling or destination setting'],
    [{ DestinationConfig: { OnSuccess: { Destination: arn('s3', 'bucket') } } }, 'is invalid'],
    [{ DestinationConfig: { OnFailure: { Destination: arn('sqs', 'x.fifo') } } }, 'is invalid'],
  ])('%j is refused', async (config, message) => {
    await under.start({ Relay: under.fn('relay') });
    await expect(
      under.client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...config })),
    ).rejects.toThrow(message);
  });
});
