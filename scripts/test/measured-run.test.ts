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

/** It is looked at while it still has its parent, which stays until it has had the processor for a while, and 500 ms more. */
const outlived = `
  const child = ${start("{ stdio: 'ignore', detached: true }")};
  child.unref();
  const ticks = () => Number(require('node:fs').readFileSync('/proc/' + child.pid + '/stat', 'utf8').split(' ')[13]);
  const look = () => setTimeout(ticks() < 5 ? look : () => {}, ticks() < 5 ? 50 : 500);
  look();`;

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
    ['of a child that outlives it', outlived],
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
