import { afterEach, describe, expect, it } from '@jest/globals';
import {
  functionArn,
  roleArn,
  type StatesUnderTest,
  startStatesUnderTest,
} from '../../../../fixtures/states-under-test.ts';

let stack = new AsyncDisposableStack();
const functions = { echo: (event: unknown) => event };
const start = async (): Promise<StatesUnderTest> => stack.use(await startStatesUnderTest({ functions }));

afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const end = { End: true };
const processor = { StartAt: 'I', States: { I: { Type: 'Pass', ...end } } };

async function test(definition: object, { input = {}, ...rest }: Record<string, unknown> = {}) {
  const { invoke } = await start();
  const request = {
    definition: JSON.stringify(definition),
    input: JSON.stringify(input),
    roleArn,
    inspectionLevel: 'DEBUG',
    ...rest,
  };
  const answer = (await invoke('TestState', request)) as Record<string, unknown>;
  const data = (answer.inspectionData ?? {}) as Record<string, unknown>;
  const parsed = Object.entries(data).map(([name, value]) => [
    name,
    typeof value === 'string' ? JSON.parse(value) : value,
  ]);
  return { ...answer, inspectionData: Object.fromEntries(parsed) } as Record<string, unknown>;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html */
describe('TestState', () => {
  it('runs a state and shows its data at each step', async () => {
    const state = {
      Type: 'Task',
      Resource: functionArn('echo'),
      InputPath: '$.in',
      Parameters: { 'x.$': '$.a' },
      ResultSelector: { 'y.$': '$.x' },
      ResultPath: '$.out',
      OutputPath: '$.out',
      Next: 'B',
    };
    expect(await test(state, { input: { in: { a: 1 } } })).toEqual({
      status: 'SUCCEEDED',
      output: '{"y":1}',
      nextState: 'B',
      inspectionData: {
        input: { in: { a: 1 } },
        afterInputPath: { a: 1 },
        afterParameters: { x: 1 },
        result: { x: 1 },
        afterResultSelector: { y: 1 },
        afterResultPath: { in: { a: 1 }, out: { y: 1 } },
      },
    });
  });

  it('shows nothing of the data at the level INFO', async () => {
    expect((await test({ Type: 'Succeed' }, { inspectionLevel: 'INFO' })).inspectionData).toEqual({});
  });

  it('takes a mock for what a task would call', async () => {
    const state = {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: 'none' },
      ...end,
    };
    expect(await test(state, { mock: { result: '{"Payload":1}' } })).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"Payload":1}',
    });
    const errorOutput = { error: 'Boom', cause: 'why' };
    expect(await test(state, { mock: { errorOutput } })).toMatchObject({
      status: 'FAILED',
      error: 'Boom',
      cause: 'why',
    });
  });

  it('tells that a failure would be retried, and when, or caught', async () => {
    const Retry = [{ ErrorEquals: ['Boom'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 2 }];
    const Catch = [{ ErrorEquals: ['Boom'], ResultPath: '$.e', Next: 'C' }];
    const state = { Type: 'Task', Resource: functionArn('echo'), Retry, Catch, ...end };
    const mock = { errorOutput: { error: 'Boom', cause: 'why' } };
    expect(await test(state, { mock, stateConfiguration: { retrierRetryCount: 1 } })).toMatchObject({
      status: 'RETRIABLE',
      inspectionData: { errorDetails: { retryIndex: 0, retryBackoffIntervalSeconds: 6 } },
    });
    expect(await test(state, { mock, stateConfiguration: { retrierRetryCount: 2 } })).toMatchObject({
      ...{ status: 'CAUGHT_ERROR', nextState: 'C', output: '{"e":{"Error":"Boom","Cause":"why"}}' },
      inspectionData: { errorDetails: { catchIndex: 0 } },
    });
  });

  it('runs a state of a machine, with variables and a context object', async () => {
    const definition = {
      StartAt: 'A',
      States: {
        A: { Type: 'Pass', Next: 'B' },
        B: { Type: 'Pass', Parameters: { 'v.$': '$v', 'c.$': '$$.Mine' }, ...end },
      },
    };
    const request = { stateName: 'B', variables: '{"v":1}', context: '{"Mine":2}' };
    expect(await test(definition, request)).toMatchObject({
      output: '{"v":1,"c":2}',
      inspectionData: { variables: { v: 1 } },
    });
  });

  it('tells what a Map state would tolerate', async () => {
    const state = { Type: 'Map', ItemProcessor: processor, ToleratedFailureCount: 1, MaxConcurrency: 2, ...end };
    const request = { input: [1, 2, 3], mock: { result: '[1,0,0]' } };
    expect(await test(state, { ...request, stateConfiguration: { mapIterationFailureCount: 1 } })).toMatchObject({
      ...{ status: 'SUCCEEDED', output: '[1,0,0]' },
      inspectionData: { afterItemsPath: [1, 2, 3], maxConcurrency: 2, toleratedFailureCount: 1 },
    });
    expect(await test(state, { ...request, stateConfiguration: { mapIterationFailureCount: 2 } })).toMatchObject({
      status: 'FAILED',
      error: 'States.ExceedToleratedFailureThreshold',
    });
  });

  const task = (resource: string) => ({ Type: 'Task', Resource: `arn:aws:states:::${resource}`, ...end });
  it.each<[string, object, unknown, string]>([
    ['a number as text', task('lambda:invoke'), { StatusCode: '200' }, 'STRICT'],
    ['text that is a number', task('aws-sdk:kms:encrypt'), { CiphertextBlob: 1 }, 'PRESENT'],
    ['too little', task('aws-sdk:kms:encrypt'), { CiphertextBlob: '' }, 'PRESENT'],
    ['too much', task('aws-sdk:lambda:getFunction'), { Configuration: { MemorySize: 10_241 } }, 'PRESENT'],
    ['a word that there is not', task('aws-sdk:s3:getObject'), { StorageClass: 'Papyrus' }, 'PRESENT'],
    ['another type far inside', task('events:putEvents'), { Entries: [{ EventId: '1' }, { EventId: [] }] }, 'STRICT'],
    ['a required member that is missing', task('aws-sdk:sfn:startExecution'), { ExecutionArn: 'arn' }, 'STRICT'],
  ])('refuses a mocked result with %s', async (_, state, result, fieldValidationMode) => {
    const mock = { result: JSON.stringify(result), fieldValidationMode };
    await expect(test(state, { mock })).rejects.toMatchObject({ code: 'ValidationException' });
    expect(await test(state, { mock: { ...mock, fieldValidationMode: 'NONE' } })).toMatchObject({
      status: 'SUCCEEDED',
    });
  });

  it('takes members that the API does not have, and with PRESENT lets required ones be missing', async () => {
    const mock = { result: '{"ExecutionArn":"arn","Other":1}', fieldValidationMode: 'PRESENT' };
    expect(await test(task('aws-sdk:sfn:startExecution'), { mock })).toMatchObject({ status: 'SUCCEEDED' });
  });

  it.each<[string, object, object, string]>([
    ['a Map state without a mock', { Type: 'Map', ItemProcessor: processor, ...end }, {}, 'InvalidDefinition'],
    ['a task that waits, without a mock', task('sqs:sendMessage.waitForTaskToken'), {}, 'InvalidDefinition'],
    [
      'a mock of a state that calls nothing',
      { Type: 'Pass', ...end },
      { mock: { result: '1' } },
      'ValidationException',
    ],
    [
      'two mocks',
      task('sqs:sendMessage'),
      { mock: { result: '1', errorOutput: { error: 'e' } } },
      'ValidationException',
    ],
    [
      'a configuration without a mock',
      task('sqs:sendMessage'),
      { stateConfiguration: { retrierRetryCount: 1 } },
      'ValidationException',
    ],
    [
      'a state that there is not',
      { StartAt: 'A', States: { A: { Type: 'Succeed' } } },
      { stateName: 'B' },
      'ValidationException',
    ],
    ['a definition that is not valid', { Type: 'Pass' }, {}, 'InvalidDefinition'],
  ])('refuses %s', async (_, state, request, code) => {
    await expect(test(state, request as Record<string, unknown>)).rejects.toMatchObject({ code });
  });
});
