import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { DurableUnderTest } from '../../../../fixtures/durable-under-test.ts';
import { DurableStore } from './durable-store.ts';

const HOUR = { ExecutionTimeout: 3600 };
/** After so long a write that failed is tried again. */
const PAUSE_MS = 10_000;
let under: DurableUnderTest;
beforeEach(() => {
  under = new DurableUnderTest();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await under[Symbol.asyncDispose]();
});

type Written = Parameters<DurableStore['save']>;

/** Makes the first write fail that is like this. */
function failOnce(isLikeThis: (...written: Written) => boolean): { readonly hasFailed: boolean } {
  const { save } = DurableStore.prototype;
  const state = { hasFailed: false };
  jest.spyOn(DurableStore.prototype, 'save').mockImplementation(function (this: DurableStore, ...written: Written) {
    if (!state.hasFailed && isLikeThis(...written)) {
      state.hasFailed = true;
      throw new Error('database or disk is full');
    }
    save.apply(this, written);
  });
  return state;
}

test('an execution whose end could not be written ends with its next invocation', async () => {
  await under.startFunctions({ scripted: HOUR });
  const arn = await under.begin('scripted');
  const failed = failOnce(({ status }) => status === 'SUCCEEDED');
  under.answer(await under.invocation(), { answer: { Status: 'SUCCEEDED', Result: '1' } });
  await eventually(() => expect(failed.hasFailed).toBe(true));
  expect(await under.execution(arn)).toMatchObject({ Status: 'RUNNING' });
  await under.clock.advance(1000);
  under.answer(await under.invocation(2), { answer: { Status: 'SUCCEEDED', Result: '1' } });
  await under.untilEvent(arn, 'ExecutionSucceeded');
});

test('a timeout that could not be written is written after a pause', async () => {
  await under.startFunctions({ scripted: HOUR });
  const arn = await under.begin('scripted');
  await under.invocation();
  failOnce(({ status }) => status === 'TIMED_OUT');
  await under.clock.advance(HOUR.ExecutionTimeout * 1000);
  expect(await under.execution(arn)).toMatchObject({ Status: 'RUNNING' });
  await under.clock.advance(PAUSE_MS);
  expect(await under.execution(arn)).toMatchObject({ Status: 'TIMED_OUT' });
  expect((await under.events(arn)).at(-1)).toBe('ExecutionTimedOut');
});

test('a checkpoint that could not be written does not count towards the limit of operations', async () => {
  await under.startFunctions({ scripted: HOUR });
  await under.begin('scripted');
  const invocation = await under.invocation();
  const updates = Array.from({ length: 1600 }, (_, index) => ({
    ...({ Id: `s-${index}`, Type: 'STEP', Action: 'SUCCEED' } as const),
  }));
  failOnce((_, operations) => operations.length === updates.length);
  await expect(under.checkpoint(invocation, updates)).rejects.toThrow('disk is full');
  const { NewExecutionState } = await under.checkpoint(invocation, updates);
  expect(NewExecutionState?.Operations).toHaveLength(updates.length);
});

test('the result of a chained invocation that could not be written is written after a pause', async () => {
  await under.startFunctions({ caller: HOUR, plain: undefined });
  const failed = failOnce((_, [record]) => record?.operation.ChainedInvokeDetails?.Result !== undefined);
  const arn = await under.begin('caller', { callee: 'plain', input: { a: 1 } });
  await eventually(() => expect(failed.hasFailed).toBe(true));
  await under.clock.advance(PAUSE_MS);
  await under.until(arn, 'SUCCEEDED');
});
