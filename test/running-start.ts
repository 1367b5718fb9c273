import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@millrace/testing';
import { type RunningScript, startCommand, startScript } from './run-script.ts';

/** What `npm start` writes into its ready file. */
export interface ReadyFile {
  apiUrl: string;
  awsUrl: string;
  issuerUrl: string;
  pid: number;
}

/** `npm start` on free ports, in a process of its own. */
export interface RunningStart extends RunningScript {
  ready: ReadyFile;
}

/** Packaging may come first, on a machine that does other things as well. */
const READY_WITHIN_MS = 180_000;

export interface StartOptions {
  /** Besides `--cold` and free ports. */
  args?: readonly string[];
  environment?: NodeJS.ProcessEnv;
  /** Runs `npm start` itself, rather than what it runs. */
  byNpm?: boolean;
}

/**
 * Starts `npm start -- --cold` on free ports and waits until it is ready.
 *
 * @throws Error with what it printed when it ends before
 * @example
 * const { ready, child } = await startMillrace();
 */
export async function startMillrace({
  args = [],
  environment = {},
  byNpm = false,
}: StartOptions = {}): Promise<RunningStart> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  const readyFile = join(folder, 'ready.json');
  const given = ['--cold', '--api-port', '0', '--aws-port', '0', '--ready-file', readyFile, ...args];
  const script = byNpm
    ? startCommand('npm', ['start', '--', ...given], environment)
    : startScript('start', given, environment);
  let output: string | undefined;
  void script.ended.then(({ exitCode, stdout, stderr }) => {
    output = `npm start ended with ${exitCode}:\n${stdout}\n${stderr}`;
  });
  try {
    const text = await eventually(async () => output ?? readFile(readyFile, 'utf8'), {
      deadlineMs: READY_WITHIN_MS,
      intervalMs: 50,
    });
    if (output !== undefined) throw new Error(output);
    return { ...script, ready: JSON.parse(text) as ReadyFile };
  } catch (error) {
    script.child.kill('SIGKILL');
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
