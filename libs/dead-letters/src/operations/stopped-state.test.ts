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
  return { client, asked };
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

  test('repeats no name that does not look like one', async () => {
    const { client } = states([
      { executionFailedEventDetails: { error: 'Ada Example' } },
      { stateEnteredEventDetails: { name: 'ReleaseInventory' } },
    ]);
    expect(await stoppedState(letter, client)).toEqual({ state: 'ReleaseInventory', error: '(no identifier)' });
  });

  test('is not known when Step Functions does not tell', async () => {
    const client = { send: () => Promise.reject(new Error('not allowed')) } as unknown as StepFunctions;
    expect(await stoppedState(letter, client)).toEqual({ problem: 'not allowed' });
    expect(await stoppedState(letter, states([]).client)).toEqual({ problem: 'it had entered no state' });
  });

  test.each([
    ['a consumer', { origin: 'consumer', body: letter.body }],
    ['a durable function', { origin: 'execution', body: '{"durableExecutionArn":"arn:aws:lambda:…"}' }],
  ] as const)('is not asked for a letter of %s', async (_, other) => {
    const { client, asked } = states();
    expect(await stoppedState(other, client)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
