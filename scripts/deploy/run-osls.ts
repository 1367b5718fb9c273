import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const osls = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');

/**
 * Runs `sls` in a service's folder.
 * @param onLine gets its output line by line
 * @returns its exit code
 */
export function runOsls(
  args: readonly string[],
  options: { directory: string; environment: NodeJS.ProcessEnv; onLine: (line: string) => void },
): Promise<number> {
  const child = spawn(process.execPath, [osls, ...args], {
    cwd: options.directory,
    env: options.environment,
    // osls waits for what comes from an open standard input.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      if (line.trim() !== '') options.onLine(line);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Stacks that are changed side by side; CloudFormation throttles callers that ask too often. */
const atOnce = 4;

/** Runs a task for each stack, some of them side by side, and returns those whose task gave another exit code than 0. */
export async function runEach<T>(items: readonly T[], task: (item: T) => Promise<number>): Promise<T[]> {
  const waiting = [...items];
  const failed: T[] = [];
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      if ((await task(item)) !== 0) failed.push(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return failed;
}
