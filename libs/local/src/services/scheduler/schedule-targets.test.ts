import { afterEach, describe, expect, it } from '@jest/globals';
import {
  functionArn,
  queueArn,
  type SchedulerUnderTest,
  scheduleInput,
  startScheduler,
} from '../../../fixtures/scheduler-under-test.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { RoleCall } from '../../core/service.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const throttled = new AwsError('ThrottlingException', 'Rate exceeded', 429);
const unavailable = new AwsError('ServiceUnavailable', 'Try again', 503);

let stack = new AsyncDisposableStack();

async function start(options: Parameters<typeof startScheduler>[0] = {}): Promise<SchedulerUnderTest> {
  return stack.use(await startScheduler(options));
}

/** Fails every call but those that send a dead letter. */
const failing = (error: Error) => (call: RoleCall) => {
  if (call.operation === 'SendMessage') return {};
  throw error;
};

afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
describe('a target', () => {
  const call = async (target: object, random?: () => number) => {
    const started = await start(random ? { random } : {});
    await started.invoke('CreateSchedule', scheduleInput({}, { ...target }));
    await started.clock.advance(0);
    return started.calls.map(({ service, operation, input }) => ({ service, operation, input }));
  };

  /** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html */
  it('of a template is called with what its service needs', async () => {
    const Input = '{"a":1}';
    expect(await call({ Input })).toEqual([
      {
        service: 'lambda',
        operation: 'Invoke',
        input: { FunctionName: functionArn('count-stock'), InvocationType: 'Event', Payload: Input },
      },
    ]);
    expect(await call({ Arn: queueArn('q.fifo'), Input, SqsParameters: { MessageGroupId: 'g' } })).toEqual([
      {
        service: 'sqs',
        operation: 'SendMessage',
        input: { QueueUrl: 'http://127.0.0.1/000000000000/q.fifo', MessageBody: Input, MessageGroupId: 'g' },
      },
    ]);
    const topic = 'arn:aws:sns:eu-central-1:000000000000:t';
    expect(await call({ Arn: topic, Input })).toEqual([
      { service: 'sns', operation: 'Publish', input: { TopicArn: topic, Message: Input } },
    ]);
    const machine = 'arn:aws:states:eu-central-1:000000000000:stateMachine:m';
    expect(await call({ Arn: machine, Input })).toEqual([
      { service: 'states', operation: 'StartExecution', input: { stateMachineArn: machine, input: Input } },
    ]);
    const bus = 'arn:aws:events:eu-central-1:000000000000:event-bus/shop';
    const EventBridgeParameters = { DetailType: 'StockTaking.v1', Source: 'millrace.inventory' };
    expect(await call({ Arn: bus, Input, EventBridgeParameters })).toEqual([
      {
        service: 'events',
        operation: 'PutEvents',
        input: { Entries: [{ EventBusName: bus, ...EventBridgeParameters, Detail: Input }] },
      },
    ]);
    const stream = 'arn:aws:kinesis:eu-central-1:000000000000:stream/s';
    expect(await call({ Arn: stream, Input, KinesisParameters: { PartitionKey: 'k' } })).toEqual([
      {
        service: 'kinesis',
        operation: 'PutRecord',
        input: { StreamARN: stream, Data: Buffer.from(Input).toString('base64'), PartitionKey: 'k' },
      },
    ]);
  });

  /** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html */
  it('of any API is called with the input as it is', async () => {
    expect(
      await call({
        Arn: 'arn:aws:scheduler:::aws-sdk:sfn:sendTaskSuccess',
        Input: '{"TaskToken":"t","Output":"{}"}',
      }),
    ).toEqual([{ service: 'states', operation: 'SendTaskSuccess', input: { TaskToken: 't', Output: '{}' } }]);
  });

  it('may be Scheduler itself', async () => {
    const next = scheduleInput({ Name: 'next', ScheduleExpression: 'at(2026-06-01T01:00:00)' });
    const started: SchedulerUnderTest = await start({
      // At once, before the call returns.
      answer: ({ operation, input }) => operation === 'CreateSchedule' && void started.invoke(operation, input),
    });
    const Arn = 'arn:aws:scheduler:::aws-sdk:scheduler:createSchedule';
    await started.invoke('CreateSchedule', scheduleInput({}, { Arn, Input: JSON.stringify(next) }));
    await started.clock.advance(0);
    expect(started.calls).toHaveLength(1);
    expect(await started.invoke('GetSchedule', { Name: 'next' })).toMatchObject({ Name: 'next' });
  });

  it('without an input is given an event of the source aws.scheduler', async () => {
    const [made] = await call({ Input: undefined });
    expect(JSON.parse(String(made?.input.Payload))).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: '000000000000',
      time: '2026-06-01T00:00:00Z',
      region: 'eu-central-1',
      resources: ['arn:aws:scheduler:eu-central-1:000000000000:schedule/default/nightly'],
      detail: '{}',
    });
  });

  /** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
  it('is given the context attributes of each attempt', async () => {
    const answers = [unavailable, undefined];
    const started = await start({
      answer: () => {
        const error = answers.shift();
        if (error) throw error;
      },
    });
    const Input = JSON.stringify({
      arn: '<aws.scheduler.schedule-arn>',
      time: '<aws.scheduler.scheduled-time>',
      id: '<aws.scheduler.execution-id>',
      attempt: '<aws.scheduler.attempt-number>',
      other: '<aws.scheduler.other>',
    });
    await started.invoke('CreateSchedule', scheduleInput({ ScheduleExpression: 'at(2026-06-01T00:30:00)' }, { Input }));
    await started.clock.advance(HOUR_MS);
    const payloads = started.calls.map(({ input }) => JSON.parse(String(input.Payload)));
    const common = {
      arn: 'arn:aws:scheduler:eu-central-1:000000000000:schedule/default/nightly',
      time: '2026-06-01T00:30:00Z',
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      other: '<aws.scheduler.other>',
    };
    expect(payloads).toEqual([
      { ...common, attempt: '1' },
      { ...common, attempt: '2' },
    ]);
    expect(payloads[0].id).not.toBe(payloads[1].id);
  });
});

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html */
describe('a target that fails', () => {
  const DeadLetterConfig = { Arn: queueArn('dead') };
  const once = { ScheduleExpression: 'at(2026-06-01T00:00:00)' };
  const deadLetters = ({ calls }: SchedulerUnderTest) => calls.filter(({ operation }) => operation === 'SendMessage');
  const attributesOf = ({ input }: RoleCall) =>
    Object.fromEntries(
      Object.entries(input.MessageAttributes as Record<string, { StringValue: string }>).map(
        ([name, { StringValue }]) => [name, StringValue],
      ),
    );

  it('is tried again with growing delays until its attempts are used up, then told to the dead-letter queue', async () => {
    const started = await start({ answer: failing(unavailable), random: () => 1 });
    const RetryPolicy = { MaximumRetryAttempts: 3 };
    await started.invoke('CreateSchedule', scheduleInput(once, { DeadLetterConfig, RetryPolicy }));
    await started.clock.advance(DAY_MS);
    const attempts = started.calls.filter(({ service }) => service === 'lambda');
    expect(attempts.map(({ at }) => at.slice(17, 19))).toEqual(['00', '01', '03', '07']);
    const [letter, ...others] = deadLetters(started);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ service: 'sqs', roleArn: 'arn:aws:iam::000000000000:role/scheduler' });
    expect(letter?.input).toMatchObject({
      QueueUrl: 'http://127.0.0.1/000000000000/dead',
      MessageBody: '{"from":"test"}',
      MessageAttributes: { ERROR_CODE: { DataType: 'String', StringValue: 'ServiceUnavailable' } },
    });
    expect(letter && attributesOf(letter)).toEqual({
      ERROR_CODE: 'ServiceUnavailable',
      ERROR_MESSAGE: 'Try again',
      EXECUTION_ID: expect.stringMatching(/^[0-9a-f]{16}$/),
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
      IS_PAYLOAD_TRUNCATED: 'false',
      RETRY_ATTEMPTS: '3',
      SCHEDULED_TIME: '2026-06-01T00:00:00Z',
      SCHEDULE_ARN: 'arn:aws:scheduler:eu-central-1:000000000000:schedule/default/nightly',
      TARGET_ARN: functionArn('count-stock'),
    });
    expect(started.metrics).toEqual([
      ...Array.from({ length: 4 }, () => ['InvocationAttemptCount', 'TargetErrorCount']).flat(),
      'InvocationsSentToDeadLetterCount',
    ]);
  });

  it('is given up when the event is too old', async () => {
    const started = await start({ answer: failing(throttled) });
    const RetryPolicy = { MaximumEventAgeInSeconds: 60 };
    await started.invoke('CreateSchedule', scheduleInput(once, { DeadLetterConfig, RetryPolicy }));
    await started.clock.advance(DAY_MS);
    const [letter] = deadLetters(started);
    expect(letter && attributesOf(letter)).toMatchObject({
      ERROR_CODE: 'ThrottlingException',
      EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds',
    });
    expect(Date.parse(letter?.at ?? '')).toBeLessThanOrEqual(Date.parse('2026-06-01T00:01:00Z'));
  });

  it('is not tried again after a permanent error, whose dead letter names no condition', async () => {
    const message = 'User: scheduler is not authorized to perform: lambda:InvokeFunction';
    const started = await start({ answer: failing(new AwsError('AccessDeniedException', message, 403)) });
    await started.invoke('CreateSchedule', scheduleInput(once, { DeadLetterConfig }));
    await started.clock.advance(DAY_MS);
    expect(started.calls).toHaveLength(2);
    const [letter] = deadLetters(started);
    expect(letter && attributesOf(letter)).toMatchObject({
      ERROR_CODE: 'AccessDeniedException',
      ERROR_MESSAGE: message,
      RETRY_ATTEMPTS: '0',
    });
    expect(letter && attributesOf(letter)).not.toHaveProperty('EXHAUSTED_RETRY_CONDITION');
  });

  it('is an error of Scheduler itself when the fault is in this cloud', async () => {
    const started = await start({ answer: failing(new TypeError('oops')) });
    const RetryPolicy = { MaximumRetryAttempts: 0 };
    await started.invoke('CreateSchedule', scheduleInput(once, { DeadLetterConfig, RetryPolicy }));
    await started.clock.advance(0);
    const [letter] = deadLetters(started);
    expect(letter && attributesOf(letter)).toMatchObject({
      ERROR_CODE: 'AWS.Scheduler.InternalServerError',
      ERROR_MESSAGE: 'Unexpected error occurred while processing the request.',
    });
  });

  it('fails when an entry of PutEvents does, although the call succeeds', async () => {
    const started = await start({
      answer: ({ operation }) =>
        operation === 'PutEvents'
          ? { FailedEntryCount: 1, Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }] }
          : {},
    });
    const target = {
      Arn: 'arn:aws:events:eu-central-1:000000000000:event-bus/shop',
      EventBridgeParameters: { DetailType: 'x', Source: 'y' },
      DeadLetterConfig,
    };
    await started.invoke('CreateSchedule', scheduleInput(once, target));
    await started.clock.advance(0);
    expect(deadLetters(started)).toHaveLength(1);
  });

  it('is said when the dead-letter queue fails, too, or is missing', async () => {
    const started = await start({
      answer: () => {
        throw new AwsError('AccessDenied', 'not allowed', 403);
      },
    });
    await started.invoke('CreateSchedule', scheduleInput(once, { DeadLetterConfig }));
    await started.invoke('CreateSchedule', scheduleInput({ ...once, Name: 'other' }));
    await started.clock.advance(0);
    expect(started.warnings).toEqual(
      expect.arrayContaining([
        `The schedule nightly could not invoke ${functionArn('count-stock')}: AccessDenied: not allowed`,
        `The schedule nightly could not send a dead letter to ${queueArn('dead')}: AccessDenied: not allowed`,
        `The schedule other could not invoke ${functionArn('count-stock')}: AccessDenied: not allowed`,
      ]),
    );
    expect(started.metrics).toEqual(
      expect.arrayContaining(['InvocationsFailedToBeSentToDeadLetterCount', 'InvocationDroppedCount']),
    );
  });
});
