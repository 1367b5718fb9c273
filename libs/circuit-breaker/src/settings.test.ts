import { expect, test } from '@jest/globals';
import { circuitSettingsFromEnvironment } from './index.ts';

const variables = { MILLRACE_CIRCUIT_MINIMUM_CALLS: '4', MILLRACE_CIRCUIT_OPEN_SECONDS: '30' };

test('the stage says when a circuit may open, and for how long', () => {
  expect(circuitSettingsFromEnvironment(variables)).toMatchObject({ minimumCalls: 4, openMs: 30_000 });
});

test.each([
  ['MILLRACE_CIRCUIT_MINIMUM_CALLS', undefined],
  ['MILLRACE_CIRCUIT_MINIMUM_CALLS', '0'],
  ['MILLRACE_CIRCUIT_MINIMUM_CALLS', '2.5'],
  ['MILLRACE_CIRCUIT_OPEN_SECONDS', '301'],
  ['MILLRACE_CIRCUIT_OPEN_SECONDS', 'soon'],
])('%s cannot be %s', (name, value) => {
  expect(() => circuitSettingsFromEnvironment({ ...variables, [name]: value })).toThrow(
    `${name} must be a whole number`,
  );
});
