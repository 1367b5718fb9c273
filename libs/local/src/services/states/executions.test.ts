import { describe, expect, it } from '@jest/globals';
import { end, machine, pass, statesForEachTest, waiting } from '../../../fixtures/states-under-test.ts';

const start = statesForEachTest();

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
describe('StartExecution', () => {
  it('answers the same execution while it runs with the same name and input, and refuses the name for anything else', async () => {
    const { create, invoke, settle, clock } = await start();
    const stateMachineArn = await create(waiting(60));
    const first = await invoke('StartExecution', { stateMachineArn, name: 'n', input: '{"a": 1}' });
    expect(await invoke('StartExecution', { stateMachineArn, name: 'n', input: '{ "a":1 }' })).toEqual(first);
    const refused = { code: 'ExecutionAlreadyExists' };
    await expect(invoke('StartExecution', { stateMachineArn, name: 'n', input: '{}' })).rejects.toMatchObject(refused);
    await clock.advance(60_000);
    await settle();
    await expect(invoke('StartExecution', { stateMachineArn, name: 'n', input: '{"a":1}' })).rejects.toMatchObject(
      refused,
    );
  });

  it.each([
    [{ stateMachineArn: 'nonsense' }, 'InvalidArn'],
    [{ stateMachineArn: 'arn:aws:states:eu-central-1:000000000000:stateMachine:none' }, 'StateMachineDoesNotExist'],
    [{ name: 'a b' }, 'InvalidName'],
    [{ input: '{' }, 'InvalidExecutionInput'],
    [{ input: 1 }, 'SerializationException'],
    [{ stateMachineArn: undefined }, 'ValidationException'],
  ])('refuses %j with %s', async (input, code) => {
    const { create, invoke } = await start();
    const stateMachineArn = await create(pass);
    await expect(invoke('StartExecution', { stateMachineArn, ...input })).rejects.toMatchObject({ code });
  });
});

