import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assess, everythingBut, type TestReport } from './assessment.ts';
import { run } from './command.ts';
import type { Skip } from './skipped.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'test', 'end-to-end');

/** The names of the end-to-end suites: their files without `.test.ts`. */
export function endToEndSuites(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.test\.ts$/, ''))
    .sort();
}

/** How a suite ended. */
export interface SuiteResult {
  suite: string;
  passed: number;
  skipped: Skip[];
  /** One text per test that failed, and per one that was neither run nor listed as skipped. */
  problems: string[];
  seconds: number;
}

/**
 * Runs one suite against a deployed system, without the tests that are listed as skipped.
 * @param environment tells the suite the system's endpoints
 * @param resultFile is written and removed
 */
export async function runSuite(
  suite: string,
  skips: readonly Skip[],
  environment: NodeJS.ProcessEnv,
  resultFile: string,
): Promise<SuiteResult> {
  const startedAt = performance.now();
  const result = (passed: number, problems: string[]): SuiteResult => ({
    suite,
    passed,
    skipped: skips.filter((skip) => skip.suite === suite),
    problems,
    seconds: (performance.now() - startedAt) / 1000,
  });
  const listed = skips.filter((skip) => skip.suite === suite);
  if (listed.some(({ test }) => test === undefined)) return result(0, []);

  const names = listed.flatMap(({ test }) => test ?? []);
  rmSync(resultFile, { force: true });
  const failure = await run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...['--selectProjects', 'test', '--json', `--outputFile=${resultFile}`],
      ...(names.length > 0 ? ['--testNamePattern', everythingBut(names)] : []),
      ...['--runTestsByPath', join(folder, `${suite}.test.ts`)],
    ],
    { cwd: root, env: environment },
  ).then(
    () => undefined,
    (error: Error) => error.message,
  );

  let report: TestReport;
  try {
    report = JSON.parse(readFileSync(resultFile, 'utf8'));
  } catch {
    return result(0, [`did not run: ${failure}`]);
  }
  rmSync(resultFile, { force: true });
  const { passed, problems } = assess(report, names);
  return result(passed, problems);
}

/** Entries of the list that name no suite there is. */
export function unknownSkips(skips: readonly Skip[]): string[] {
  const suites = endToEndSuites();
  return skips
    .filter(({ suite }) => !suites.includes(suite))
    .map(({ suite }) => `${suite}: is listed as skipped, but there is no such suite`);
}
