import { type ChildProcess, spawn } from 'node:child_process';

/** What a command printed, standard output and error together. */
export type Output = string;

const running = new Set<ChildProcess>();

/**
 * Runs a command to its end, with nothing on its standard input.
 * @throws Error with the command line and everything it printed, when it fails or takes longer than `timeoutMs`
 */
export async function run(
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Output> {
  const { timeoutMs = 600_000, ...rest } = options;
  const child = spawn(file, args, { ...rest, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...ended) => resolve(ended));
    });
    if (code !== 0) throw new Error(`${[file, ...args].join(' ')} ended with ${code ?? signal}:\n${output}`);
    return output;
  } finally {
    running.delete(child);
  }
}

/** Ends every command that is still running. */
export function endCommands(): void {
  for (const child of running) child.kill('SIGTERM');
}
