import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { findPython } from './python.ts';

/**
 * A Python virtual environment with exactly what a requirements file of this folder lists. It is used again until that file or the Python
 * changes.
 * @param directory is made, or emptied when it holds another one
 * @param requirements name of the file, e.g. `requirements.txt`
 * @param log gets a line when something has to be installed
 * @returns the folder of its executables
 * @throws Error when there is no Python for it, or pip fails
 */
export async function virtualEnvironment(
  directory: string,
  requirements: string,
  log: (line: string) => void,
): Promise<string> {
  const requirementsFile = join(import.meta.dirname, requirements);
  const { executable, version } = findPython();
  const contents = createHash('sha256').update(readFileSync(requirementsFile)).update(`${executable} ${version}`);
  const fingerprint = contents.digest('hex');
  // Written last: a run that was interrupted leaves none.
  const marker = join(directory, 'requirements.sha256');
  const executables = join(directory, 'bin');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === fingerprint) return executables;

  log(`Installing ${requirements} for Python ${version}`);
  rmSync(directory, { recursive: true, force: true });
  await run(executable, ['-m', 'venv', directory]);
  const pip = ['-m', 'pip', '--disable-pip-version-check', '--quiet'];
  await run(join(executables, 'python'), [...pip, 'install', '--no-deps', '--requirement', requirementsFile]);
  await run(join(executables, 'python'), [...pip, 'check']);
  writeFileSync(marker, fingerprint);
  return executables;
}
