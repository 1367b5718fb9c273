import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  end,
  functionArn,
  machine,
  type StatesOptions,
  type StatesUnderTest,
  startStatesUnderTest,
} from '../../../fixtures/states-under-test.ts';
import { ManualClock } from '../../core/clock.ts';

let dataDirectory: string;
let stack: AsyncDisposableStack;
const start = async (options: StatesOptions = {}): Promise<StatesUnderTest> =>
  stack.use(await startStatesUnderTest({ dataDirectory, ...options }));

beforeEach(() => {
  dataDirectory = mkdtempSync(join(tmpdir(), 'states-'));
  stack = new AsyncDisposableStack();
});

afterEach(async () => {
  await stack.disposeAsync();
  rmSync(dataDirectory, { recursive: true });
});

/** Ends a run and starts another one with what it has kept, some seconds later. */
async function restart(
  before: StatesUnderTest,
  seconds: number,
  options: StatesOptions = {},
): Promise<StatesUnderTest> {
  await before[Symbol.asyncDispose]();
  return start({ clock: new ManualClock(before.clock.now() + seconds * 1000), ...options });
}

describe('an execution that another process has begun', () => {
  it('waits no longer than it would have', async () => {
    const first = await start();
    const arn = await first.start(
      machine({ W: { Type: 'Wait', Seconds: 60, Next: 'P' }, P: { Type: 'Pass', ...end } }),
      { a: 1 },
    );
    const second = await restart(first, 50);
    expect(await second.describe(arn)).toMatchObject({ status: 'RUNNING' });
    await second.clock.advance(10_000);
    await second.settle();
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '{"a":1}', stopDate: 1780272060 });
    expect((await second.history(arn)).map(({ id, type }) => `${id} ${type}`)).toEqual([
      ...['1 ExecutionStarted', '2 WaitStateEntered', '3 WaitStateExited', '4 PassStateEntered', '5 PassStateExited'],
      '6 ExecutionSucceeded',
    ]);
  });

  it('goes on at once where its time has passed meanwhile', async () => {
    const first = await start();
    const arn = await first.start(machine({ W: { Type: 'Wait', Seconds: 60, ...end } }));
    const timed = await first.start({ ...machine({ W: { Type: 'Wait', Seconds: 600, ...end } }), TimeoutSeconds: 70 });
    const second = await restart(first, 100);
    await second.settle();
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await second.describe(timed)).toMatchObject({ status: 'TIMED_OUT' });
  });

  it('takes the token that was sent before, and keeps its heartbeat', async () => {
    const first = await start();
    const Parameters = { QueueUrl: 'q', 'MessageBody.$': '$$.Task.Token' };
    const arn = await first.start(
      machine({
        T: {
          Type: 'Task',
          Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
          HeartbeatSeconds: 60,
          Parameters,
          ...end,
        },
      }),
    );
    await first.settle();
    const taskToken = first.calls[0]?.input.MessageBody;
    await first.running.deactivate?.();
    const tooLate = first.invoke('SendTaskSuccess', { taskToken, output: '"sent again later"' });
    await expect(tooLate).rejects.toMatchObject({ code: 'ServiceUnavailable', status: 503 });
    const second = await restart(first, 30);
    await second.settle();
    expect(second.calls).toEqual([]);
    await second.invoke('SendTaskHeartbeat', { taskToken });
    await second.clock.advance(50_000);
    await second.invoke('SendTaskSuccess', { taskToken, output: '"done"' });
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '"done"' });
  });

  it('sends a request again whose answer is not known, and no other', async () => {
    const sent: unknown[] = [];
    const record = (event: unknown) => {
      sent.push(event);
      return event === 'second' && sent.length < 3 ? new Promise(() => {}) : 'second';
    };
    const first = await start({ functions: { record } });
    const Resource = functionArn('record');
    const arn = await first.start(
      machine({ A: { Type: 'Task', Resource, Next: 'B' }, B: { Type: 'Task', Resource, ...end } }),
      'first',
    );
    await first.settle();
    expect(sent).toEqual(['first', 'second']);
    const second = await restart(first, 1, { functions: { record } });
    await second.settle();
    expect(sent).toEqual(['first', 'second', 'second']);
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED' });
    const types = (await second.history(arn)).map(({ type }) => type);
    expect(types.filter((type) => type === 'LambdaFunctionScheduled')).toHaveLength(2);
  });

  it('does not send a request again whose answer came while the process was ending, and leaves the next one to the next start', async () => {
    const sent: unknown[] = [];
    const slow = async (event: unknown) => {
      sent.push(event);
      await new Promise((done) => setTimeout(done, 50));
      return 'second';
    };
    const first = await start({ functions: { slow } });
    const Resource = functionArn('slow');
    const arn = await first.start(
      machine({ A: { Type: 'Task', Resource, Next: 'B' }, B: { Type: 'Task', Resource, ...end } }),
      'first',
    );
    await first.settle();
    const second = await restart(first, 1, { functions: { slow } });
    expect(sent).toEqual(['first', 'second']);
    await second.running.deactivate?.();
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(sent).toEqual(['first', 'second']);
  });

  it('starts another machine once, whose end it still waits for', async () => {
    const first = await start();
    const StateMachineArn = await first.create(machine({ W: { Type: 'Wait', Seconds: 60, ...end } }));
    const Resource = 'arn:aws:states:::states:startExecution.sync';
    const arn = await first.start(machine({ T: { Type: 'Task', Resource, Parameters: { StateMachineArn }, ...end } }));
    await first.settle();
    const second = await restart(first, 30);
    await second.settle();
    await second.clock.advance(30_000);
    await second.settle();
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect((await second.invoke('ListExecutions', { stateMachineArn: StateMachineArn })).executions).toHaveLength(1);
  });

  it('finds the other execution that it has started, also when that has ended and the answer was lost', async () => {
    const holder: { states?: StatesUnderTest } = {};
    const call: StatesOptions['call'] = async ({ operation, input }) => {
      await holder.states?.invoke(operation, input);
      return new Promise(() => {});
    };
    holder.states = await start({ call });
    const StateMachineArn = await holder.states.create(machine({ P: { Type: 'Pass', Result: 'inner', ...end } }));
    const Resource = 'arn:aws:states:::states:startExecution.sync:2';
    const arn = await holder.states.start(
      machine({ T: { Type: 'Task', Resource, Parameters: { StateMachineArn }, ...end } }),
    );
    await holder.states.settle();
    const second = await restart(holder.states, 1);
    await second.settle();
    const { status, output } = await second.describe(arn);
    expect([status, JSON.parse(output ?? '{}').Output]).toEqual(['SUCCEEDED', 'inner']);
    expect((await second.invoke('ListExecutions', { stateMachineArn: StateMachineArn })).executions).toHaveLength(1);
  });

  it('begins if that process has taken it and nothing more', async () => {
    const first = await start();
    const arn = await first.start(machine({ P: { Type: 'Pass', ...end } }), 'in');
    await first.settle();
    await first[Symbol.asyncDispose]();
    const database = new DatabaseSync(join(dataDirectory, 'states.db'));
    const { document } = database.prepare('SELECT document FROM executions').get() as { document: string };
    const taken = { ...JSON.parse(document), status: 'RUNNING', stoppedAt: null, nextEventId: 1, nextThreadId: 1 };
    database.prepare("UPDATE executions SET status = 'RUNNING', document = ?").run(JSON.stringify(taken));
    database.exec('DELETE FROM threads; DELETE FROM events');
    database.close();
    const second = await start();
    await second.settle();
    expect(await second.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '"in"' });
  });

  it('keeps branches, iterations and variables', async () => {
    const first = await start();
    const waits = machine({
      W: { Type: 'Wait', SecondsPath: '$', Assign: { own: 1 }, Next: 'P' },
      P: { Type: 'Pass', Parameters: { 'o.$': '$own', 'v.$': '$outer' }, ...end },
    });
    const arn = await first.start(
      machine({
        A: { Type: 'Pass', Assign: { outer: 7 }, Next: 'M' },
        M: { Type: 'Map', ItemProcessor: waits, ...end },
      }),
      [10, 60],
    );
    await first.settle();
    await first.clock.advance(10_000);
    await first.settle();
    const second = await restart(first, 50);
    await second.settle();
    const { output } = await second.describe(arn);
    expect(JSON.parse(output ?? '')).toEqual([
      { o: 1, v: 7 },
      { o: 1, v: 7 },
    ]);
  });

  it('goes on with the definition that it was started with', async () => {
    const first = await start();
    const stateMachineArn = await first.create(
      machine({ W: { Type: 'Wait', Seconds: 60, Next: 'Old' }, Old: { Type: 'Pass', Result: 'old', ...end } }),
    );
    const { executionArn } = await first.invoke('StartExecution', { stateMachineArn });
    await first.invoke('UpdateStateMachine', {
      stateMachineArn,
      definition: JSON.stringify(machine({ New: { Type: 'Succeed' } })),
    });
    const second = await restart(first, 60);
    await second.settle();
    expect(await second.describe(String(executionArn))).toMatchObject({ status: 'SUCCEEDED', output: '"old"' });
  });

  it('records later what it cannot record on a full disk, and starts no task before', async () => {
    const runs: unknown[] = [];
    const states = await start({ functions: { record: (event) => runs.push(event) } });
    const arn = await states.start(
      machine({
        W: { Type: 'Wait', Seconds: 5, Next: 'T' },
        T: { Type: 'Task', Resource: functionArn('record'), ...end },
      }),
    );
    await states.settle();
    using database = new DatabaseSync(join(dataDirectory, 'states.db'));
    database.exec(`CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk is full'); END`);
    await states.clock.advance(5000);
    await states.settle();
    expect(states.warnings).toEqual([expect.stringContaining('disk is full')]);
    expect(runs).toEqual([]);
    database.exec('DROP TRIGGER full');
    await states.clock.advance(10_000);
    await states.settle();
    expect(await states.describe(arn)).toMatchObject({ status: 'SUCCEEDED', output: '1' });
    expect((await states.history(arn)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(states.warnings).toHaveLength(1);
  });

  it('tells the bus what it has not told before the process ended', async () => {
    const deliver = () => new Promise<void>(() => {});
    const first = await start({ deliver });
    const { executionArn } = await first.run(machine({ A: { Type: 'Succeed' } }));
    const second = await restart(first, 1);
    await second.settle();
    expect(second.events.map(({ detail }) => [detail.executionArn, detail.status])).toEqual([
      [executionArn, 'SUCCEEDED'],
    ]);
    const third = await restart(second, 1);
    await third.settle();
    expect(third.events).toEqual([]);
  });
});

it('without a data directory nothing is kept', async () => {
  const first = await startStatesUnderTest();
  const arn = await first.start(machine({ W: { Type: 'Wait', Seconds: 60, ...end } }));
  await first[Symbol.asyncDispose]();
  const second = stack.use(await startStatesUnderTest());
  await expect(second.describe(arn)).rejects.toMatchObject({ code: 'ExecutionDoesNotExist' });
});
