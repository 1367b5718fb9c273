import { GetDurableExecutionHistoryCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';

const HOUR = 60 * 60 * 1000;
const DAY = { ExecutionTimeout: 86_400 };
let under: DurableUnderTest;
beforeEach(() => {
  under = new DurableUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const wait = (WaitSeconds: number, Id = 'w') =>
  ({ Id, Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds } }) as const;

// https://docs.aws.amazon.com/lambda/latest/dg/durable-execution-sdk-retries.html
describe('a function that fails', () => {
  test('is invoked again with growing delays, and does not repeat completed steps', async () => {
    await under.startFunctions({ faulty: DAY });
    const arn = await under.begin('faulty', { crashes: 2 });
    const crashes = async (count: number) =>
      eventually(async () =>
        expect((await under.events(arn)).filter((type) => type === 'InvocationCompleted')).toHaveLength(count),
      );
    await crashes(1);
    await under.clock.advance(999);
    expect(await under.events(arn)).toHaveLength(4);
    await under.clock.advance(1);
    await crashes(2);
    await under.clock.advance(1000);
    expect((await under.events(arn)).filter((type) => type === 'InvocationCompleted')).toHaveLength(2);
    await under.clock.advance(1000);
    await under.until(arn, 'SUCCEEDED');
    expect(under.notes()).toEqual(['before']);
    const { Events = [] } = await under.client.send(
      new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn }),
    );
    const failed = Events.find(({ EventType }) => EventType === 'InvocationCompleted')?.InvocationCompletedDetails;
    expect(failed?.Error?.Payload?.ErrorType).toBe('Runtime.ExitError');
  });

  test('the next invocation names the operations that changed meanwhile, and those named to the invocation that failed', async () => {
    await under.startFunctions({ scripted: DAY });
    const arn = await under.begin('scripted');
    const first = await under.invocation();
    await under.checkpoint(first, [wait(10, 'a'), wait(11, 'b')]);
    under.answer(first, { answer: { Status: 'PENDING' } });
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.clock.advance(10_000);
    under.answer(await under.invocation(2), { failure: 'a fault' });
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.clock.advance(1000);
    const { UpdatedOperationIds } = await under.invocation(3);
    expect(UpdatedOperationIds.toSorted()).toEqual(['a', 'b']);
  });

  test.each([
    [
      'PENDING and waits for nothing',
      { Status: 'PENDING' },
      'Cannot return PENDING status with no pending operations.',
    ],
    ['a status that is not there', { Status: 'DONE' }, 'Invalid Status in invocation output.'],
    ['something else', 'hello', 'Invalid Status in invocation output.'],
    ['a result and an error', { Status: 'SUCCEEDED', Error: {} }, 'Cannot provide an Error for SUCCEEDED status.'],
    ['an error and a result', { Status: 'FAILED', Result: '1' }, 'Cannot provide a Result for FAILED status.'],
    [
      'more than 1 MB',
      { Status: 'SUCCEEDED', Result: 'x'.repeat(1024 * 1024 + 1) },
      'EXECUTION output payload size must be less than or equal to 1048576 bytes.',
    ],
  ])('an execution fails whose function answers %s', async (_title, answer, ErrorMessage) => {
    await under.startFunctions({ scripted: DAY });
    const arn = await under.begin('scripted');
    under.answer(await under.invocation(), { answer });
    const { Error: error } = await under.until(arn, 'FAILED');
    expect(error).toEqual({ ErrorType: 'InvalidParameterValueException', ErrorMessage });
  });

  test('an execution whose function always fails ends when its time is over', async () => {
    await under.startFunctions({ faulty: { ExecutionTimeout: 5 } });
    const arn = await under.begin('faulty', { crashes: 100 });
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.clock.advance(5000);
    await under.until(arn, 'TIMED_OUT');
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/durable-configuration.html
test('an execution times out while it waits, and its function is not invoked again', async () => {
  await under.startFunctions({ scripted: { ExecutionTimeout: 60 } });
  const arn = await under.begin('scripted');
  const first = await under.invocation();
  await under.checkpoint(first, [wait(90)]);
  under.answer(first, { answer: { Status: 'PENDING' } });
  await under.untilEvent(arn, 'InvocationCompleted');
  await under.clock.advance(120_000);
  const { Status, EndTimestamp, StartTimestamp } = await under.execution(arn);
  expect(Status).toBe('TIMED_OUT');
  expect(Number(EndTimestamp) - Number(StartTimestamp)).toBe(60_000);
  expect((await under.events(arn)).at(-1)).toBe('ExecutionTimedOut');
  expect(under.notes()).toHaveLength(1);
});

describe('a restart', () => {
  const restart = async (functions: Parameters<DurableUnderTest['startFunctions']>[0]) => {
    await under.stop();
    await under.startFunctions(functions, { keepsData: true });
  };

  test('an execution resumes its wait, and does not repeat completed steps', async () => {
    await under.startFunctions({ approval: DAY }, { keepsData: true });
    const arn = await under.begin('approval', { order: 'o1' }, 'order-1');
    await under.untilEvent(arn, 'InvocationCompleted');
    await restart({ approval: DAY });
    expect((await under.execution(arn)).InputPayload).toBe('{"order":"o1"}');
    await under.clock.advance(HOUR);
    await eventually(() => expect(under.notes()).toContainEqual(expect.stringMatching(/^callback /)));
    expect(under.notes().filter((line) => line === 'reserved o1')).toHaveLength(1);
    await under.untilEvent(arn, 'InvocationCompleted');
    await restart({ approval: DAY });
    // The timeout of the callback.
    await under.clock.advance(2 * HOUR);
    await under.until(arn, 'FAILED');
    expect((await under.events(arn)).filter((type) => type === 'CallbackTimedOut')).toHaveLength(1);
  });

  test('an invocation that was running is repeated, and its old checkpoint token is refused', async () => {
    await under.startFunctions({ scripted: DAY }, { keepsData: true });
    const arn = await under.begin('scripted');
    const first = await under.invocation();
    await under.checkpoint(first, [{ Id: 'a', Type: 'STEP', Action: 'SUCCEED', Payload: '1' }]);
    await restart({ scripted: DAY });
    const second = await under.invocation(2);
    expect(second.InitialExecutionState.Operations.map(({ Id }) => Id)).toContain('a');
    await expect(under.checkpoint(first, [])).rejects.toThrow('Invalid checkpoint token');
    under.answer(second, { answer: { Status: 'SUCCEEDED', Result: '1' } });
    await under.until(arn, 'SUCCEEDED');
    expect(await under.events(arn)).toEqual([
      ...['ExecutionStarted', 'StepSucceeded', 'InvocationCompleted', 'InvocationCompleted', 'ExecutionSucceeded'],
    ]);
  });

  test('the repeated invocation names the same changed operations', async () => {
    await under.startFunctions({ scripted: DAY }, { keepsData: true });
    const arn = await under.begin('scripted');
    const first = await under.invocation();
    await under.checkpoint(first, [wait(10)]);
    under.answer(first, { answer: { Status: 'PENDING' } });
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.clock.advance(10_000);
    await under.invocation(2);
    await restart({ scripted: DAY });
    expect(await under.invocation(3)).toMatchObject({ UpdatedOperationIds: ['w'] });
  });

  test('a function that failed is invoked again, although its execution also waits for a timer', async () => {
    await under.startFunctions({ scripted: DAY }, { keepsData: true });
    const arn = await under.begin('scripted');
    const first = await under.invocation();
    await under.checkpoint(first, [wait(3600)]);
    under.answer(first, { failure: 'a fault' });
    await under.untilEvent(arn, 'InvocationCompleted');
    await restart({ scripted: DAY });
    await under.invocation(2);
  });

  test('an execution that has ended keeps its result and its history', async () => {
    await under.startFunctions({ faulty: DAY }, { keepsData: true });
    const arn = await under.begin('faulty', {}, 'one');
    await under.until(arn, 'SUCCEEDED');
    const events = await under.events(arn);
    await restart({ faulty: DAY });
    expect(await under.execution(arn)).toMatchObject({ Status: 'SUCCEEDED', Result: '"done"' });
    expect(await under.events(arn)).toEqual(events);
    expect(await under.begin('faulty', {}, 'one')).toBe(arn);
    expect(under.notes()).toEqual(['before']);
  });
});
