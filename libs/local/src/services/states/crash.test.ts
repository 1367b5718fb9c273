import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import {
  end,
  functionArn,
  machine,
  type StatesUnderTest,
  startStatesUnderTest,
} from '../../../fixtures/states-under-test.ts';
import { ManualClock } from '../../core/clock.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'states-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

const task = (name: string, fields: object = end) => ({ Type: 'Task', Resource: functionArn(name), ...fields });

/** Branches with iterations in them, a loop, a retry, a catch, a wait and variables. */
const definition = machine({
  Begin: { Type: 'Pass', Assign: { rounds: 0 }, Next: 'Both' },
  Both: {
    Type: 'Parallel',
    Branches: [
      machine({
        Each: {
          Type: 'Map',
          MaxConcurrency: 2,
          ItemProcessor: machine({
            Double: task('double', { Next: 'Rest' }),
            Rest: { Type: 'Wait', Seconds: 1, ...end },
          }),
          ...end,
        },
      }),
      machine({
        Flaky: task('flaky', {
          Parameters: { 'n.$': '$$.State.RetryCount' },
          Retry: [{ ErrorEquals: ['Busy'], MaxAttempts: 2 }],
          ...end,
        }),
      }),
    ],
    Next: 'Again',
  },
  Again: { Type: 'Choice', Choices: [{ Variable: '$rounds', NumericLessThan: 2, Next: 'Count' }], Default: 'Doomed' },
  Count: {
    ...task('count', { Next: 'Again' }),
    Parameters: { 'n.$': '$rounds' },
    Assign: { 'rounds.$': '$' },
    ResultPath: null,
  },
  Doomed: task('doomed', { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$[1]', Next: 'Finish' }], ...end }),
  Finish: { Type: 'Pass', Parameters: { 'data.$': '$', 'rounds.$': '$rounds' }, ...end },
});

const fail = (name: string): never => {
  throw Object.assign(new Error(), { name });
};

/** @param onCall called before each function does its work, with what it is called with */
function functionsWith(onCall: (call: string) => void) {
  const told =
    (name: string, run: (event: never) => unknown) =>
    (event: unknown): unknown => {
      onCall(`${name} ${JSON.stringify(event)}`);
      return run(event as never);
    };
  return {
    double: told('double', (n: number) => n * 2),
    flaky: told('flaky', ({ n }: { n: number }) => (n < 1 ? fail('Busy') : 'calm')),
    count: told('count', ({ n }: { n: number }) => n + 1),
    doomed: told('doomed', () => fail('Doom')),
  };
}

async function endOf(states: StatesUnderTest, executionArn: string) {
  for (let second = 0; second < 60; second += 1) {
    await states.settle();
    const { status, output } = await states.describe(executionArn);
    if (status !== 'RUNNING') return { status, output: JSON.parse(output ?? 'null') };
    await states.clock.advance(1000);
  }
  throw new Error('It does not end');
}

it('an execution ends the same, from whichever task on another process takes it up, and no task is left out', async () => {
  const calls: string[] = [];
  const moments: { path: string; time: number }[] = [];
  const live = join(directory, 'live');
  const onCall = (call: string): void => {
    calls.push(call);
    // What a process that ends right now leaves behind.
    const path = join(directory, String(moments.length));
    cpSync(live, path, { recursive: true });
    moments.push({ path, time: states.clock.now() });
  };
  const states: StatesUnderTest = await startStatesUnderTest({ dataDirectory: live, functions: functionsWith(onCall) });
  const executionArn = await states.start(definition, [1, 2, 3, 4, 5]);
  const expected = await endOf(states, executionArn);
  await states[Symbol.asyncDispose]();
  expect(expected).toMatchObject({
    status: 'SUCCEEDED',
    output: { rounds: 2, data: [[2, 4, 6, 8, 10], { Error: 'Doom' }] },
  });
  expect(calls).toHaveLength(10);

  for (const [index, { path, time }] of moments.entries()) {
    const repeated: string[] = [];
    await using next = await startStatesUnderTest({
      dataDirectory: path,
      clock: new ManualClock(time + 500),
      functions: functionsWith((call) => repeated.push(call)),
    });
    expect(await endOf(next, executionArn)).toEqual(expected);
    // The request under way is sent again; what came after it is sent; what came before may be only if it was under way as well.
    expect(repeated).toEqual(expect.arrayContaining(calls.slice(index)));
    expect(repeated.length).toBeLessThanOrEqual(calls.length - index + 2);
    const ids = (await next.history(executionArn)).map(({ id }) => id);
    expect(ids).toEqual(ids.map((_, place) => place + 1));
  }
});
