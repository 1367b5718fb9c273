import { expect, test } from '@jest/globals';
import { functionArn, machine, statesForEachTest } from '../../../fixtures/states-under-test.ts';
import { Usage } from '../../core/usage.ts';

const start = statesForEachTest();

// https://aws.amazon.com/step-functions/pricing/
test('each state, each retry and the end of a Standard execution are state transitions', async () => {
  const usage = new Usage();
  let calls = 0;
  const flaky = () => {
    calls += 1;
    if (calls === 1) throw Object.assign(new Error('not now'), { name: 'NotNow' });
  };
  const { run } = await start({ functions: { flaky }, usage });

  await run(
    machine({
      Begin: { Type: 'Pass', Next: 'Call' },
      Call: { Type: 'Task', Resource: functionArn('flaky'), Retry: [{ ErrorEquals: ['NotNow'] }], End: true },
    }),
  );

  expect(usage.total('states.transitions')).toBe(4);
});
