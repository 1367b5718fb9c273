import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type StatesUnderTest, startStatesUnderTest, statesForEachTest } from '../../../fixtures/states-under-test.ts';
import type { Call } from '../../core/service.ts';

const start = statesForEachTest();

const activityArn = 'arn:aws:states:eu-central-1:000000000000:activity:pack';
const pack = (fields: object = {}) => ({
  StartAt: 'T',
  States: { T: { Type: 'Task', Resource: activityArn, End: true, ...fields } },
});

/** Asks for a task as a worker does. @param signal of a worker that goes */
function poll({ running }: StatesUnderTest, signal = new AbortController().signal) {
  const input = { activityArn, workerName: 'ada' };
  const call = { operation: 'GetActivityTask', input, request: { signal } } as unknown as Call;
  return Promise.resolve(running.api?.(call)) as Promise<{ taskToken?: string; input?: string }>;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html */
describe('an activity', () => {
  it('gives its tasks to workers, who answer by the token', async () => {
    const states = await start();
    await states.invoke('CreateActivity', { name: 'pack' });
    const executionArn = await states.start(pack({ TimeoutSeconds: 60 }), { order: 1 });
    await states.settle();
    const { taskToken, input } = await poll(states);
    expect(input).toBe('{"order":1}');
    await states.invoke('SendTaskSuccess', { taskToken, output: '"packed"' });
    await states.settle();
    expect(await states.describe(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"packed"' });
    expect((await states.history(executionArn)).slice(2, 5)).toMatchObject([
      { type: 'ActivityScheduled', activityScheduledEventDetails: { resource: activityArn, timeoutInSeconds: 60 } },
      { type: 'ActivityStarted', activityStartedEventDetails: { workerName: 'ada' } },
      { type: 'ActivitySucceeded', activitySucceededEventDetails: { output: '"packed"' } },
    ]);
  });

  it('lets a worker wait for a task, the one that has waited longest first', async () => {
    const states = await start();
    await states.invoke('CreateActivity', { name: 'pack' });
    const [first, second] = [poll(states), poll(states)];
    await states.start(pack(), 'one');
    await states.start(pack(), 'two');
    await states.settle();
    expect([(await first).input, (await second).input]).toEqual(['"one"', '"two"']);
  });

  it('sends a worker away after a minute, and forgets one that has gone', async () => {
    const states = await start();
    await states.invoke('CreateActivity', { name: 'pack' });
    const waiting = poll(states);
    await states.clock.advance(60_000);
    expect(await waiting).toEqual({});
    const gone = new AbortController();
    const left = poll(states, gone.signal);
    gone.abort();
    expect(await left).toEqual({});
    await states.start(pack(), 'kept');
    await states.settle();
    expect((await poll(states)).input).toBe('"kept"');
  });

  it('does not give a task that is over', async () => {
    const states = await start();
    await states.invoke('CreateActivity', { name: 'pack' });
    expect(await states.run(pack({ TimeoutSeconds: 5 }))).toMatchObject({ error: 'States.Timeout' });
    const next = poll(states);
    await states.clock.advance(60_000);
    expect(await next).toEqual({});
  });

  it('is described, listed, tagged and deleted', async () => {
    const { invoke, clock } = await start();
    const created = await invoke('CreateActivity', { name: 'pack', tags: [{ key: 'a', value: '1' }] });
    expect(created).toEqual({ activityArn, creationDate: clock.now() / 1000 });
    expect(await invoke('DescribeActivity', { activityArn })).toEqual({ ...created, name: 'pack' });
    expect((await invoke('ListActivities', {})).activities).toEqual([{ ...created, name: 'pack' }]);
    await invoke('TagResource', { resourceArn: activityArn, tags: [{ key: 'b', value: '2' }] });
    expect((await invoke('ListTagsForResource', { resourceArn: activityArn })).tags).toHaveLength(2);
    await invoke('DeleteActivity', { activityArn });
    await expect(invoke('DescribeActivity', { activityArn })).rejects.toMatchObject({ code: 'ActivityDoesNotExist' });
  });

  it('that is not there fails its tasks', async () => {
    const states = await start();
    expect(await states.run(pack())).toMatchObject({
      error: 'States.TaskFailed',
      cause: `Activity Does Not Exist: '${activityArn}'`,
    });
  });

  it('offers a task again that another process has not given away, and waits for one that it has', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'states-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(dataDirectory, { recursive: true }));
    const first = stack.use(await startStatesUnderTest({ dataDirectory }));
    await first.invoke('CreateActivity', { name: 'pack' });
    const taken = await first.start(pack(), 'taken');
    await first.settle();
    const { taskToken } = await poll(first);
    const open = await first.start(pack(), 'open');
    await first.settle();
    await first[Symbol.asyncDispose]();
    const second = stack.use(await startStatesUnderTest({ dataDirectory }));
    await second.settle();
    const task = await poll(second);
    expect(task.input).toBe('"open"');
    await second.invoke('SendTaskSuccess', { taskToken, output: '1' });
    await second.invoke('SendTaskSuccess', { taskToken: task.taskToken, output: '2' });
    expect(await second.describe(taken)).toMatchObject({ output: '1' });
    expect(await second.describe(open)).toMatchObject({ output: '2' });
  });
});
