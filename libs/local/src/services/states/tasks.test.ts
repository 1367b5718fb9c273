import { describe, expect, it } from '@jest/globals';
import {
  end,
  functionArn,
  machine,
  type StatesUnderTest,
  statesForEachTest,
  task,
} from '../../../fixtures/states-under-test.ts';
import { AwsError } from '../../core/aws-error.ts';

const start = statesForEachTest();

const never = () => new Promise(() => {});

/** https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token */
describe('a task that waits for its token', () => {
  const ask = (fields: object = {}) =>
    task('arn:aws:states:::sqs:sendMessage.waitForTaskToken', {
      Parameters: { QueueUrl: 'q', MessageBody: { 'token.$': '$$.Task.Token' } },
      ...fields,
    });
  const tokenOf = ({ calls }: StatesUnderTest) => JSON.parse(String(calls.at(-1)?.input.MessageBody)).token as string;

  it('ends with what is sent to it, once', async () => {
    const states = await start();
    const arn = await states.start(ask());
    await states.settle();
    const taskToken = tokenOf(states);
    await states.invoke('SendTaskSuccess', { taskToken, output: '{"yes":true}' });
    expect(await states.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '{"yes":true}' });
    const tooLate = { code: 'TaskTimedOut' };
    await expect(states.invoke('SendTaskSuccess', { taskToken, output: '1' })).rejects.toMatchObject(tooLate);
    await expect(states.invoke('SendTaskHeartbeat', { taskToken })).rejects.toMatchObject(tooLate);
    expect((await states.history(arn)).map(({ type }) => type)).toEqual([
      ...['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded'],
      ...['TaskStateExited', 'ExecutionSucceeded'],
    ]);
  });

  it('takes the first of two answers that come at once, and refuses the second with TaskTimedOut', async () => {
    const states = await start();
    const arn = await states.start(ask());
    await states.settle();
    const answers = ['1', '2'].map((output) =>
      states.invoke('SendTaskSuccess', { taskToken: tokenOf(states), output }),
    );
    expect(await Promise.allSettled(answers)).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'TaskTimedOut' } },
    ]);
    expect(await states.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '1' });
    expect(states.warnings).toEqual([]);
  });

  it('keeps the first of two answers that come before that of the queue', async () => {
    let outcomes: PromiseSettledResult<unknown>[] = [];
    const states: StatesUnderTest = await start({
      answer: async ({ input }) => {
        const taskToken = JSON.parse(String(input.MessageBody)).token;
        const answers = ['1', '2'].map((output) => states.invoke('SendTaskSuccess', { taskToken, output }));
        outcomes = await Promise.allSettled(answers);
        return { MessageId: '1' };
      },
    });
    expect(await states.run(ask())).toMatchObject({ status: 'SUCCEEDED', output: '1' });
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('ends when the answer comes before that of the queue', async () => {
    const states: StatesUnderTest = await start({
      answer: async ({ input }) => {
        const taskToken = JSON.parse(String(input.MessageBody)).token;
        await states.invoke('SendTaskFailure', { taskToken, error: 'No', cause: 'way' });
        return { MessageId: '1' };
      },
    });
    const { executionArn, error, cause } = await states.run(ask());
    expect([error, cause]).toEqual(['No', 'way']);
    const types = (await states.history(executionArn)).map(({ type }) => type);
    expect(types.slice(4)).toEqual(['TaskSubmitted', 'TaskFailed', 'ExecutionFailed']);
  });

  it('is over when no heartbeat comes in time, and can be caught by its own name', async () => {
    const states = await start();
    const Catch = [{ ErrorEquals: ['States.HeartbeatTimeout'], Next: 'B' }];
    const { T } = ask({ HeartbeatSeconds: 10, TimeoutSeconds: 60, Catch }).States as Record<string, object>;
    const arn = await states.start(machine({ T: T as object, B: { Type: 'Pass', ...end } }));
    await states.settle();
    await states.clock.advance(9000);
    await states.invoke('SendTaskHeartbeat', { taskToken: tokenOf(states) });
    await states.clock.advance(9000);
    expect(await states.describe(arn)).toMatchObject({ status: 'RUNNING' });
    await states.clock.advance(1000);
    await states.settle();
    expect(await states.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '{"Error":"States.Timeout"}' });
  });

  it.each([['nonsense'], [Buffer.from('["a"]').toString('base64url')]])(
    'does not know the token %s',
    async (taskToken) => {
      const { invoke } = await start();
      await expect(invoke('SendTaskSuccess', { taskToken, output: '1' })).rejects.toMatchObject({
        code: 'InvalidToken',
      });
    },
  );

  it('does not take a token with another secret in it', async () => {
    const states = await start();
    await states.start(ask());
    await states.settle();
    const parts = JSON.parse(Buffer.from(tokenOf(states), 'base64url').toString());
    const taskToken = Buffer.from(JSON.stringify([...parts.slice(0, 3), 'guess'])).toString('base64url');
    await expect(states.invoke('SendTaskSuccess', { taskToken, output: '1' })).rejects.toMatchObject({
      code: 'TaskTimedOut',
    });
  });

  it('does not take an output that is not JSON', async () => {
    const states = await start();
    await states.start(ask());
    await states.settle();
    const input = { taskToken: tokenOf(states), output: '{' };
    await expect(states.invoke('SendTaskSuccess', input)).rejects.toMatchObject({ code: 'InvalidOutput' });
  });
});

