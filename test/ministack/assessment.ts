/** The parts of jest's `--json` that are read. https://jestjs.io/docs/cli#--json */
export interface TestReport {
  testResults: {
    /** Why the file did not run to its end, if it did not. */
    message: string;
    status: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

/**
 * Judges a suite that ran without the tests that are listed as skipped. Nothing passes in silence: a test that neither ran
 * nor is listed is a problem, and so is an entry of the list that is out of date.
 * @param listed full names of the tests that should not have run
 * @returns the number of tests that passed, and a text for each problem
 */
export function assess({ testResults }: TestReport, listed: readonly string[]): { passed: number; problems: string[] } {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const problems = tests.flatMap(({ fullName, status, failureMessages }) => {
    if (status === 'failed') return [`${fullName}: ${failureMessages.join('\n')}`];
    if (listed.includes(fullName))
      return status === 'passed' ? [`${fullName}: ran, although it is listed as skipped`] : [];
    return status === 'passed' ? [] : [`${fullName}: neither ran nor is listed in test/ministack/skipped.ts`];
  });
  for (const name of listed) {
    if (!tests.some(({ fullName }) => fullName === name)) problems.push(`${name}: there is no such test to be skipped`);
  }
  const passed = tests.filter(({ status }) => status === 'passed').length;
  if (problems.length === 0) {
    for (const { status, message } of testResults) if (status === 'failed') problems.push(message);
    if (tests.length === 0) problems.push('there is no test in it');
  }
  return { passed, problems };
}

/** A pattern that matches every full name but these, for jest's `--testNamePattern`. */
export function everythingBut(names: readonly string[]): string {
  const literals = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `^(?!(?:${literals.join('|')})$)`;
}
