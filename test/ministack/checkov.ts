import { join } from 'node:path';
import { run } from './command.ts';

/** Checks of Checkov that are left out on purpose, each with its reason. `npm run test:ministack` prints them. */
export const skippedChecks: Readonly<Record<string, string>> = {
  CKV_AWS_117:
    'Lambda in a VPC: the functions call AWS alone, over TLS and by permissions. A VPC would add gateways to pay for, and no server to protect.',
  CKV_AWS_116:
    'A dead-letter queue of the function is for asynchronous invocations. None has any: queues and streams bring their own, routes wait for the answer. The rule dead-letter-queues looks at every hop.',
  CKV_AWS_115:
    'Reserved concurrency is taken from all other functions of the account, and a new account has ten in all, so that nothing could be deployed. Consumers have a maximum concurrency of their own, routes a limit of requests; the rules maximum-concurrency and route-limits look at both.',
  CKV_AWS_18:
    'A log of who reads the bucket of a deployment: it holds the code and templates of this repository, and is private. CloudTrail has who deployed.',
  CKV_AWS_7:
    'AWS rotates no HMAC key, and with another one every person would have another pseudonym: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html. That the keys which encrypt are rotated is what the rule resource-shapes asks for.',
  CKV_AWS_111:
    'An SMS has no ARN, so sns:Publish is allowed on *; the next statement denies every topic, which Checkov does not read. The rule outgoing-messages does.',
};

/** It asks its vendor for guidelines unless it is told not to; whatever else it may ask ends here. */
const nowhere = 'http://127.0.0.1:9';

/**
 * Runs Checkov on compiled templates, without asking any server.
 * @param options.executables of the environment that has it
 * @param options.files the templates
 * @returns how many checks passed
 * @throws Error with a line for each check that fails and is not skipped, and for each skipped check that never fails
 */
export async function judgeTemplates(options: { executables: string; files: readonly string[] }): Promise<number> {
  const { executables, files } = options;
  const output = await run(
    join(executables, 'checkov'),
    [
      ...files.flatMap((file) => ['--file', file]),
      ...[
        '--framework',
        'cloudformation',
        '--output',
        'json',
        '--quiet',
        '--compact',
        '--skip-download',
        '--soft-fail',
      ],
    ],
    { env: { ...process.env, BC_SKIP_MAPPING: 'true', HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere } },
  );
  const { passed, failed } = readReport(output);
  const problems = failed
    .filter(({ check_id }) => skippedChecks[check_id] === undefined)
    .map(({ check_id, check_name, file_path, resource }) => `${file_path}: ${resource}: ${check_name} (${check_id})`);
  const needless = Object.keys(skippedChecks)
    .filter((id) => failed.every(({ check_id }) => check_id !== id))
    .map((id) => `${id} is skipped, and nothing fails it: take it out of test/ministack/checkov.ts`);
  if (problems.length + needless.length > 0) throw new Error([...problems, ...needless].join('\n'));
  return passed;
}

interface FailedCheck {
  check_id: string;
  check_name: string;
  file_path: string;
  resource: string;
}

function readReport(output: string): { passed: number; failed: FailedCheck[] } {
  const text = output.slice(output.indexOf('{'));
  const report = JSON.parse(text) as {
    summary?: { passed: number; parsing_errors: number };
    results?: { failed_checks: FailedCheck[] };
  };
  if (!report.summary || !report.results || report.summary.passed === 0 || report.summary.parsing_errors > 0) {
    throw new Error(`Checkov has not judged the templates:\n${output}`);
  }
  return { passed: report.summary.passed, failed: report.results.failed_checks };
}
