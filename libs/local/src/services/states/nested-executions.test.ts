import { describe, expect, it } from '@jest/globals';
import { end, machine, type StatesOptions, statesForEachTest, task } from '../../../fixtures/states-under-test.ts';

const start = statesForEachTest();

/** https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html */
describe('a task that runs another machine', () => {
  const nested = async (pattern: string, inner: object, options: StatesOptions = {}) => {
    const states = await start(options);
    const StateMachineArn = await states.create(inner);
    const outer = task(`arn:aws:states:::states:startExecution${pattern}`, {
      Parameters: { StateMachineArn, 'Input.$': '$' },
    });
    return { states, outer };
  };
  const pass = machine({ A: { Type: 'Pass', Result: { made: 1 }, ...end } });

  it('goes on as soon as the other one runs', async () => {
    const { states, outer } = await nested('', machine({ W: { Type: 'Wait', Seconds: 60, ...end } }));
    const { output } = await states.run(outer);
    expect(JSON.parse(output ?? '')).toMatchObject({
      ExecutionArn: expect.stringContaining(':execution:m1:'),
      StartDate: states.clock.now(),
    });
  });

  it('waits for its end with .sync, and has its output as text; with .sync:2 as JSON', async () => {
    const { states, outer } = await nested('.sync', pass);
    expect(JSON.parse((await states.run(outer, { a: 1 })).output ?? '')).toMatchObject({
      ...{ Status: 'SUCCEEDED', Input: '{"a":1}', Output: '{"made":1}', InputDetails: { Included: true } },
    });
    const second = await nested('.sync:2', pass);
    expect(JSON.parse((await second.states.run(second.outer, { a: 1 })).output ?? '')).toMatchObject({
      Input: { a: 1 },
      Output: { made: 1 },
    });
  });

  it('fails with it', async () => {
    const { states, outer } = await nested('.sync', machine({ F: { Type: 'Fail', Error: 'Inner', Cause: 'broken' } }));
    const { error, cause } = await states.run(outer);
    expect(error).toBe('States.TaskFailed');
    expect(JSON.parse(cause ?? '')).toMatchObject({ Status: 'FAILED', Error: 'Inner', Cause: 'broken' });
  });

  it('stops it when it is stopped itself', async () => {
    const { states, outer } = await nested('.sync', machine({ W: { Type: 'Wait', Seconds: 600, ...end } }));
    const executionArn = await states.start(outer);
    await states.settle();
    await states.invoke('StopExecution', { executionArn });
    await states.settle();
    const stateMachineArn = 'arn:aws:states:eu-central-1:000000000000:stateMachine:m1';
    const { executions } = await states.invoke('ListExecutions', { stateMachineArn });
    expect(executions).toMatchObject([{ status: 'ABORTED' }]);
  });
});
