import {
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  type OperationUpdate,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DurableUnderTest, type SeenDurableInvocation } from '../../../../fixtures/durable-under-test.ts';

let under: DurableUnderTest;
let arn: string;
let seen: SeenDurableInvocation;
beforeAll(async () => {
  under = new DurableUnderTest();
  await under.startFunctions({ scripted: { ExecutionTimeout: 86_400 } });
});
beforeEach(async () => {
  arn = await under.begin('scripted', { n: 1 });
  seen = await under.invocation(1, arn);
});
afterEach(async () => {
  await under.client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }));
  // Its container is free then.
  for (const line of under.notes()) if (line.includes(arn)) under.answer(JSON.parse(line), { answer: null });
});
afterAll(() => under[Symbol.asyncDispose]());

const update = (Id: string, Type: OperationUpdate['Type'], Action: OperationUpdate['Action'], rest: object = {}) =>
  ({ Id, Type, Action, ...rest }) as OperationUpdate;
const step = (Id: string, Action: OperationUpdate['Action'], rest: object = {}) => update(Id, 'STEP', Action, rest);

/** Checkpoints with the token that is current, and keeps the next one. */
async function checkpoint(...updates: OperationUpdate[]) {
  const answer = await under.checkpoint(seen, updates);
  if (answer.CheckpointToken !== undefined) seen = { ...seen, CheckpointToken: answer.CheckpointToken };
  return answer.NewExecutionState?.Operations ?? [];
}

