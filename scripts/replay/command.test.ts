import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../test/run-script.ts';

const replay = (...args: string[]) => runScript('replay', ...args);

describe('npm run replay', () => {
  test('--help says what can be set', async () => {
    const { exitCode, stdout } = await replay('--help');
    expect(exitCode).toBe(0);
    for (const flag of ['--from', '--to', '--events', '--rules', '--dry-run', '--cancel'])
      expect(stdout).toContain(flag);
  });

  test.each([
    [[], '--from is missing'],
    [
      ['--from', 'yesterday'],
      '--from must be a time like 2026-01-31T12:00:00Z, or 2h for two hours ago, not "yesterday"',
    ],
    [['--from', '2h', '--to', 'now'], '--to must be a time like'],
    [['--from', '2h', '--events', 'A.v1,,B.v1'], '--events must be names with commas'],
    [['--form', '2h'], "Unknown option '--form'"],
    [['all'], 'all'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stderr } = await replay(...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });

  test('an endpoint where nobody answers is one line', async () => {
    const { exitCode, stderr } = await replay('--from', '2h', '--endpoint', 'http://127.0.0.1:1');
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'Asking stage dev at http://127.0.0.1:1\nNothing answers at http://127.0.0.1:1: is npm start running?\n',
    );
  });
});
