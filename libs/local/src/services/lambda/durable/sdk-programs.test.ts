import { InvokeCommand, SendDurableExecutionCallbackSuccessCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';

const SECOND = 1000;
let under: DurableUnderTest;
beforeEach(async () => {
  under = new DurableUnderTest();
  await under.startFunctions({ programs: { ExecutionTimeout: 900 }, plain: undefined });
});
afterEach(() => under[Symbol.asyncDispose]());

const begin = (program: string) => under.begin('programs', { program });
const resultOf = async (arn: string) => JSON.parse((await under.until(arn, 'SUCCEEDED')).Result ?? 'null');
const count = async (arn: string, type: string) => (await under.events(arn)).filter((event) => event === type).length;
const callback = async () => {
  await eventually(() => expect(under.notes()).toContainEqual(expect.stringMatching(/^callback /)));
  return under.notes()[0]?.slice('callback '.length) ?? '';
};
const succeed = (CallbackId: string) =>
  under.client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('1') }));

// https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-sdk.html
test('one invocation learns of all waits that end at the same time', async () => {
  const arn = await begin('waits side by side');
  await under.untilEvent(arn, 'InvocationCompleted');
  await under.clock.advance(SECOND);
  expect(await resultOf(arn)).toEqual([1, 2, 3]);
  expect([await count(arn, 'WaitSucceeded'), await count(arn, 'InvocationCompleted')]).toEqual([3, 2]);
});

test('an execution may end before its waits and callbacks, which then have no effect', async () => {
  const arn = await begin('the first of two');
  const CallbackId = await callback();
  await under.untilEvent(arn, 'InvocationCompleted');
  await succeed(CallbackId);
  expect(await resultOf(arn)).toBe('1');
  const events = await under.events(arn);
  await under.clock.advance(3600 * SECOND);
  expect(await under.events(arn)).toEqual(events);
});

test('functions are called in parallel', async () => {
  const arn = await begin('calls side by side');
  expect(await resultOf(arn)).toEqual([1, 2, 3].map((number) => ({ plain: { number } })));
  expect(await count(arn, 'ChainedInvokeSucceeded')).toBe(3);
});

test('a callback is answered while the function that waits for it runs', async () => {
  expect(await resultOf(await begin('an answer before the question has ended'))).toBe('1');
});

test('a submitter that fails is retried with the same callback id', async () => {
  const arn = await begin('a question that is asked twice');
  await under.untilEvent(arn, 'InvocationCompleted');
  await under.clock.advance(SECOND);
  await eventually(() => expect(under.notes()).toHaveLength(2));
  expect(new Set(under.notes()).size).toBe(1);
  await under.untilEvent(arn, 'InvocationCompleted');
  await succeed(await callback());
  expect(await resultOf(arn)).toBe('1');
  expect(await count(arn, 'StepFailed')).toBe(1);
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-idempotency.html
test('a replay that calls other operations than before fails the execution', async () => {
  const arn = await begin('another way each time');
  await under.untilEvent(arn, 'InvocationCompleted');
  await under.clock.advance(SECOND);
  const { Error: error } = await under.until(arn, 'FAILED');
  expect(error?.ErrorMessage).toMatch(/[Nn]on-deterministic/);
});

test('an error of the handler is that of the execution', async () => {
  const { Error: error } = await under.until(await begin('an error of its own'), 'FAILED');
  expect(error).toMatchObject({ ErrorType: 'TooFar', ErrorMessage: 'too far' });
});

test('an execution may have no result', async () => {
  expect((await under.until(await begin('nothing'), 'SUCCEEDED')).Result).toBeUndefined();
});

// https://docs.aws.amazon.com/lambda/latest/api/API_OperationUpdate.html
test('a result that fills an answer is checkpointed, and reaches a caller that waits', async () => {
  const { Payload, DurableExecutionArn = '' } = await under.client.send(
    new InvokeCommand({ FunctionName: 'programs:$LATEST', Payload: Buffer.from('{"program":"a large result"}') }),
  );
  expect(Payload?.length).toBe(6 * 1024 * 1024 - 8);
  expect(await under.events(DurableExecutionArn)).toEqual([
    ...['ExecutionStarted', 'InvocationCompleted', 'ExecutionSucceeded'],
  ]);
});

test('an execution may wait many times', async () => {
  const arn = await begin('many waits');
  for (let waits = 1; waits <= 20; waits += 1) {
    await eventually(async () => expect(await count(arn, 'InvocationCompleted')).toBe(waits));
    await under.clock.advance(SECOND);
  }
  expect(await resultOf(arn)).toBe('done');
});
