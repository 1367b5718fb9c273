import { GetDurableExecutionHistoryCommand, StopDurableExecutionCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';

const HOUR = { ExecutionTimeout: 3600 };
let under: DurableUnderTest;
beforeEach(() => {
  under = new DurableUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

async function detailsOf(arn: string, type: string): Promise<Record<string, unknown>> {
  const { Events = [] } = await under.client.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn }));
  const event = Events.find(({ EventType }) => EventType === type) as unknown as Record<string, unknown> | undefined;
  return (event?.[`${type}Details`] ?? {}) as Record<string, unknown>;
}

// https://docs.aws.amazon.com/lambda/latest/api/API_ChainedInvokeOptions.html
describe('a chained invocation', () => {
  test('of an ordinary function gets its result', async () => {
    await under.startFunctions({ caller: HOUR, plain: undefined });
    const arn = await under.begin('caller', { callee: 'plain', input: { a: 1 } });
    const { Result } = await under.until(arn, 'SUCCEEDED');
    expect(JSON.parse(Result ?? '')).toEqual({ plain: { a: 1 } });
    expect(await detailsOf(arn, 'ChainedInvokeStarted')).toEqual({
      FunctionName: 'plain',
      ExecutedVersion: '$LATEST',
      Input: { Payload: '{"a":1}' },
    });
    expect(await under.events(arn)).toEqual([
      ...['ExecutionStarted', 'ChainedInvokeStarted', 'InvocationCompleted'],
      ...['ChainedInvokeSucceeded', 'InvocationCompleted', 'ExecutionSucceeded'],
    ]);
  });

  test('of an ordinary function that fails gets its error', async () => {
    await under.startFunctions({ caller: HOUR, plain: undefined });
    const arn = await under.begin('caller', { callee: 'plain', input: { fail: 'broken' } });
    await under.until(arn, 'FAILED');
    expect(await detailsOf(arn, 'ChainedInvokeFailed')).toMatchObject({
      Error: { Payload: { ErrorType: 'TypeError', ErrorMessage: 'broken' } },
    });
  });

  test('of a durable function starts another execution', async () => {
    await under.startFunctions({ caller: HOUR, scripted: HOUR });
    const arn = await under.begin('caller', { callee: 'scripted:$LATEST', input: 1 });
    const child = await under.invocation();
    const started = await detailsOf(arn, 'ChainedInvokeStarted');
    expect(started.DurableExecutionArn).toBe(child.DurableExecutionArn);
    under.answer(child, { answer: { Status: 'SUCCEEDED', Result: '"from the child"' } });
    expect((await under.until(arn, 'SUCCEEDED')).Result).toBe('"from the child"');
  });

  test.each([
    ['STOPPED', 'ChainedInvokeStopped'],
    ['TIMED_OUT', 'ChainedInvokeTimedOut'],
  ])('of a durable function that is %s fails', async (status, event) => {
    await under.startFunctions({ caller: HOUR, scripted: { ExecutionTimeout: 60 } });
    const arn = await under.begin('caller', { callee: 'scripted:$LATEST', input: 1 });
    const { DurableExecutionArn } = await under.invocation();
    await under.untilEvent(arn, 'InvocationCompleted');
    if (status === 'STOPPED') await under.client.send(new StopDurableExecutionCommand({ DurableExecutionArn }));
    else await under.clock.advance(60_000);
    await under.until(arn, 'FAILED');
    expect(await under.events(arn)).toContain(event);
  });

  test.each([
    ['a function that does not exist', 'nothing', 'ResourceNotFoundException'],
    ['a durable function without a version', 'scripted', 'InvalidParameterValueException'],
  ])('of %s fails', async (_title, callee, ErrorType) => {
    await under.startFunctions({ caller: HOUR, scripted: HOUR });
    const arn = await under.begin('caller', { callee, input: 1 });
    await under.until(arn, 'FAILED');
    expect(await detailsOf(arn, 'ChainedInvokeFailed')).toMatchObject({ Error: { Payload: { ErrorType } } });
  });

  test('after a restart gets the result of the execution it has started', async () => {
    await under.startFunctions({ caller: HOUR, scripted: HOUR }, { keepsData: true });
    const arn = await under.begin('caller', { callee: 'scripted:$LATEST', input: 1 });
    await under.invocation();
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.stop();
    await under.startFunctions({ caller: HOUR, scripted: HOUR }, { keepsData: true });
    const again = await under.invocation(2);
    under.answer(again, { answer: { Status: 'SUCCEEDED', Result: '2' } });
    expect((await under.until(arn, 'SUCCEEDED')).Result).toBe('2');
  });
});
