import {
  DurableExecutionAlreadyStartedException,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type InvokeCommandInput,
  ListDurableExecutionsByFunctionCommand,
  PublishVersionCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';

const HOUR = 60 * 60 * 1000;
const HALF_AN_HOUR = { ExecutionTimeout: 1800 };
const MINUTE = { ExecutionTimeout: 60 };
let under: DurableUnderTest;
beforeEach(() => {
  under = new DurableUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const invoke = (input: Partial<InvokeCommandInput> & { payload?: unknown }) => {
  const { payload = {}, ...rest } = input;
  const request = { FunctionName: 'faulty:$LATEST', Payload: Buffer.from(JSON.stringify(payload)), ...rest };
  return under.client.send(new InvokeCommand(request));
};
const list = async (rest: object = {}) => {
  const input = { FunctionName: 'faulty', ...rest };
  return under.client.send(new ListDurableExecutionsByFunctionCommand(input));
};
const names = async (rest: object = {}) =>
  (await list(rest)).DurableExecutions?.map(({ DurableExecutionName }) => DurableExecutionName);

// https://docs.aws.amazon.com/lambda/latest/dg/durable-basic-concepts.html
test('an execution does a step once, waits with the clock, waits for a callback, and ends with its result', async () => {
  await under.startFunctions({ approval: { ExecutionTimeout: 86_400 } });
  const arn = await under.begin('approval', { order: 'o1' }, 'order-1');
  expect(arn).toMatch(/function:approval:\$LATEST\/durable-execution\/order-1\/[\w-]+$/);
  await under.untilEvent(arn, 'InvocationCompleted');
  await under.clock.advance(HOUR);
  await eventually(() => expect(under.notes()).toContainEqual(expect.stringMatching(/^callback /)));
  await under.untilEvent(arn, 'InvocationCompleted');
  const callback = under.notes().find((line) => line.startsWith('callback '));
  const CallbackId = callback?.slice('callback '.length);
  await under.client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"yes"') }));
  const { Result = '' } = await under.until(arn, 'SUCCEEDED');
  expect(JSON.parse(Result)).toEqual({ reserved: 'reserved o1', answer: '"yes"' });
  expect(under.notes().filter((line) => line === 'reserved o1')).toHaveLength(1);
  expect(await under.events(arn)).toEqual([
    ...['ExecutionStarted', 'StepStarted', 'StepSucceeded', 'WaitStarted', 'InvocationCompleted'],
    ...['WaitSucceeded', 'ContextStarted', 'CallbackStarted', 'StepStarted', 'StepSucceeded', 'InvocationCompleted'],
    ...['CallbackSucceeded', 'ContextSucceeded', 'InvocationCompleted', 'ExecutionSucceeded'],
  ]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking.html
describe('invocation', () => {
  test('a synchronous caller waits for the end of an execution, and gets its ARN', async () => {
    await under.startFunctions({ faulty: MINUTE });
    const { Payload, DurableExecutionArn = '', ExecutedVersion, FunctionError } = await invoke({});
    expect(JSON.parse(Payload?.transformToString() ?? '')).toBe('done');
    expect({ ExecutedVersion, FunctionError }).toEqual({ ExecutedVersion: '$LATEST', FunctionError: undefined });
    expect((await under.execution(DurableExecutionArn)).Status).toBe('SUCCEEDED');
  });

  test('a synchronous caller gets the error of an execution that fails', async () => {
    await under.startFunctions({ scripted: MINUTE });
    const called = invoke({ FunctionName: 'scripted:$LATEST' });
    const error = { ErrorType: 'NoStock', ErrorMessage: 'sold out' };
    under.answer(await under.invocation(), { answer: { Status: 'FAILED', Error: error } });
    const { FunctionError, Payload } = await called;
    expect(FunctionError).toBe('Unhandled');
    expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({ errorType: 'NoStock', errorMessage: 'sold out' });
  });

  test.each(['Event', 'RequestResponse'] as const)('an unqualified name is refused: %s', async (InvocationType) => {
    await under.startFunctions({ faulty: MINUTE });
    await expect(invoke({ FunctionName: 'faulty', InvocationType })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'You cannot invoke a durable function using an unqualified ARN.',
    });
  });

  test('a synchronous call is refused for an execution that may take longer than 15 minutes', async () => {
    await under.startFunctions({ faulty: HALF_AN_HOUR });
    await expect(invoke({})).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringContaining('executionTimeout greater than 15 minutes'),
    });
    await under.until(await under.begin('faulty'), 'SUCCEEDED');
  });

  test('an alias leads to a version, which the execution keeps', async () => {
    const alias = { FunctionName: { Ref: 'faulty' }, FunctionVersion: '1', Name: 'live' };
    const resources = {
      Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'faulty' } } },
      Alias: { Type: 'AWS::Lambda::Alias', Properties: alias },
    };
    await under.startFunctions({ faulty: MINUTE }, { resources });
    const { DurableExecutionArn = '', ExecutedVersion } = await invoke({ FunctionName: 'faulty:live' });
    expect(DurableExecutionArn).toContain(':function:faulty:1/durable-execution/');
    expect(ExecutedVersion).toBe('1');
    expect(await under.execution(DurableExecutionArn)).toMatchObject({
      Version: '1',
      FunctionArn: expect.stringMatching(/:faulty:1$/),
    });
    await invoke({});
    expect((await list({ Qualifier: 'live' })).DurableExecutions).toHaveLength(1);
    expect((await list()).DurableExecutions).toHaveLength(2);
  });

  test('an execution name is refused for an ordinary function', async () => {
    await under.startFunctions({ plain: undefined });
    const input = { FunctionName: 'plain', DurableExecutionName: 'one' };
    await expect(invoke(input)).rejects.toThrow('DurableExecutionName can only be given for a durable function');
    await expect(invoke({ ...input, InvocationType: 'Event' })).rejects.toThrow('durable function');
  });

  test('an input above 1 MB is refused for an asynchronous execution', async () => {
    await under.startFunctions({ faulty: MINUTE });
    await expect(under.begin('faulty', 'x'.repeat(1024 * 1024))).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-idempotency.html
describe('execution names', () => {
  test('the same name with the same payload gives the same execution, also after it has ended', async () => {
    await under.startFunctions({ scripted: MINUTE });
    const arn = await under.begin('scripted', { n: 1 }, 'one');
    const running = invoke({ FunctionName: 'scripted:$LATEST', DurableExecutionName: 'one', payload: { n: 1 } });
    const first = await under.invocation();
    under.answer(first, { answer: { Status: 'SUCCEEDED', Result: '"result"' } });
    const { DurableExecutionArn, Payload } = await running;
    expect({ DurableExecutionArn, payload: Payload?.transformToString() }).toEqual({
      DurableExecutionArn: arn,
      payload: '"result"',
    });
    expect(await under.begin('scripted', { n: 1 }, 'one')).toBe(arn);
    expect(under.notes()).toHaveLength(1);
  });

  test('the same name with another payload is refused', async () => {
    await under.startFunctions({ scripted: MINUTE });
    await under.begin('scripted', { n: 1 }, 'one');
    await expect(under.begin('scripted', { n: 2 }, 'one')).rejects.toBeInstanceOf(
      DurableExecutionAlreadyStartedException,
    );
  });

  test('a name can be used again after the retention period', async () => {
    await under.startFunctions({ faulty: { ...MINUTE, RetentionPeriodInDays: 1 } });
    const arn = await under.begin('faulty', {}, 'one');
    await under.until(arn, 'SUCCEEDED');
    await under.clock.advance(24 * HOUR);
    await expect(under.execution(arn)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await under.begin('faulty', { other: true }, 'one')).not.toBe(arn);
  });

  test.each(['with space', 'x'.repeat(65)])('the name %s is refused', async (name) => {
    await under.startFunctions({ faulty: MINUTE });
    await expect(under.begin('faulty', {}, name)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_ListDurableExecutionsByFunction.html
describe('listing', () => {
  test('executions are listed by name, status and time, newest first or last, page by page', async () => {
    await under.startFunctions({ faulty: MINUTE });
    for (const name of ['a', 'b', 'c']) {
      await under.until(await under.begin('faulty', {}, name), 'SUCCEEDED');
      await under.clock.advance(1000);
    }
    expect(await names()).toEqual(['c', 'b', 'a']);
    expect(await names({ ReverseOrder: true })).toEqual(['a', 'b', 'c']);
    expect(await names({ DurableExecutionName: 'b' })).toEqual(['b']);
    expect(await names({ Statuses: ['RUNNING', 'FAILED'] })).toEqual([]);
    expect(await names({ Statuses: ['SUCCEEDED'] })).toHaveLength(3);
    const { DurableExecutions: [newest] = [], NextMarker } = await list({ MaxItems: 1 });
    expect(newest).toMatchObject({ DurableExecutionName: 'c', Status: 'SUCCEEDED', EndTimestamp: expect.any(Date) });
    expect(await names({ MaxItems: 2, Marker: NextMarker })).toEqual(['b', 'a']);
    expect(await names({ StartedBefore: newest?.StartTimestamp })).toEqual(['b', 'a']);
    await expect(list({ MaxItems: 1001 })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(list({ Statuses: ['ENDED'] })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(list({ FunctionName: 'nothing' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_StopDurableExecution.html
test('a stopped execution has its error, refuses checkpoints, and stays stopped', async () => {
  await under.startFunctions({ scripted: MINUTE });
  const arn = await under.begin('scripted');
  const seen = await under.invocation();
  const stop = (ErrorMessage: string) =>
    under.client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn, Error: { ErrorMessage } }));
  const { StopTimestamp } = await stop('enough');
  expect(StopTimestamp?.getTime()).toBe(Math.floor(under.clock.now() / 1000) * 1000 + (under.clock.now() % 1000));
  await expect(under.checkpoint(seen, [])).rejects.toThrow('Invalid checkpoint token');
  under.answer(seen, { answer: { Status: 'SUCCEEDED' } });
  await stop('again');
  expect(await under.execution(arn)).toMatchObject({ Status: 'STOPPED', Error: { ErrorMessage: 'enough' } });
  expect((await under.events(arn)).at(-1)).toBe('ExecutionStopped');
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-configuration.html
describe('configuration', () => {
  test('a function shows that it is durable, and its limits can be changed', async () => {
    await under.startFunctions({ faulty: MINUTE, plain: undefined });
    const { DurableConfig } = await under.client.send(new GetFunctionConfigurationCommand({ FunctionName: 'faulty' }));
    expect(DurableConfig).toEqual({ ExecutionTimeout: 60, RetentionPeriodInDays: 14 });
    const change = (FunctionName: string, given: object) =>
      under.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, DurableConfig: given }));
    expect((await change('faulty', { ExecutionTimeout: 90 })).DurableConfig).toMatchObject({ ExecutionTimeout: 90 });
    const { DurableConfig: published } = await under.client.send(new PublishVersionCommand({ FunctionName: 'faulty' }));
    expect(published).toMatchObject({ ExecutionTimeout: 90 });
    await expect(change('plain', { ExecutionTimeout: 90 })).rejects.toThrow('created as a durable function');
    await expect(change('faulty', { ExecutionTimeout: 0 })).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test.each([
    [{ RetentionPeriodInDays: 3 }, 'ExecutionTimeout is required'],
    [{ ExecutionTimeout: 31_622_401 }, 'less than or equal to 31622400'],
    [{ ExecutionTimeout: 60, RetentionPeriodInDays: 91 }, 'less than or equal to 90'],
    [{ ExecutionTimeout: 60, AllowInvokeLatest: true }, 'AllowInvokeLatest is not available'],
  ])('a template with %j does not start', async (config, message) => {
    const started = under.startFunctions({ faulty: config });
    await expect(started).rejects.toThrow(message);
  });
});
