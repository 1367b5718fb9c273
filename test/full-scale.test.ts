import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { fullScaleSuites, suitesToLeaveOut } from './full-scale.ts';

const root = join(import.meta.dirname, '..');
const isLeftOut = (file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  suitesToLeaveOut(args, environment).some((pattern) => new RegExp(pattern).test(join(root, file)));

test('every suite of full scale is there', () => {
  const missing = Object.values(fullScaleSuites).filter((file) => !existsSync(join(root, file)));
  expect(missing).toEqual([]);
});

test('npm test leaves them out, and test:all does not', () => {
  for (const file of Object.values(fullScaleSuites)) {
    expect(isLeftOut(file, [])).toBe(true);
    expect(isLeftOut(file, ['test/end-to-end', '--selectProjects', 'test'])).toBe(true);
    expect(isLeftOut(file, [], { MILLRACE_TESTS: 'all' })).toBe(false);
  }
});

test('one that the command line names is run', () => {
  expect(isLeftOut('test/hostile/hostile.test.ts', ['test/hostile'])).toBe(false);
  expect(isLeftOut('test/end-to-end/privacy.test.ts', ['--runTestsByPath', '/x/privacy.test.ts'])).toBe(false);
  expect(isLeftOut('test/end-to-end/privacy.test.ts', ['test/hostile'])).toBe(true);
});

test('nothing else is left out', () => {
  for (const file of [
    'test/end-to-end/order-flow.test.ts',
    'test/hostile/ledger.test.ts',
    'libs/privacy/src/a.test.ts',
  ]) {
    expect(isLeftOut(file, [])).toBe(false);
  }
});
