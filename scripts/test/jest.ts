import { join } from 'node:path';
import { type MeasuredRun, runMeasured } from './measured-run.ts';

const jest = join(import.meta.dirname, '..', '..', 'node_modules', 'jest', 'bin', 'jest.js');

/**
 * Runs Jest and measures it.
 * @param environment variables to set besides those of this process
 */
export function runJest(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<MeasuredRun> {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  return runMeasured(process.execPath, [...flags, jest, ...args], environment);
}
