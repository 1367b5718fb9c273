import {
  CreateFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetPolicyCommand,
  InvokeCommand,
  ListTagsCommand,
  PutFunctionConcurrencyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { arn, LambdaUnderTest, queue } from '../../../fixtures/lambda-under-test.ts';

const FunctionName = 'relay';
let under: LambdaUnderTest;
beforeEach(() => {
  under = new LambdaUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const update = (input: object) => under.client.send(new UpdateFunctionConfigurationCommand({ FunctionName, ...input }));
const invoke = (value: object, rest: object = {}) =>
  under.client.send(new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(value)), ...rest }));

describe('UpdateFunctionConfiguration', () => {
  test('changes what calls from then on run with, and lets running ones end', async () => {
    await under.start({ Relay: under.fn('relay') });
    const running = invoke({ sleep: 500 });
    await eventually(() => expect(under.seen()).toHaveLength(1));
    expect(await update({ Timeout: 1, MemorySize: 256, Description: 'quick' })).toMatchObject({
      Timeout: 1,
      MemorySize: 256,
      Description: 'quick',
      LastUpdateStatus: 'InProgress',
    });
    await waitUntilFunctionUpdatedV2({ client: under.client, maxWaitTime: 5 }, { FunctionName });
    expect((await running).FunctionError).toBeUndefined();
    const { Payload } = await invoke({ sleep: 5000 });
    expect(Payload?.transformToString()).toContain('Task timed out after 1.00 seconds');
    expect(under.seen()[1]?.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE).toBe('256');
  });

  test('sets and takes away the dead-letter queue', async () => {
    await under.start({ Relay: under.fn('relay'), Dead: queue('dead') });
    const TargetArn = arn('sqs', 'dead');
    expect(await update({ DeadLetterConfig: { TargetArn } })).toMatchObject({ DeadLetterConfig: { TargetArn } });
    expect((await update({ DeadLetterConfig: { TargetArn: '' } })).DeadLetterConfig).toBeUndefined();
  });

  test.each([
    [{ Timeout: 901 }, 'ValidationException', "'901' at 'timeout'"],
    [{ MemorySize: 127 }, 'ValidationException', "'127' at 'memorySize'"],
    [
      { Environment: { Variables: { AWS_REGION: 'x' } } },
      'InvalidParameterValueException',
      'Reserved keys used in this request: AWS_REGION',
    ],
    [
      { Environment: { Variables: { A: 'x'.repeat(4096) } } },
      'InvalidParameterValueException',
      'exceeded the 4KB limit',
    ],
    [
      { DeadLetterConfig: { TargetArn: arn('lambda', 'function:x') } },
      'InvalidParameterValueException',
      'is not a standard SQS queue',
    ],
    [{ Layers: ['x'], Role: 'y' }, 'InvalidParameterValueException', 'Role, Layers cannot be changed on this machine'],
    [{ RevisionId: 'x' }, 'PreconditionFailedException', 'Revision Id'],
  ])('%j is refused', async (input, name, message) => {
    await under.start({ Relay: under.fn('relay') });
    await expect(update(input)).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });
});

test('reserved concurrency throttles, with the reason', async () => {
  await under.start({ Relay: under.fn('relay') });
  await under.client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  await expect(invoke({})).rejects.toMatchObject({
    name: 'TooManyRequestsException',
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    Type: 'User',
    $metadata: { httpStatusCode: 429 },
  });
  const { Concurrency } = await under.client.send(new GetFunctionCommand({ FunctionName }));
  expect(Concurrency).toEqual({ ReservedConcurrentExecutions: 0 });
  await under.client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  const { ReservedConcurrentExecutions } = await under.client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
  expect(ReservedConcurrentExecutions).toBeUndefined();
  expect(await invoke({})).toMatchObject({ StatusCode: 200 });
});

test('functions have tags', async () => {
  await under.start({ Relay: under.fn('relay', { Tags: [{ Key: 'team', Value: 'shop' }] }) });
  const Resource = arn('lambda', 'function:relay');
  await under.client.send(new TagResourceCommand({ Resource, Tags: { stage: 'dev' } }));
  await under.client.send(new UntagResourceCommand({ Resource, TagKeys: ['team'] }));
  expect((await under.client.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ stage: 'dev' });
});

test('the trace and the client context of a call reach the function', async () => {
  await under.start({ Relay: under.fn('relay') });
  const ClientContext = Buffer.from('{"custom":{"a":"b"}}').toString('base64');
  await invoke({}, { ClientContext });
  await expect(invoke({}, { ClientContext: 'no JSON' })).rejects.toMatchObject({
    name: 'InvalidRequestContentException',
  });
  const [seen] = under.seen();
  expect(seen?.context).toMatchObject({ clientContext: { custom: { a: 'b' } }, memoryLimitInMB: '128' });
  expect(seen?.env._X_AMZN_TRACE_ID).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/);
});

test('operations that are not here are refused by name', async () => {
  await under.start({ Relay: under.fn('relay') });
  const create = new CreateFunctionCommand({ FunctionName: 'x', Role: 'arn:aws:iam::0:role/r', Code: {} });
  await expect(under.client.send(create)).rejects.toThrow('Lambda CreateFunction is not available on this machine');
  await expect(under.client.send(new GetPolicyCommand({ FunctionName }))).rejects.toThrow('Lambda GetPolicy');
});
