import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { services } from '@millrace/local/services';
import { type Documents, runGenerator } from '../generated-documents/index.ts';
import { readBehaviours } from './read-behaviours.ts';
import { behavioursPage, type DescribedService, summary, withTables } from './tables.ts';

const HELP = `Writes the tables of what the local cloud does as AWS documents it, and of what differs: docs/local-cloud-behaviours.md and a part of
libs/local/README.md. They follow from the titles of the tests, the pages of AWS above them, and the differences that services name.

Usage: npm run behaviours -- [--check]

  --check  write nothing, and exit with 1 when a table is out of date
  --help   this text`;

const PAGE = 'docs/local-cloud-behaviours.md';
const README = 'libs/local/README.md';
/** Of services whose name in signatures is not that of their folder. */
const FOLDERS: Readonly<Record<string, string>> = { monitoring: 'cloudwatch', apigateway: 'http-api' };
/** Libraries that behave for a service as AWS documents it. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = { states: ['libs/states-language/src'] };

/** The documents as they should be, by their path in the repository. */
export function documents(root: string): Documents {
  const described = services.map(({ name: signature, differences = [] }): DescribedService => {
    const name = FOLDERS[signature] ?? signature;
    const behaviours = testsOf(root, name).flatMap((file) => readBehaviours(readFileSync(file, 'utf8')));
    return { name, differences, behaviours };
  });
  const readme = readFileSync(join(root, README), 'utf8');
  return {
    [PAGE]: behavioursPage(described),
    [README]: withTables(readme, summary(described, `../../${PAGE}`)),
  };
}

function testsOf(root: string, service: string): string[] {
  const folders = [join('libs/local/src/services', service), ...(LIBRARIES[service] ?? [])];
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.test.ts'))
        .sort()
        .map((name) => join(folder, name)),
    );
}

/** Runs the command; its exit code becomes that of the process. */
export const runBehaviours = () => runGenerator('behaviours', HELP, documents);
