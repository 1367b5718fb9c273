import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ProcessTree } from './process-tree.ts';

/** How a command ended, and what it took. */
export interface MeasuredRun {
  exitCode: number;
  wallSeconds: number;
  /** Of the command and everything that it started; undefined where the system has no /proc. */
  cpuSeconds: number | undefined;
}

const SAMPLE_EVERY_MS = 250;
/** What the command leaves behind ends by itself, a little later, and is looked at more often until then. */
const END_WITHIN_MS = 5_000;
const SAMPLE_ENDING_EVERY_MS = 25;

/**
 * Runs a command with the terminal of this process and measures it.
 *
 * @param environment variables to set besides those of this process
 * @throws Error when it cannot be started
 * @example const { exitCode } = await runMeasured(process.execPath, ['--version']);
 */
export async function runMeasured(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<MeasuredRun> {
  const started = performance.now();
  const tree = new ProcessTree(process.pid);
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  // The terminal sends Ctrl-C to the command as well, which ends as it likes to; a termination is passed on.
  const onInterrupt = (): void => {};
  const onTermination = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTermination);
  const timer = setInterval(() => tree.sample(), SAMPLE_EVERY_MS);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const wallSeconds = (performance.now() - started) / 1000;
    const ending = performance.now();
    while (tree.sample() > 0 && performance.now() - ending < END_WITHIN_MS) await delay(SAMPLE_ENDING_EVERY_MS);
    return { exitCode: code ?? (signal === 'SIGINT' ? 130 : 1), wallSeconds, cpuSeconds: tree.seconds() };
  } finally {
    clearInterval(timer);
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTermination);
  }
}

/** One line of what a run took. */
export function formatTimes({ wallSeconds, cpuSeconds }: Pick<MeasuredRun, 'wallSeconds' | 'cpuSeconds'>): string {
  const cpu = cpuSeconds === undefined ? '' : `, ${cpuSeconds.toFixed(0)} s of CPU`;
  return `${wallSeconds.toFixed(0)} s${cpu}`;
}
