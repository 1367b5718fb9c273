import { describe, expect, it } from '@jest/globals';
import { StateFailure } from '@millrace/states-language';
import { end, functionArn, machine, statesForEachTest } from '../../../fixtures/states-under-test.ts';
import { findRetry, matchesError } from './engine/retry.ts';

const start = statesForEachTest();

const fail = (error: string) => () => {
  throw Object.assign(new Error(`${error} happened`), { name: error });
};

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
describe('an error name', () => {
  it.each<[string, string[], boolean]>([
    ['Boom', ['Boom'], true],
    ['Boom', ['Other'], false],
    ['Boom', ['States.ALL'], true],
    ['Boom', ['States.TaskFailed'], true],
    ['States.Timeout', ['States.TaskFailed'], false],
    ['States.Timeout', ['States.ALL'], true],
    ['States.DataLimitExceeded', ['States.ALL'], false],
    ['States.DataLimitExceeded', ['States.DataLimitExceeded'], true],
    ['States.Runtime', ['States.ALL'], false],
    ['States.Runtime', ['States.Runtime'], false],
    ['States.QueryEvaluationError', ['States.ALL'], true],
  ])('%s is matched by %j: %s', (error, errors, expected) => {
    expect(matchesError(errors, { error, alias: undefined })).toBe(expected);
  });

  it('of a missed heartbeat is both that of a timeout and its own', () => {
    const missed = { error: 'States.Timeout', alias: 'States.HeartbeatTimeout' };
    expect(matchesError(['States.HeartbeatTimeout'], missed)).toBe(true);
    expect(matchesError(['States.Timeout'], missed)).toBe(true);
  });
});

describe('a retrier', () => {
  const retrier = {
    errors: ['A'],
    intervalSeconds: 3,
    maxAttempts: 4,
    backoffRate: 2,
    maxDelaySeconds: undefined,
    hasFullJitter: false,
  };
  const delays = (own: object, random = 1) =>
    [0, 1, 2, 3, 4].map(
      (used) => findRetry([{ ...retrier, ...own }], new StateFailure('A', ''), [used], () => random)?.delaySeconds,
    );

  it('waits longer each time, up to its longest delay, until it is used up', () => {
    expect(delays({})).toEqual([3, 6, 12, 24, undefined]);
    expect(delays({ maxDelaySeconds: 10 })).toEqual([3, 6, 10, 10, undefined]);
    expect(delays({ backoffRate: 1, maxAttempts: 2 })).toEqual([3, 3, undefined, undefined, undefined]);
  });

  it('with full jitter waits between nothing and that', () => {
    expect(delays({ hasFullJitter: true, maxAttempts: 2 }, 0.5)).toEqual([1.5, 3, undefined, undefined, undefined]);
  });

  it('that matches first decides, also when it is used up', () => {
    const others = [retrier, { ...retrier, errors: ['States.ALL'] }];
    expect(findRetry(others, new StateFailure('A', ''), [4, 0], () => 1)).toBeUndefined();
    expect(findRetry(others, new StateFailure('B', ''), [4, 1], () => 1)).toEqual({ index: 1, delaySeconds: 6 });
  });
});

