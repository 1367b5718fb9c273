import { describe, expect, it } from '@jest/globals';
import { end, functionArn, machine, pass, statesForEachTest, waiting } from '../../../fixtures/states-under-test.ts';

const start = statesForEachTest();

/** https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html */
describe('RedriveExecution', () => {
  it('goes on at the state that failed, with what the states before it have made', async () => {
    let failures = 1;
    const flaky = () => {
      failures -= 1;
      if (failures >= 0) throw Object.assign(new Error('not yet'), { name: 'Flaky' });
      return 'done';
    };
    const { run, describe: seen, history, invoke, settle } = await start({ functions: { flaky } });
    const { executionArn, status } = await run(
      machine({
        A: { Type: 'Pass', Result: 1, Next: 'T' },
        T: { Type: 'Task', Resource: functionArn('flaky'), ...end },
      }),
    );
    expect(status).toBe('FAILED');
    await invoke('RedriveExecution', { executionArn });
    await settle();
    expect(await seen(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '"done"', redriveCount: 1 });
    expect((await history(executionArn)).map(({ type }) => type).slice(5)).toEqual([
      ...['LambdaFunctionStarted', 'LambdaFunctionFailed', 'ExecutionFailed', 'ExecutionRedriven'],
      ...[
        'LambdaFunctionScheduled',
        'LambdaFunctionStarted',
        'LambdaFunctionSucceeded',
        'TaskStateExited',
        'ExecutionSucceeded',
      ],
    ]);
  });

  it('runs only the iterations that have not succeeded again', async () => {
    const runs: unknown[] = [];
    let isDown = true;
    const check = (item: unknown) => {
      runs.push(item);
      if (item === 2 && isDown) throw Object.assign(new Error('down'), { name: 'Down' });
      return item;
    };
    const { run, describe: seen, invoke, settle } = await start({ functions: { check } });
    const ItemProcessor = machine({ T: { Type: 'Task', Resource: functionArn('check'), ...end } });
    const { executionArn } = await run(
      machine({ M: { Type: 'Map', MaxConcurrency: 1, ItemProcessor, ...end } }),
      [1, 2, 3],
    );
    isDown = false;
    await invoke('RedriveExecution', { executionArn });
    await settle();
    expect(await seen(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: '[1,2,3]' });
    expect(runs).toEqual([1, 2, 2, 3]);
  });

  it('asked for twice at once is done once', async () => {
    const { run, describe: seen, invoke, settle } = await start();
    const { executionArn } = await run(machine({ F: { Type: 'Fail' } }));
    const asked = await Promise.allSettled([1, 2].map(() => invoke('RedriveExecution', { executionArn })));
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await settle();
    expect(await seen(executionArn)).toMatchObject({ status: 'FAILED', redriveCount: 1 });
  });

  it('is refused for an execution that runs, has succeeded, or ended two weeks ago', async () => {
    const { run, start: begin, invoke, clock } = await start();
    const refused = { code: 'ExecutionNotRedrivable' };
    const running = await begin(waiting(10));
    await expect(invoke('RedriveExecution', { executionArn: running })).rejects.toMatchObject(refused);
    const { executionArn: succeeded } = await run(pass);
    await expect(invoke('RedriveExecution', { executionArn: succeeded })).rejects.toMatchObject(refused);
    const { executionArn: failed } = await run(machine({ F: { Type: 'Fail' } }));
    await clock.advance(15 * 86_400_000);
    await expect(invoke('RedriveExecution', { executionArn: failed })).rejects.toMatchObject(refused);
  });
});
