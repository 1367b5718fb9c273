import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** How a script ended, and what it printed. */
export interface ScriptResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A script of `scripts/` that is running, without a terminal. */
export interface RunningScript {
  child: ChildProcess;
  ended: Promise<ScriptResult>;
}

/**
 * Starts a script as its npm script does.
 *
 * @param name of the file, without `.ts`
 * @param environment variables to set besides this process's own
 */
export function startScript(name: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): RunningScript {
  return startCommand(process.execPath, [join(root, 'scripts', `${name}.ts`), ...args], environment);
}

/**
 * Starts a command at the root of the repository.
 *
 * @param environment variables to set besides this process's own
 */
export function startCommand(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): RunningScript {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<ScriptResult>((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs a script that ends by itself. */
export function runScript(name: string, ...args: string[]): Promise<ScriptResult> {
  return startScript(name, args).ended;
}
