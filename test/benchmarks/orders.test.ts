import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { descendantsOf } from '../listening-ports.ts';
import { startCommand } from '../run-script.ts';
import { HELP, readOptions } from './bench-options.ts';

const root = join(import.meta.dirname, '..', '..');
const bench = (args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  startCommand(process.execPath, [join(root, 'test', 'benchmarks', 'orders.ts'), ...args], environment);
/** Those that git knows in the temporary folder. */
const worktrees = (): string[] =>
  execFileSync('git', ['-C', root, 'worktree', 'list', '--porcelain'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(temporary));

let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'bench-test-'));
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

test('--help says what can be set', () => {
  for (const flag of ['--orders', '--ref', '--compare', '--record', '--stored', '--rounds'])
    expect(HELP).toContain(flag);
});

test('two are measured with fewer orders each than one alone', () => {
  expect(readOptions([])).toMatchObject({ load: { orders: 2000, warmUp: 800, lone: 40 } });
  expect(readOptions(['--compare', 'HEAD'])).toMatchObject({ load: { orders: 400, warmUp: 300, lone: 20 }, rounds: 3 });
  expect(readOptions(['--record', '--orders', '8'])).toMatchObject({ load: { orders: 8, warmUp: 300 } });
});

test.each([
  [['--record', '--compare', 'HEAD'], 'leave --compare out'],
  [['--stored', '20000', '--ref', 'HEAD'], 'leave --ref, --compare and --record out'],
  [['--stored', '1000'], '--stored must be a whole number of at least 1001'],
  [['--rounds', '0'], '--rounds must be a whole number of at least 1'],
  [['--orders', '3'], '--orders must be a whole number of at least 4'],
])('%j is misuse', (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});

test.each(['no-such-version', '--all'])('%s is not a version', async (ref) => {
  const { exitCode, stderr } = await bench([`--ref=${ref}`]).ended;
  expect(stderr).toContain(`There is no commit "${ref}" in this repository`);
  expect(exitCode).toBe(2);
});

test('outside of a git checkout there are no versions, and that is said', async () => {
  const { exitCode, stderr } = await bench(['--compare', 'HEAD'], { GIT_DIR: join(temporary, 'none') }).ended;
  expect(stderr).toContain('is not a git checkout');
  expect(exitCode).toBe(1);
});

test('Ctrl-C removes the checkout and ends the version that runs in it', async () => {
  const { child, ended } = bench(['--ref', 'HEAD', '--orders', '100000'], { TMPDIR: temporary });
  const pids = await eventually(() => {
    const running = descendantsOf(child.pid ?? 0);
    if (!readdirSync(temporary).some((name) => name.startsWith('millrace-bench-')))
      throw new Error('nothing is started');
    if (running.length < 2) throw new Error('nothing runs');
    return running;
  });
  expect(worktrees()).toHaveLength(1);

  child.kill('SIGINT');
  const { exitCode } = await ended;

  expect(exitCode).toBe(130);
  expect(worktrees()).toEqual([]);
  await eventually(() => expect(readdirSync(temporary)).toEqual([]));
  await eventually(() => expect(pids.filter((pid) => isRunning(pid))).toEqual([]));
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
