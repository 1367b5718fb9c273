import { describe, expect, test } from '@jest/globals';
import { assess, everythingBut } from './assessment.ts';
import { skipped } from './skipped.ts';
import { endToEndSuites } from './suites.ts';

/** What jest reports of one file. */
const report = (tests: Record<string, string>, status = 'passed', message = '') => ({
  testResults: [
    {
      status,
      message,
      assertionResults: Object.entries(tests).map(([fullName, outcome]) => ({
        fullName,
        status: outcome,
        failureMessages: outcome === 'failed' ? ['because'] : [],
      })),
    },
  ],
});

describe('a suite', () => {
  test('is well when every test passed or is listed', () => {
    expect(assess(report({ a: 'passed', b: 'pending', c: 'passed' }), ['b'])).toEqual({ passed: 2, problems: [] });
  });

  test('fails with the reason of a test that failed', () => {
    expect(assess(report({ a: 'failed', b: 'passed' }), [])).toEqual({ passed: 1, problems: ['a: because'] });
  });

  test.each(['pending', 'todo', 'skipped'])('fails when a test is %s without being listed', (status) => {
    const { problems } = assess(report({ a: 'passed', b: status }), []);
    expect(problems).toEqual(['b: neither ran nor is listed in test/ministack/skipped.ts']);
  });

  test('fails when the list names a test that ran, or that does not exist', () => {
    const { problems } = assess(report({ a: 'passed' }), ['a', 'gone']);
    expect(problems).toEqual(['a: ran, although it is listed as skipped', 'gone: there is no such test to be skipped']);
  });

  test('fails when its file did, and when it is empty', () => {
    expect(assess(report({ a: 'passed' }, 'failed', 'no endpoint'), []).problems).toEqual(['no endpoint']);
    expect(assess(report({}), []).problems).toEqual(['there is no test in it']);
  });
});

test('the pattern matches every name but those given, whatever they contain', () => {
  const pattern = new RegExp(everythingBut(["it's (a) test", 'b.c']), 'i');
  for (const name of ["it's (a) test", 'b.c']) expect(pattern.test(name)).toBe(false);
  for (const name of ["it's (a) test too", 'not b.c', 'bxc', 'a']) expect(pattern.test(name)).toBe(true);
});

test('the list of skipped tests gives a reason for each, and names suites there are', () => {
  for (const { suite, reason } of skipped) {
    expect(endToEndSuites()).toContain(suite);
    expect(reason).toContain('MiniStack');
  }
});
