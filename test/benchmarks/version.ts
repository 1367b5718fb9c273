import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';
import type { ReadyFile } from '../running-start.ts';

/** A local cloud that is running: its addresses, and its process. */
export interface RunningVersion extends ReadyFile, AsyncDisposable {
  messagesUrl: string;
  /** From the command to ready. */
  startSeconds: number;
}

/** Packaging may come first. */
const READY_WITHIN_MS = 300_000;
/** Of a stop. After it the process is killed. */
const END_WITHIN_MS = 20_000;

/**
 * Starts the local cloud of a checkout on free ports, as its own `npm start` does: with its own Node and its own packages, in a process of
 * its own that ends with this one.
 *
 * @param checkout root of a working tree with its dependencies
 * @param args for `npm start`, besides the ports
 * @param signal ends it
 * @throws Error with what it printed, when it ends before it is ready
 * @example await using cloud = await startVersion({ checkout: root });
 */
export async function startVersion(
  { checkout, args = [] }: { checkout: string; args?: readonly string[] },
  signal?: AbortSignal,
): Promise<RunningVersion> {
  signal?.throwIfAborted();
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const [readyFile, logFile] = [join(folder, 'ready.json'), join(folder, 'log')];
  const log = openSync(logFile, 'w');
  const given = ['--api-port', '0', '--aws-port', '0', '--ready-file', readyFile, ...args];
  const child = spawn(join(checkout, 'node_modules', '.bin', 'node'), [...startScriptOf(checkout), ...given], {
    cwd: checkout,
    env: ownEnvironment(),
    // By the channel it learns that this process has ended.
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const exited = once(child, 'exit').catch(() => undefined);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
      await exited;
      clearTimeout(timer);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  try {
    const ready = await eventually(
      () => {
        if (signal?.aborted || !isRunning()) return undefined;
        return JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile;
      },
      { deadlineMs: READY_WITHIN_MS, intervalMs: 50, ...(signal && { signal }) },
    );
    signal?.throwIfAborted();
    if (!ready)
      throw new Error(`npm start in ${checkout} ended before it was ready:\n${readFileSync(logFile, 'utf8')}`);
    const messagesUrl = `${ready.awsUrl}/_local/messages`;
    // The first versions name neither their issuer nor their process.
    const issuerUrl = ready.issuerUrl ?? `${ready.awsUrl}/_local/issuer`;
    const pid = ready.pid ?? child.pid;
    const startSeconds = (performance.now() - started) / 1000;
    return { ...ready, issuerUrl, pid, messagesUrl, startSeconds, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * What `npm start` of a checkout runs.
 * @throws Error when that is something else than a script of Node
 */
function startScriptOf(checkout: string): string[] {
  const { scripts = {} } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>;
  };
  const [command, ...args] = (scripts.start ?? '').split(' ');
  if (command === 'node') return args;
  throw new Error(`npm start in ${checkout} is "${scripts.start ?? ''}": a script that is run by node can be measured`);
}

/** Without what npm has told this process of its own package. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
}