describe('an execution', () => {
  it('is described while it runs and when it has ended, with times in seconds', async () => {
    const { start: begin, describe: seen, clock, settle } = await start();
    const arn = await begin(waiting(90), { a: 1 });
    expect(await seen(arn)).toMatchObject({
      status: 'RUNNING',
      input: '{"a":1}',
      startDate: 1780272000,
      redriveStatus: 'NOT_REDRIVABLE',
    });
    await clock.advance(90_000);
    await settle();
    expect(await seen(arn)).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1}', stopDate: 1780272090 });
  });

  it('that takes longer than its machine may is timed out', async () => {
    const { start: begin, describe: seen, history, clock, settle } = await start();
    const arn = await begin({ ...waiting(90), TimeoutSeconds: 30 });
    await clock.advance(30_000);
    await settle();
    expect(await seen(arn)).toMatchObject({ status: 'TIMED_OUT', stopDate: 1780272030 });
    expect((await history(arn)).map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'WaitStateEntered',
      'ExecutionTimedOut',
    ]);
  });

  it('can be stopped, with an error and a cause, and nothing of it happens afterwards', async () => {
    const { start: begin, describe: seen, history, invoke, clock, settle } = await start();
    const executionArn = await begin(waiting(90));
    await invoke('StopExecution', { executionArn, error: 'Enough', cause: 'of it' });
    expect(await seen(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'of it' });
    await clock.advance(100_000);
    await settle();
    expect((await history(executionArn)).map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'WaitStateEntered',
      'ExecutionAborted',
    ]);
    await invoke('StopExecution', { executionArn, error: 'Again' });
    expect(await seen(executionArn)).toMatchObject({ status: 'ABORTED', error: 'Enough' });
  });

  /** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
  it('whose history is full fails with its 25,000th event', async () => {
    const { start: begin, describe: seen, invoke, settle } = await start();
    const executionArn = await begin(machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } }));
    for (let turn = 0; turn < 100 && (await seen(executionArn)).status === 'RUNNING'; turn += 1) await settle();
    expect(await seen(executionArn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    const { events } = await invoke('GetExecutionHistory', { executionArn, maxResults: 1, reverseOrder: true });
    expect(events).toMatchObject([{ id: 25_000, type: 'ExecutionFailed' }]);
  }, 30_000);
});

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html */
describe('GetExecutionHistory', () => {
  it('gives pages in both directions', async () => {
    const { run, invoke } = await start();
    const { executionArn } = await run(machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Succeed' } }));
    const ids = (page: { events: { id: number }[] }) => page.events.map(({ id }) => id);
    const first = await invoke('GetExecutionHistory', { executionArn, maxResults: 4 });
    const rest = await invoke('GetExecutionHistory', { executionArn, maxResults: 4, nextToken: first.nextToken });
    expect([ids(first as never), ids(rest as never), rest.nextToken]).toEqual([[1, 2, 3, 4], [5, 6], undefined]);
    const last = await invoke('GetExecutionHistory', { executionArn, maxResults: 2, reverseOrder: true });
    expect(ids(last as never)).toEqual([6, 5]);
    await expect(invoke('GetExecutionHistory', { executionArn, nextToken: 'x' })).rejects.toMatchObject({
      code: 'InvalidToken',
    });
  });

  it('tells each event with what it follows and the details of its type', async () => {
    const { run, history } = await start();
    const { executionArn } = await run(machine({ A: { Type: 'Pass', Assign: { v: 1 }, ...end } }), { a: 1 });
    expect(await history(executionArn)).toMatchObject([
      {
        id: 1,
        previousEventId: 0,
        executionStartedEventDetails: { input: '{"a":1}', inputDetails: { truncated: false } },
      },
      { id: 2, previousEventId: 0, stateEnteredEventDetails: { name: 'A', input: '{"a":1}' } },
      {
        id: 3,
        previousEventId: 2,
        stateExitedEventDetails: { name: 'A', output: '{"a":1}', assignedVariables: { v: '1' } },
      },
      { id: 4, previousEventId: 3, executionSucceededEventDetails: { output: '{"a":1}' } },
    ]);
  });

  it('leaves the data out where they are not asked for', async () => {
    const { run, invoke } = await start();
    const { executionArn } = await run(pass, { secret: 1 });
    const answer = await invoke('GetExecutionHistory', { executionArn, includeExecutionData: false });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(answer.events).toContainEqual(
      expect.objectContaining({ stateEnteredEventDetails: { name: 'A', inputDetails: { truncated: false } } }),
    );
  });
});

/** https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html */
it('metrics count executions that begin and end, and how long they took', async () => {
  const reports: unknown[] = [];
  const { run } = await start({ metric: ({ name, value, dimensions }) => reports.push([name, value, dimensions]) });
  await run(waiting(3));
  const dimensions = { StateMachineArn: 'arn:aws:states:eu-central-1:000000000000:stateMachine:m1' };
  expect(reports).toEqual([
    ['ExecutionsStarted', 1, dimensions],
    ['ExecutionsSucceeded', 1, dimensions],
    ['ExecutionTime', 3000, dimensions],
  ]);
});

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html */
it('ListExecutions gives the newest first, by status and in pages', async () => {
  const { create, invoke, clock, settle } = await start();
  const stateMachineArn = await create(waiting(5));
  for (const name of ['a', 'b', 'c']) {
    await invoke('StartExecution', { stateMachineArn, name });
    await clock.advance(2000);
  }
  await settle();
  const names = async (input: object) => {
    const { executions, nextToken } = await invoke('ListExecutions', { stateMachineArn, ...input });
    return [(executions as unknown as { name: string }[]).map(({ name }) => name), nextToken];
  };
  expect((await names({}))[0]).toEqual(['c', 'b', 'a']);
  expect((await names({ statusFilter: 'RUNNING' }))[0]).toEqual(['c', 'b']);
  const [first, nextToken] = await names({ maxResults: 2 });
  expect([first, (await names({ maxResults: 2, nextToken }))[0]]).toEqual([['c', 'b'], ['a']]);
});

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html */
describe('StartSyncExecution', () => {
  it('answers an Express execution with its end, which no other operation knows', async () => {
    const { create, invoke } = await start();
    const stateMachineArn = await create(pass, 'EXPRESS');
    const answer = await invoke('StartSyncExecution', { stateMachineArn, name: 'n', input: '{"a":1}' });
    expect(answer).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"a":1}',
      billingDetails: { billedMemoryUsedInMB: 64 },
    });
    expect(answer.executionArn).toMatch(/^arn:aws:states:eu-central-1:000000000000:express:m1:n:[\w-]+$/);
    await expect(invoke('DescribeExecution', answer)).rejects.toMatchObject({ code: 'InvalidArn' });
  });

  it('is not for Standard machines', async () => {
    const { create, invoke } = await start();
    const stateMachineArn = await create(pass);
    await expect(invoke('StartSyncExecution', { stateMachineArn })).rejects.toMatchObject({
      code: 'StateMachineTypeNotSupported',
    });
  });

  it('times out after five minutes', async () => {
    const { create, invoke, clock } = await start();
    const stateMachineArn = await create(waiting(400), 'EXPRESS');
    const answer = invoke('StartSyncExecution', { stateMachineArn });
    await clock.advance(300_000);
    expect(await answer).toMatchObject({ status: 'TIMED_OUT' });
  });
});
