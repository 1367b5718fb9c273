import {
  CallbackTimeoutException,
  GetDurableExecutionHistoryCommand,
  type OperationUpdate,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';

const SECOND = 1000;
let under: DurableUnderTest;
beforeEach(async () => {
  under = new DurableUnderTest();
  await under.startFunctions({ scripted: { ExecutionTimeout: 3600 } });
});
afterEach(() => under[Symbol.asyncDispose]());

/** Starts an execution that waits for a callback. */
async function open(CallbackOptions?: OperationUpdate['CallbackOptions']) {
  const arn = await under.begin('scripted');
  const seen = await under.invocation();
  const update: OperationUpdate = { Id: 'cb', Name: 'answer', Type: 'CALLBACK', Action: 'START', CallbackOptions };
  const { NewExecutionState } = await under.checkpoint(seen, [update]);
  under.answer(seen, { answer: { Status: 'PENDING' } });
  await under.untilEvent(arn, 'InvocationCompleted');
  const CallbackId = NewExecutionState?.Operations?.[0]?.CallbackDetails?.CallbackId ?? '';
  return { arn, CallbackId };
}

const succeed = (CallbackId: string, text = '') => {
  const result = text === '' ? {} : { Result: Buffer.from(text) };
  return under.client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, ...result }));
};
const fail = (CallbackId: string, error: object) =>
  under.client.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId, Error: error }));
const beat = (CallbackId: string) =>
  under.client.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }));

/** What the function is told when it is invoked again. */
async function told() {
  const { InitialExecutionState, UpdatedOperationIds } = await under.invocation(2);
  expect(UpdatedOperationIds).toEqual(['cb']);
  return InitialExecutionState.Operations.find(({ Id }) => Id === 'cb');
}

// https://docs.aws.amazon.com/lambda/latest/api/API_SendDurableExecutionCallbackSuccess.html
describe('the answer', () => {
  test('its id has the form that AWS documents', async () => {
    const { CallbackId } = await open();
    expect(CallbackId).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    expect(CallbackId.length).toBeLessThanOrEqual(1024);
  });

  test('a success has its result, as it was sent', async () => {
    const { arn, CallbackId } = await open();
    await succeed(CallbackId, 'not JSON: é');
    expect(await told()).toMatchObject({ Status: 'SUCCEEDED', CallbackDetails: { Result: 'not JSON: é' } });
    expect((await under.events(arn)).at(-1)).toBe('CallbackSucceeded');
  });

  test('a success may have no result', async () => {
    const { CallbackId } = await open();
    await succeed(CallbackId);
    expect((await told())?.CallbackDetails).not.toHaveProperty('Result');
  });

  test('a failure has its error', async () => {
    const { arn, CallbackId } = await open();
    const error = { ErrorType: 'Refused', ErrorMessage: 'no', ErrorData: '{}', StackTrace: ['a'] };
    await fail(CallbackId, error);
    expect(await told()).toMatchObject({ Status: 'FAILED', CallbackDetails: { Error: error } });
    const { Events } = await under.client.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn }));
    expect(Events?.at(-1)).toMatchObject({ Name: 'answer', CallbackFailedDetails: { Error: { Payload: error } } });
  });

  test('a second answer is refused', async () => {
    const { CallbackId } = await open();
    await succeed(CallbackId);
    await expect(succeed(CallbackId)).rejects.toBeInstanceOf(CallbackTimeoutException);
    await expect(fail(CallbackId, {})).rejects.toBeInstanceOf(CallbackTimeoutException);
    await expect(beat(CallbackId)).rejects.toBeInstanceOf(CallbackTimeoutException);
  });

  test('an answer to an execution that has ended is refused', async () => {
    const { arn, CallbackId } = await open();
    await under.client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }));
    await expect(succeed(CallbackId)).rejects.toBeInstanceOf(CallbackTimeoutException);
  });

  test('an id of no callback is refused', async () => {
    const { arn } = await open();
    await expect(succeed('bm90aGluZw==')).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    const of = (execution: string) => Buffer.from(JSON.stringify([execution, 'cb', 'x'])).toString('base64');
    const unknown = of(arn.replace(/.{8}$/, '00000000'));
    await expect(succeed(unknown)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    // The operation is there, and the id was guessed.
    await expect(succeed(of(arn))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a result above 1 MB is refused', async () => {
    const { CallbackId } = await open();
    await expect(succeed(CallbackId, 'x'.repeat(1024 * 1024 + 1))).rejects.toThrow('Result size');
    await expect(fail(CallbackId, { ErrorData: 'x'.repeat(1024 * 1024) })).rejects.toThrow('Error size');
  });

  test('an answer that comes while the function runs is in the response to its next checkpoint', async () => {
    await under.begin('scripted');
    const seen = await under.invocation();
    const first = await under.checkpoint(seen, [{ Id: 'cb', Type: 'CALLBACK', Action: 'START' }]);
    await succeed(first.NewExecutionState?.Operations?.[0]?.CallbackDetails?.CallbackId ?? '', '1');
    const next = { ...seen, CheckpointToken: first.CheckpointToken ?? '' };
    const { NewExecutionState } = await under.checkpoint(next, []);
    expect(NewExecutionState?.Operations).toMatchObject([{ Id: 'cb', Status: 'SUCCEEDED' }]);
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_CallbackOptions.html
describe('time limits', () => {
  test('a callback without an answer times out', async () => {
    const { arn, CallbackId } = await open({ TimeoutSeconds: 30 });
    await under.clock.advance(29 * SECOND);
    expect((await under.events(arn)).at(-1)).toBe('InvocationCompleted');
    await under.clock.advance(SECOND);
    expect(await told()).toMatchObject({
      Status: 'TIMED_OUT',
      CallbackDetails: { Error: { ErrorType: 'Callback.Timeout', ErrorMessage: 'Callback timed out' } },
    });
    await expect(succeed(CallbackId)).rejects.toBeInstanceOf(CallbackTimeoutException);
  });

  test('a heartbeat restarts the heartbeat timeout, but not the timeout', async () => {
    const { arn, CallbackId } = await open({ TimeoutSeconds: 60, HeartbeatTimeoutSeconds: 20 });
    for (let beats = 0; beats < 3; beats += 1) {
      await under.clock.advance(19 * SECOND);
      await beat(CallbackId);
    }
    expect((await under.events(arn)).at(-1)).toBe('InvocationCompleted');
    await under.clock.advance(3 * SECOND);
    expect(await told()).toMatchObject({ CallbackDetails: { Error: { ErrorType: 'Callback.Timeout' } } });
  });

  test('a callback times out when a heartbeat is missing', async () => {
    const { CallbackId } = await open({ TimeoutSeconds: 60, HeartbeatTimeoutSeconds: 20 });
    await under.clock.advance(10 * SECOND);
    await beat(CallbackId);
    await under.clock.advance(20 * SECOND);
    expect(await told()).toMatchObject({
      Status: 'TIMED_OUT',
      CallbackDetails: { Error: { ErrorType: 'Callback.Heartbeat', ErrorMessage: 'Callback timed out on heartbeat' } },
    });
  });

  test('a timeout of zero seconds never ends a callback', async () => {
    const { arn } = await open({ TimeoutSeconds: 0, HeartbeatTimeoutSeconds: 0 });
    await under.clock.advance(3000 * SECOND);
    expect((await under.events(arn)).at(-1)).toBe('InvocationCompleted');
  });
});
