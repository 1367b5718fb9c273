import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  SendDurableExecutionCallbackSuccessCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { LambdaUnderTest } from '../../../../fixtures/lambda-under-test.ts';

const entryPoint = fileURLToPath(import.meta.resolve('../../../../fixtures/durable/functions.ts'));
const HOUR = 60 * 60 * 1000;
let under: LambdaUnderTest;
beforeEach(() => {
  under = new LambdaUnderTest();
});
afterEach(() => under[Symbol.asyncDispose]());

const notes = () => {
  const path = join(under.directory, 'seen');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};

// https://docs.aws.amazon.com/lambda/latest/dg/durable-basic-concepts.html
test('an execution does a step once, waits with the clock, waits for a callback, and ends with its result', async () => {
  await under.start(
    { Approval: under.fn('approval', { Handler: 'code.approval', DurableConfig: { ExecutionTimeout: 86_400 } }) },
    { entryPoint },
  );
  const { DurableExecutionArn } = await under.client.send(
    new InvokeCommand({
      FunctionName: 'approval:$LATEST',
      InvocationType: 'Event',
      DurableExecutionName: 'order-1',
      Payload: Buffer.from('{"order":"o1"}'),
    }),
  );
  expect(DurableExecutionArn).toMatch(/function:approval:\$LATEST\/durable-execution\/order-1\/[\w-]+$/);
  const history = async () => {
    const { Events = [] } = await under.client.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }));
    return Events.map(({ EventType }) => EventType);
  };
  await eventually(async () => expect((await history()).at(-1)).toBe('InvocationCompleted'));
  await under.clock.advance(HOUR);
  await eventually(() => expect(notes()).toContainEqual(expect.stringMatching(/^callback /)));
  await eventually(async () => expect((await history()).at(-1)).toBe('InvocationCompleted'));
  const callback = notes()
    .find((line) => line.startsWith('callback '))
    ?.slice('callback '.length);
  await under.client.send(
    new SendDurableExecutionCallbackSuccessCommand({ CallbackId: callback, Result: Buffer.from('"yes"') }),
  );
  const execution = () => under.client.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
  await eventually(async () => expect((await execution()).Status).toBe('SUCCEEDED'));
  expect(JSON.parse((await execution()).Result ?? '')).toEqual({ reserved: 'reserved o1', answer: '"yes"' });
  expect(notes().filter((line) => line === 'reserved o1')).toHaveLength(1);
  expect(await history()).toEqual([
    'ExecutionStarted',
    'StepStarted',
    'StepSucceeded',
    'WaitStarted',
    'InvocationCompleted',
    'WaitSucceeded',
    'ContextStarted',
    'CallbackStarted',
    'StepStarted',
    'StepSucceeded',
    'InvocationCompleted',
    'CallbackSucceeded',
    'ContextSucceeded',
    'InvocationCompleted',
    'ExecutionSucceeded',
  ]);
});
