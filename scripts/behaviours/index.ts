import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, runCommand } from '@millrace/command-line';
import { services } from '@millrace/local/services';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';
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

/** The documents as they should be, by their path in the repository. */
export function documents(root: string): Record<string, string> {
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

/** The paths of documents that are not as they should be. */
export function outdatedDocuments(root: string): string[] {
  return Object.entries(documents(root))
    .filter(([path, content]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== content)
    .map(([path]) => path);
}

function testsOf(root: string, service: string): string[] {
  const folder = join(root, 'libs/local/src/services', service);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name));
}

async function main(): Promise<number> {
  const { check, help } = readArguments({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } }).values;
  if (help) {
    console.log(HELP);
    return 0;
  }
  const root = findWorkspaceRoot(import.meta.dirname);
  const outdated = outdatedDocuments(root);
  if (check) {
    for (const path of outdated) console.error(`${path} is out of date: run npm run behaviours`);
    return outdated.length === 0 ? 0 : 1;
  }
  const current = documents(root);
  for (const path of outdated) writeFileSync(join(root, path), current[path] ?? '');
  console.log(outdated.length === 0 ? 'Nothing has changed' : `Wrote ${outdated.join(' and ')}`);
  return 0;
}

/** Runs the command; its exit code becomes that of the process. */
export const runBehaviours = () => runCommand('behaviours', main);
