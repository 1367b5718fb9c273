import {
  GetDurableExecutionCommand,
  type GetDurableExecutionHistoryCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { describe, expect, test } from '@jest/globals';
import type { GetExecutionHistoryCommand, StepFunctions } from '@millrace/aws';
import { stoppedState } from './stopped-state.ts';

const letter = {
  origin: 'execution',
  body: JSON.stringify({ executionArn: 'arn:aws:states:us-east-1:000000000000:execution:shop:a', status: 'FAILED' }),
} as const;

/** Step Functions with the pages of a history, from its end. */
function states(...pages: object[][]) {
  const asked: object[] = [];
  const client = {
    send: async ({ input }: GetExecutionHistoryCommand) => {
      asked.push(input);
      const page = Number(input.nextToken ?? 0);
      return { events: pages[page], ...(page + 1 < pages.length && { nextToken: String(page + 1) }) };
    },
  } as unknown as StepFunctions;
  return { client: { states: client, lambda: {} as LambdaClient }, asked };
}

const durable = {
  origin: 'execution',
  body: JSON.stringify({
    executionArn: 'arn:aws:lambda:us-east-1:000000000000:function:shop:1/durable-execution/a/b',
    status: 'FAILED',
  }),
} as const;

/** Lambda with an execution that failed by an error, and the pages of its history, from its end. */
function durableExecutions(error: string | undefined, ...pages: object[][]) {
  const send = async (command: GetDurableExecutionCommand | GetDurableExecutionHistoryCommand) => {
    if (command instanceof GetDurableExecutionCommand) {
      return { Status: 'FAILED', ...(error && { Error: { ErrorType: error, ErrorMessage: 'Ada Example' } }) };
    }
    expect(command.input).toMatchObject({ ReverseOrder: true, IncludeExecutionData: false });
    const page = Number(command.input.Marker ?? 0);
    return { Events: pages[page], ...(page + 1 < pages.length && { NextMarker: String(page + 1) }) };
  };
  return { states: {} as StepFunctions, lambda: { send } as unknown as LambdaClient };
}

describe('where an execution has stopped', () => {
  test('is the last state that it entered, with the error by which it failed', async () => {
    const { client, asked } = states(
      [{ type: 'ExecutionFailed', executionFailedEventDetails: { error: 'Gone', cause: 'Ada Example' } }],
      [{ type: 'TaskFailed' }, { type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'ReleaseInventory' } }],
    );

    expect(await stoppedState(letter, client)).toEqual({ state: 'ReleaseInventory', error: 'Gone' });
    expect(asked).toEqual([
      expect.objectContaining({ reverseOrder: true, includeExecutionData: false }),
      expect.objectContaining({ nextToken: '1' }),
    ]);
  });

  test('has no error when an operator has stopped it', async () => {
    const { client } = states([
      { type: 'ExecutionAborted', executionAbortedEventDetails: {} },
      { type: 'TaskStateEntered', stateEnteredEventDetails: { name: 'RequestApproval' } },
    ]);
    expect(await stoppedState(letter, client)).toEqual({ state: 'RequestApproval' });
  });

  test('of a durable function is the last step that it began, with the error by which it failed', async () => {
    const failed = [{ EventType: 'ExecutionFailed' }, { EventType: 'ChainedInvokeFailed', Name: 'ReleaseInventory' }];
    const began = [{ EventType: 'ChainedInvokeStarted', Name: 'ReleaseInventory' }];
    const client = durableExecutions('StepUnavailable', failed, began);
    expect(await stoppedState(durable, client)).toEqual({ state: 'ReleaseInventory', error: 'StepUnavailable' });
  });

  test('of a durable function that an operator has stopped is what it waited for', async () => {
    const client = durableExecutions(undefined, [{ EventType: 'CallbackStarted', Name: 'RequestApproval' }]);
    expect(await stoppedState(durable, client)).toEqual({ state: 'RequestApproval' });
  });

  test('repeats no name that does not look like one', async () => {
    const { client } = states([
      { executionFailedEventDetails: { error: 'Ada Example' } },
      { stateEnteredEventDetails: { name: 'ReleaseInventory' } },
    ]);
    expect(await stoppedState(letter, client)).toEqual({ state: 'ReleaseInventory', error: '(no identifier)' });
  });

  test('is not known when Step Functions does not tell', async () => {
    const send = () => Promise.reject(new Error('not allowed'));
    const refusing = { states: { send } as unknown as StepFunctions, lambda: { send } as unknown as LambdaClient };
    expect(await stoppedState(letter, refusing)).toEqual({ problem: 'not allowed' });
    expect(await stoppedState(durable, refusing)).toEqual({ problem: 'not allowed' });
    expect(await stoppedState(durable, durableExecutions('Gone', []))).toEqual({ problem: 'it had entered no state' });
    expect(await stoppedState(letter, states([]).client)).toEqual({ problem: 'it had entered no state' });
  });

  test.each([
    ['a consumer', { origin: 'consumer', body: letter.body }],
    ['something else', { origin: 'execution', body: '{"executionArn":"arn:aws:sqs:…"}' }],
  ] as const)('is not asked for a letter of %s', async (_, other) => {
    const { client, asked } = states();
    expect(await stoppedState(other, client)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