describe('a task that takes longer than it may', () => {
  it('is over, and its late answer is ignored', async () => {
    const answers: ((value: unknown) => void)[] = [];
    const slow = () => new Promise((resolve) => answers.push(resolve));
    const states = await start({ functions: { slow } });
    const Retry = [{ ErrorEquals: ['States.Timeout'], IntervalSeconds: 1, MaxAttempts: 1 }];
    const arn = await states.start(task(functionArn('slow'), { TimeoutSeconds: 5, Retry }));
    await states.settle();
    await states.clock.advance(6000);
    await states.settle();
    expect(answers).toHaveLength(2);
    answers[0]?.('late');
    await states.settle();
    expect(await states.describe(arn)).toMatchObject({ status: 'RUNNING' });
    answers[1]?.('in time');
    await states.settle();
    expect(await states.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '"in time"' });
  });

  it('takes its limits from paths and expressions', async () => {
    const states = await start({ functions: { never } });
    expect(await states.run(task(functionArn('never'), { TimeoutSecondsPath: '$.t' }), { t: 3 })).toMatchObject({
      error: 'States.Timeout',
    });
    expect(await states.run(task(functionArn('never'), { TimeoutSecondsPath: '$.t' }), { t: 'x' })).toMatchObject({
      error: 'States.Runtime',
      cause: expect.stringContaining('The TimeoutSecondsPath parameter cannot be parsed as a long value: $.t == x'),
    });
    const jsonata = { QueryLanguage: 'JSONata', TimeoutSeconds: '{% $states.input.t %}' };
    expect(await states.run(task(functionArn('never'), jsonata), { t: 2 })).toMatchObject({ error: 'States.Timeout' });
  });
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html */
describe('a service integration', () => {
  it('puts events with the execution among their resources, and fails if one of them is refused', async () => {
    const states = await start({ answer: () => ({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'No' }] }) });
    const Entries = [{ Source: 's', DetailType: 't', Detail: { a: 1 }, Resources: ['r'] }];
    const { executionArn, error } = await states.run(
      task('arn:aws:states:::events:putEvents', { Parameters: { Entries } }),
    );
    const [call] = states.calls;
    expect(call?.input.Entries).toEqual([
      {
        Source: 's',
        DetailType: 't',
        Detail: '{"a":1}',
        Resources: ['r', executionArn, 'arn:aws:states:eu-central-1:000000000000:stateMachine:m1'],
      },
    ]);
    expect(error).toBe('EventBridge.FailedEntry');
  });

  it('answers with what the SDK adds; an SDK integration with the API alone', async () => {
    const states = await start({ answer: () => ({ MessageId: '1' }) });
    const Parameters = { QueueUrl: 'q', MessageBody: { a: 1 } };
    const optimized = JSON.parse(
      (await states.run(task('arn:aws:states:::sqs:sendMessage', { Parameters }))).output ?? '',
    );
    expect(optimized).toMatchObject({
      MessageId: '1',
      SdkHttpMetadata: { HttpStatusCode: 200 },
      SdkResponseMetadata: {},
    });
    expect(states.calls[0]?.input.MessageBody).toBe('{"a":1}');
    const sdk = await states.run(
      task('arn:aws:states:::aws-sdk:sqs:sendMessage', { Parameters: { QueueUrl: 'q', MessageBody: 'a' } }),
    );
    expect(sdk.output).toBe('{"MessageId":"1"}');
  });

  it.each([
    [
      'arn:aws:states:::sqs:sendMessage',
      new AwsError('QueueDoesNotExist', 'gone'),
      'SQS.QueueDoesNotExistException',
      /^gone \(Service: AmazonSQS; Status Code: 400; Error Code: QueueDoesNotExist; Request ID: .*; Proxy: null\)$/,
    ],
    [
      'arn:aws:states:::dynamodb:getItem',
      new AwsError('ValidationException', 'bad'),
      'DynamoDB.AmazonDynamoDBException',
      /^bad \(Service: AmazonDynamoDBv2; .*Error Code: ValidationException;/,
    ],
    [
      'arn:aws:states:::aws-sdk:dynamodb:getItem',
      new AwsError('ValidationException', 'bad'),
      'DynamoDb.DynamoDbException',
      /^bad \(Service: DynamoDb, Status Code: 400, Request ID: .*\) \(SDK Attempt Count: 1\)$/,
    ],
    [
      'arn:aws:states:::aws-sdk:dynamodb:getItem',
      new AwsError('ResourceNotFoundException', 'no'),
      'DynamoDb.ResourceNotFoundException',
      /^no /,
    ],
  ])('%s names an error as its SDK does', async (Resource, thrown, error, cause) => {
    const states = await start({
      answer: () => {
        throw thrown;
      },
    });
    const failed = await states.run(task(Resource, { Parameters: {} }));
    expect(failed.error).toBe(error);
    expect(failed.cause).toMatch(cause);
  });

  it('invokes functions with a payload that may be left out, or that is JSON as text', async () => {
    const states = await start({ functions: { echo: (event) => event } });
    const invoke = async (Payload: unknown) => {
      const Parameters = { FunctionName: 'echo', Payload };
      return JSON.parse((await states.run(task('arn:aws:states:::lambda:invoke', { Parameters }))).output ?? '')
        .Payload;
    };
    expect(await invoke(null)).toEqual({});
    expect(await invoke({ a: 1 })).toEqual({ a: 1 });
    expect(await invoke('[1]')).toEqual([1]);
    expect(await invoke('plain')).toBe('plain');
  });

  it('tells that a function is not there', async () => {
    const states = await start();
    const missing = await states.run(task('arn:aws:states:::lambda:invoke', { Parameters: { FunctionName: 'none' } }));
    expect(missing.error).toBe('Lambda.ResourceNotFoundException');
    expect(missing.cause).toMatch(
      /^Function not found: arn:.*:function:none:\$LATEST \(Service: AWSLambda; Status Code: 404; /,
    );
  });

  it('with credentials of its own is refused when the machine is created', async () => {
    const states = await start();
    const definition = task(functionArn('f'), { Credentials: { RoleArn: 'arn:aws:iam::000000000000:role/other' } });
    await expect(states.create(definition)).rejects.toThrow(
      "The Task state 'T' has Credentials, which are not available",
    );
  });

  it.each([
    ['arn:aws:states:::ecs:runTask.sync', 'calls ecs, which is not available on this machine'],
    ['arn:aws:states:::dynamodb:query', 'calls dynamodb:Query, which is not an optimized integration'],
    ['arn:aws:states:::sqs:sendMessage.sync', 'cannot use the pattern .sync'],
  ])('%s is refused when the machine is created, by the name of its state', async (Resource, problem) => {
    const states = await start();
    await expect(states.create(task(Resource))).rejects.toMatchObject({
      code: 'InvalidDefinition',
      message: expect.stringContaining(`The Task state 'T' ${problem}`),
    });
  });
});
