import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { formatTimes, runMeasured } from './measured-run.ts';
import { ProcessTree } from './process-tree.ts';

const BUSY_SECONDS = 0.6;
const busy = `const end = process.cpuUsage().user + ${BUSY_SECONDS * 1e6}; while (process.cpuUsage().user < end);`;
/** A child that keeps the processor busy, and is waited for or not. */
const start = (options: string): string =>
  `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(busy)}], ${options})`;

describe('what a run takes', () => {
  test('is its exit code and its time', async () => {
    expect(await runMeasured(process.execPath, ['-e', 'process.exit(3)'])).toMatchObject({ exitCode: 3 });
    expect(formatTimes({ wallSeconds: 12.4, cpuSeconds: 20.6 })).toBe('12 s, 21 s of CPU');
    expect(formatTimes({ wallSeconds: 12.4, cpuSeconds: undefined })).toBe('12 s');
  });

  if (!existsSync('/proc/self/stat')) return;

  test.each([
    ['of the command', busy],
    ['of a child that it waits for', start("{ stdio: 'ignore' }")],
    // It is looked at while it still has its parent.
    [
      'of a child that outlives it',
      `${start("{ stdio: 'ignore', detached: true }")}.unref(); setTimeout(() => {}, 1_000)`,
    ],
  ])('is the CPU time %s', async (_, code) => {
    const { cpuSeconds } = await runMeasured(process.execPath, ['-e', code]);
    expect(cpuSeconds).toBeGreaterThan(BUSY_SECONDS * 0.9);
  });
});

test('a process that is not below is not looked at', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  try {
    await eventually(() => expect(new ProcessTree(process.pid).sample()).toBeGreaterThan(0));
    expect(new ProcessTree(other.pid ?? 0).sample()).toBe(0);
  } finally {
    other.kill('SIGKILL');
    await once(other, 'exit');
  }
});
