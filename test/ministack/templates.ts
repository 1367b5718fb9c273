import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileTemplates } from '@millrace/workspace/packaging';
import { run } from './command.ts';

const STAGES = ['dev', 'staging', 'prod'];

/**
 * Runs cfn-lint on the compiled template of every service in every stage, as it would go to AWS.
 * @param options.services absolute paths of service folders
 * @param options.directory for the templates; emptied first
 * @returns the templates of `prod`, which has every safeguard
 * @throws Error with cfn-lint's findings, errors and warnings alike
 */
export async function lintTemplates(options: {
  executables: string;
  services: string[];
  cacheDirectory: string;
  directory: string;
}): Promise<string[]> {
  const { executables, services, cacheDirectory, directory } = options;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const files: string[] = [];
  for (const stage of STAGES) {
    const compiled = await compileTemplates({ directories: services, stage, region: 'us-east-1', cacheDirectory });
    for (const { stackName, template } of compiled) {
      const file = join(directory, `${stackName}.json`);
      writeFileSync(file, JSON.stringify(template, undefined, 2));
      files.push(file);
    }
  }
  await run(join(executables, 'cfn-lint'), ['--region', 'us-east-1', '--', ...files]);
  return files.filter((file) => file.endsWith('-prod.json'));
}