describe('a task that fails', () => {
  const task = (name: string, fields: object) =>
    machine({ T: { Type: 'Task', Resource: functionArn(name), ...end, ...fields } });

  it('is retried at the times that its retrier says, with the count in the context object', async () => {
    const seen: unknown[] = [];
    const count = (event: unknown) => {
      seen.push([event, clock.now() - began]);
      return fail('Busy')();
    };
    const { run, clock } = await start({ functions: { count } });
    const began = clock.now();
    const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 2, BackoffRate: 3, MaxAttempts: 2 }];
    expect(await run(task('count', { Parameters: { 'n.$': '$$.State.RetryCount' }, Retry }))).toMatchObject({
      status: 'FAILED',
      error: 'Busy',
    });
    expect(seen).toEqual([
      [{ n: 0 }, 0],
      [{ n: 1 }, 2000],
      [{ n: 2 }, 8000],
    ]);
  });

  it('leaves its error where its catcher says', async () => {
    const { run } = await start({ functions: { boom: fail('Boom') } });
    const caught = (fields: object) => ({
      ...machine({
        T: {
          Type: 'Task',
          Resource: functionArn('boom'),
          Catch: [{ ErrorEquals: ['Boom'], Next: 'B', ...fields }],
          ...end,
        },
        B: { Type: 'Pass', ...end },
      }),
    });
    const output = async (fields: object) => JSON.parse((await run(caught(fields), { kept: 1 })).output ?? 'null');
    const error = { Error: 'Boom', Cause: '{"errorType":"Boom","errorMessage":"Boom happened","trace":[]}' };
    expect(await output({})).toEqual(error);
    expect(await output({ ResultPath: '$.failure' })).toEqual({ kept: 1, failure: error });
    expect(await output({ ResultPath: null })).toEqual({ kept: 1 });
  });

  it('in JSONata leaves what the catcher makes of the error, and assigns', async () => {
    const { run } = await start({ functions: { boom: fail('Boom') } });
    const Catch = [
      {
        ErrorEquals: ['States.ALL'],
        Assign: { e: '{% $states.errorOutput.Error %}' },
        Output: '{% $states.input.kept %}',
        Next: 'B',
      },
    ];
    const { output } = await run(
      machine(
        {
          T: { Type: 'Task', Resource: functionArn('boom'), Catch, ...end },
          B: { Type: 'Pass', Output: '{% [$states.input, $e] %}', ...end },
        },
        { QueryLanguage: 'JSONata' },
      ),
      { kept: 1 },
    );
    expect(output).toBe('[1,"Boom"]');
  });

  it('whose catcher fails itself is not given to the next catcher', async () => {
    const { run } = await start({ functions: { boom: fail('Boom') } });
    const Catch = [
      { ErrorEquals: ['Boom'], Output: '{% $nope %}', Next: 'B' },
      { ErrorEquals: ['States.ALL'], Next: 'B' },
    ];
    expect(
      await run(
        machine(
          { T: { Type: 'Task', Resource: functionArn('boom'), Catch, ...end }, B: { Type: 'Succeed' } },
          { QueryLanguage: 'JSONata' },
        ),
      ),
    ).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  });

  it('by answering more than 256 KiB is not caught by States.ALL', async () => {
    const large = () => 'a'.repeat(262_143);
    const { run } = await start({ functions: { large } });
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];
    expect(
      await run(
        machine({ T: { Type: 'Task', Resource: functionArn('large'), Catch, ...end }, B: { Type: 'Succeed' } }),
      ),
    ).toMatchObject({
      error: 'States.DataLimitExceeded',
      cause: `The state/task '${functionArn('large')}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    });
  });
});

describe('a Parallel state of which a branch fails', () => {
  const branches = [
    machine({ F: { Type: 'Fail', Error: 'Boom' } }),
    machine({ W: { Type: 'Wait', Seconds: 600, ...end } }),
  ];

  it('ends the other branches at once', async () => {
    const { run, history, clock } = await start();
    const began = clock.now();
    const { executionArn, error } = await run(
      machine({ P: { Type: 'Parallel', Branches: branches.toReversed(), ...end } }),
    );
    expect([error, clock.now() - began]).toEqual(['Boom', 0]);
    expect((await history(executionArn)).map(({ type }) => type)).toEqual([
      ...['ExecutionStarted', 'ParallelStateEntered', 'ParallelStateStarted', 'WaitStateEntered', 'FailStateEntered'],
      ...['WaitStateAborted', 'ParallelStateFailed', 'ExecutionFailed'],
    ]);
  });

  it('is retried as a whole, and caught', async () => {
    const { run, history } = await start();
    const Retry = [{ ErrorEquals: ['Boom'], MaxAttempts: 1 }];
    const Catch = [{ ErrorEquals: ['Boom'], Next: 'C' }];
    const { executionArn, output } = await run(
      machine({ P: { Type: 'Parallel', Branches: branches, Retry, Catch, ...end }, C: { Type: 'Pass', ...end } }),
    );
    expect(output).toBe('{"Error":"Boom"}');
    const types = (await history(executionArn)).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('Parallel'))).toEqual([
      ...[
        'ParallelStateEntered',
        'ParallelStateStarted',
        'ParallelStateStarted',
        'ParallelStateFailed',
        'ParallelStateExited',
      ],
    ]);
  });
});

describe('a Map state', () => {
  const iterate = (fields: object, ItemProcessor: object) =>
    machine({ M: { Type: 'Map', ItemProcessor, ...end, ...fields } });

  it('runs no more iterations at once than it may, and keeps the order of its items', async () => {
    let running = 0;
    let most = 0;
    const work = async (n: unknown) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((done) => setImmediate(done));
      running -= 1;
      return Number(n) * 10;
    };
    const { run } = await start({ functions: { work } });
    const processor = machine({ T: { Type: 'Task', Resource: functionArn('work'), ...end } });
    expect(await run(iterate({ MaxConcurrency: 2 }, processor), [1, 2, 3, 4, 5])).toMatchObject({
      output: '[10,20,30,40,50]',
    });
    expect(most).toBe(2);
    const many = Array.from({ length: 100 }, (_, index) => index);
    await run(iterate({}, processor), many);
    expect(most).toBe(40);
  });

  it('sees the innermost item in nested iterations, and variables of the states around it', async () => {
    const { run } = await start();
    const inner = machine({
      P: { Type: 'Pass', Parameters: { 'v.$': '$$.Map.Item.Value', 'outer.$': '$outer' }, ...end },
    });
    const { output } = await run(
      machine({
        A: { Type: 'Pass', Assign: { outer: 'x' }, Next: 'N' },
        N: { Type: 'Map', ItemProcessor: iterate({}, inner), ...end },
      }),
      [[1], [2]],
    );
    expect(JSON.parse(output ?? '')).toEqual([[{ v: 1, outer: 'x' }], [{ v: 2, outer: 'x' }]]);
  });

  it('fails at the first iteration that fails, whatever else runs', async () => {
    const { run, history } = await start();
    const processor = machine({
      C: { Type: 'Choice', Choices: [{ Variable: '$', NumericEquals: 2, Next: 'F' }], Default: 'W' },
      F: { Type: 'Fail', Error: 'Two' },
      W: { Type: 'Wait', Seconds: 60, ...end },
    });
    const { executionArn, error } = await run(iterate({}, processor), [1, 2, 3]);
    expect(error).toBe('Two');
    const types = (await history(executionArn)).map(({ type }) => type);
    expect(types.slice(-7)).toEqual([
      // The third item has not come to its Wait state.
      ...['FailStateEntered', 'MapIterationFailed', 'MapIterationAborted', 'WaitStateAborted', 'MapIterationAborted'],
      ...['MapStateFailed', 'ExecutionFailed'],
    ]);
  });
});