// https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html
describe('checkpoint tokens', () => {
  test('each checkpoint spends its token and gives the next one', async () => {
    const first = seen;
    await checkpoint(step('a', 'START'));
    await expect(under.checkpoint(first, [])).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'Invalid checkpoint token',
    });
    await checkpoint(step('a', 'SUCCEED', { Payload: '1' }));
  });

  test('a request that is repeated with its client token gets the same response, and takes effect once', async () => {
    const ClientToken = 'one';
    const first = await under.checkpoint(seen, [step('a', 'START')], { ClientToken });
    const second = await under.checkpoint(seen, [step('a', 'START')], { ClientToken });
    expect(second.CheckpointToken).toBe(first.CheckpointToken);
    expect(await under.events(arn)).toEqual(['ExecutionStarted', 'StepStarted']);
    await under.clock.advance(16 * 60_000);
    await expect(under.checkpoint(seen, [step('a', 'START')], { ClientToken })).rejects.toThrow('Invalid checkpoint');
  });

  test('the token of an invocation that has returned is refused', async () => {
    await checkpoint(update('w', 'WAIT', 'START', { WaitOptions: { WaitSeconds: 60 } }));
    under.answer(await under.invocation(1, arn), { answer: { Status: 'PENDING' } });
    await under.untilEvent(arn, 'InvocationCompleted');
    await expect(checkpoint()).rejects.toThrow('Invalid checkpoint token');
    const state = new GetDurableExecutionStateCommand({ ...seen });
    await expect(under.client.send(state)).rejects.toThrow('Invalid checkpoint token');
  });

  test('a checkpoint that ends the execution returns no token, and the execution ends when the function returns', async () => {
    const answer = await under.checkpoint(seen, [update('any', 'EXECUTION', 'SUCCEED', { Payload: '"large"' })]);
    expect(answer.CheckpointToken).toBeUndefined();
    expect((await under.execution(arn)).Status).toBe('RUNNING');
    under.answer(await under.invocation(1, arn), { answer: { Status: 'SUCCEEDED', Result: '' } });
    expect((await under.until(arn, 'SUCCEEDED')).Result).toBe('"large"');
    expect(await under.events(arn)).toEqual(['ExecutionStarted', 'InvocationCompleted', 'ExecutionSucceeded']);
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_OperationUpdate.html
describe('a checkpoint is refused as a whole for', () => {
  const context = update('c', 'CONTEXT', 'START');
  const wait = (WaitSeconds: number) => update('w', 'WAIT', 'START', { WaitOptions: { WaitSeconds } });
  const failure = { ErrorMessage: 'no' };

  test.each<[string, OperationUpdate[], string]>([
    ['an action of another type', [update('w', 'WAIT', 'SUCCEED')], 'Invalid action for the given operation type'],
    ['a wait that exists', [step('a', 'START'), update('b', 'WAIT', 'START')], 'Cannot start a WAIT that already'],
    [
      'a step that has ended',
      [step('ended', 'RETRY', { StepOptions: {} })],
      'Invalid current STEP state to re-attempt',
    ],
    ['a start of a step that runs', [step('running', 'START')], 'Invalid current STEP state to start'],
    ['a second end of a context', [update('ended-context', 'CONTEXT', 'SUCCEED')], 'state to close'],
    ['the cancellation of a wait that does not exist', [update('x', 'WAIT', 'CANCEL')], 'Cannot cancel a WAIT'],
    ['another type under the same id', [update('running', 'CONTEXT', 'SUCCEED')], 'is a STEP, not a CONTEXT'],
    ['the same operation twice', [step('a', 'SUCCEED'), step('a', 'FAIL')], 'same operation twice'],
    ['a parent that does not exist', [step('a', 'START', { ParentId: 'nothing' })], 'Invalid parent operation id'],
    ['a parent that is a step', [step('a', 'START', { ParentId: 'running' })], 'Invalid parent operation id'],
    ['a parent that comes later', [step('a', 'START', { ParentId: 'c' }), context], 'Invalid parent operation id'],
    ['a retry without a delay', [step('running', 'RETRY', { Error: failure })], 'Invalid StepOptions'],
    [
      'a retry with result and error',
      [step('running', 'RETRY', { Payload: '1', Error: failure, StepOptions: {} })],
      'both error and payload',
    ],
    [
      'a success with an error',
      [step('running', 'SUCCEED', { Error: failure })],
      'Cannot provide an Error for SUCCEED',
    ],
    ['a failure with a result', [step('running', 'FAIL', { Payload: '1' })], 'Cannot provide a Payload for FAIL'],
    ['two ends', [update('e', 'EXECUTION', 'SUCCEED'), update('f', 'EXECUTION', 'FAIL')], 'multiple EXECUTION'],
    ['something after the end', [update('e', 'EXECUTION', 'SUCCEED'), step('a', 'START')], 'must be the last update'],
    ['a call without a function', [update('i', 'CHAINED_INVOKE', 'START')], 'FunctionName are required'],
    ['a wait of zero seconds', [wait(0)], 'waitOptions.waitSeconds'],
    ['a wait of more than a year', [wait(31_622_401)], 'waitOptions.waitSeconds'],
    ['an id with a slash', [step('a/b', 'START')], "'updates.2.member.id'"],
    ['a name beyond ASCII', [step('a', 'START', { Name: 'Straße' })], "'updates.2.member.name'"],
    ['an unknown type', [update('a', 'LOOP' as never, 'START')], 'enum value set'],
    ['more than 1 MB', [step('a', 'SUCCEED', { Payload: 'x'.repeat(1024 * 1024 + 1) })], 'STEP output payload size'],
    [
      'an error of more than 1 MB',
      [step('a', 'FAIL', { Error: { ErrorData: 'x'.repeat(1024 * 1024) } })],
      'Error object',
    ],
  ])('%s', async (_title, updates, message) => {
    await checkpoint(
      step('running', 'START'),
      step('ended', 'SUCCEED'),
      update('ended-context', 'CONTEXT', 'SUCCEED'),
      update('b', 'WAIT', 'START', { WaitOptions: { WaitSeconds: 60 } }),
    );
    const before = await under.events(arn);
    await expect(checkpoint(step('before', 'START'), ...updates)).rejects.toThrow(message);
    expect(await under.events(arn)).toEqual(before);
    await checkpoint(step('before', 'START'));
  });

  test('an execution has at most 3,000 operations', async () => {
    for (let part = 0; part < 10; part += 1) {
      await checkpoint(...Array.from({ length: 300 }, (_, index) => step(`s-${part}-${index}`, 'SUCCEED')));
    }
    await expect(checkpoint(step('one-more', 'START'))).rejects.toThrow('limit of 3000 operations');
  });

  test('an execution keeps at most 100 MB', async () => {
    const Payload = 'x'.repeat(1024 * 1024);
    for (let part = 0; part < 25; part += 1) {
      await checkpoint(
        ...[0, 1, 2, 3].slice(part === 0 ? 1 : 0).map((n) => step(`s-${part}-${n}`, 'SUCCEED', { Payload })),
      );
    }
    await expect(checkpoint(step('one-more', 'SUCCEED', { Payload }))).rejects.toThrow('bytes of storage');
  });
});

describe('state for a replay', () => {
  // https://docs.aws.amazon.com/lambda/latest/api/API_ContextOptions.html
  test('operations of a context that has ended are left out, unless it asked for ReplayChildren', async () => {
    const inside = (Id: string, ParentId: string) => step(Id, 'SUCCEED', { ParentId, Payload: '1' });
    await checkpoint(
      update('closed', 'CONTEXT', 'START'),
      update('nested', 'CONTEXT', 'START', { ParentId: 'closed' }),
      inside('hidden', 'closed'),
      inside('deep', 'nested'),
      update('kept', 'CONTEXT', 'START'),
      inside('shown', 'kept'),
      update('w', 'WAIT', 'START', { WaitOptions: { WaitSeconds: 60 } }),
    );
    await checkpoint(
      update('nested', 'CONTEXT', 'SUCCEED', { ParentId: 'closed', ContextOptions: { ReplayChildren: true } }),
      update('closed', 'CONTEXT', 'SUCCEED', { Payload: '"result"' }),
      update('kept', 'CONTEXT', 'SUCCEED', { ContextOptions: { ReplayChildren: true } }),
    );
    under.answer(await under.invocation(1, arn), { answer: { Status: 'PENDING' } });
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.clock.advance(60_000);
    const { InitialExecutionState, UpdatedOperationIds } = await under.invocation(2, arn);
    const [own, ...others] = InitialExecutionState.Operations;
    expect(own).toMatchObject({ Type: 'EXECUTION', ExecutionDetails: { InputPayload: '{"n":1}' } });
    expect(others.map(({ Id }) => Id)).toEqual(['closed', 'kept', 'shown', 'w']);
    expect(others[0]).toMatchObject({ ContextDetails: { Result: '"result"' }, StartTimestamp: expect.any(String) });
    expect(UpdatedOperationIds).toEqual(['w']);
  });

  // https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionState.html
  test('the state comes in pages, in the order in which operations were started', async () => {
    await checkpoint(...['a', 'b', 'c'].map((id) => step(id, 'SUCCEED', { Payload: '1' })));
    const page = async (Marker?: string) => {
      const input = { ...seen, MaxItems: 2, ...(Marker !== undefined && { Marker }) };
      return under.client.send(new GetDurableExecutionStateCommand(input));
    };
    const first = await page();
    const second = await page(first.NextMarker);
    const ids = [...(first.Operations ?? []), ...(second.Operations ?? [])].map(({ Id }) => Id);
    expect(ids.slice(1)).toEqual(['a', 'b', 'c']);
    expect(first.Operations).toHaveLength(2);
    expect(second.NextMarker).toBeUndefined();
  });

  test('operations that do not fit into an invocation are on further pages', async () => {
    const Payload = 'x'.repeat(1024 * 1024);
    await checkpoint(...[1, 2, 3].map((id) => step(`a${id}`, 'SUCCEED', { Payload })));
    await checkpoint(...[1, 2, 3].map((id) => step(`b${id}`, 'SUCCEED', { Payload })));
    await checkpoint(update('w', 'WAIT', 'START', { WaitOptions: { WaitSeconds: 60 } }));
    under.answer(await under.invocation(1, arn), { answer: { Status: 'PENDING' } });
    await under.untilEvent(arn, 'InvocationCompleted');
    await under.clock.advance(60_000);
    const second = await under.invocation(2, arn);
    const { Operations, NextMarker } = second.InitialExecutionState;
    expect(Operations.length).toBeLessThan(8);
    const input = { ...second, Marker: NextMarker };
    const { Operations: rest = [] } = await under.client.send(new GetDurableExecutionStateCommand(input));
    expect([...Operations, ...rest].map(({ Id }) => Id).slice(1)).toEqual([
      ...['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'w'],
    ]);
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_GetDurableExecutionHistory.html
describe('history', () => {
  const history = (rest: object) =>
    under.client.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, ...rest }));

  test('it is read page by page, in both directions', async () => {
    await checkpoint(step('a', 'START'));
    await checkpoint(step('a', 'SUCCEED', { Payload: '1' }));
    const first = await history({ MaxItems: 2 });
    const second = await history({ MaxItems: 2, Marker: first.NextMarker });
    const ids = (events: { EventId?: number | undefined }[] = []) => events.map(({ EventId }) => EventId);
    expect([ids(first.Events), ids(second.Events), second.NextMarker]).toEqual([[1, 2], [3], undefined]);
    expect(ids((await history({ ReverseOrder: true })).Events)).toEqual([3, 2, 1]);
  });

  test('a page has room for 5 MB', async () => {
    const Payload = 'x'.repeat(1024 * 1024);
    for (const part of ['a', 'b']) {
      await checkpoint(...[1, 2, 3].map((id) => step(`${part}${id}`, 'SUCCEED', { Payload })));
    }
    const first = await history({});
    const second = await history({ Marker: first.NextMarker });
    expect([first.Events?.length, second.Events?.length, second.NextMarker]).toEqual([5, 2, undefined]);
  });

  test('it can be read without inputs, results and errors', async () => {
    await checkpoint(step('a', 'SUCCEED', { Payload: '"secret"' }));
    const { Events } = await history({ IncludeExecutionData: false });
    expect(JSON.stringify(Events)).not.toContain('secret');
    expect(Events?.[1]?.StepSucceededDetails).toEqual({
      Result: { Truncated: true },
      RetryDetails: { CurrentAttempt: 1 },
    });
  });

  test.each([{ Marker: 'x' }, { MaxItems: 1001 }, { MaxItems: -1 }])('%j is refused', async (input) => {
    await expect(history(input)).rejects.toMatchObject({ name: expect.stringMatching(/Validation|InvalidParameter/) });
  });
});

test('a step that is retried is ready after its delay, and counts its attempts', async () => {
  await checkpoint(step('a', 'START', { Name: 'charge' }));
  const delay = { StepOptions: { NextAttemptDelaySeconds: 30 }, Error: { ErrorType: 'Busy' } };
  const [pending] = await checkpoint(step('a', 'RETRY', delay));
  expect(pending).toMatchObject({ Status: 'PENDING', StepDetails: { Attempt: 1 } });
  expect(pending?.StepDetails?.NextAttemptTimestamp?.getTime()).toBeCloseTo(under.clock.now() + 30_000, -1);
  await under.clock.advance(30_000);
  const [ready] = await checkpoint();
  expect(ready).toMatchObject({ Status: 'READY' });
  const [, again] = [await checkpoint(step('a', 'START')), await checkpoint(step('a', 'SUCCEED', { Payload: '1' }))];
  expect(again[0]).toMatchObject({ Status: 'SUCCEEDED', StepDetails: { Attempt: 2, Result: '1' } });
});

test('a wait that was cancelled never succeeds', async () => {
  await checkpoint(update('w', 'WAIT', 'START', { WaitOptions: { WaitSeconds: 30 } }));
  await checkpoint(update('w', 'WAIT', 'CANCEL'));
  await under.clock.advance(60_000);
  expect(await checkpoint()).toEqual([]);
  expect((await under.events(arn)).at(-1)).toBe('WaitCancelled');
});
