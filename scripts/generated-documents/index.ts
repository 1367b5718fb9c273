import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readArguments, runCommand } from '@millrace/command-line';
import { findWorkspaceRoot } from '@millrace/workspace/catalogue';

/** Documents as they should be, by their path in the repository. */
export type Documents = Readonly<Record<string, string>>;

/**
 * The paths of documents that are not as they should be.
 * @example outdatedDocuments(root, { 'docs/page.md': '# Page\n' }); // ['docs/page.md'] while it is missing or has another text
 */
export function outdatedDocuments(root: string, documents: Documents): string[] {
  return Object.entries(documents)
    .filter(([path, content]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== content)
    .map(([path]) => path);
}

/**
 * Runs a command that writes documents, or with `--check` says which are out of date. Its exit code becomes that of the process.
 *
 * @param documents makes them, for the root of the repository
 * @example runGenerator('draw', HELP, drawings);
 */
export function runGenerator(command: string, help: string, documents: (root: string) => Documents): Promise<void> {
  return runCommand(command, async () => {
    const { values } = readArguments({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } });
    if (values.help) {
      console.log(help);
      return 0;
    }
    const root = findWorkspaceRoot(import.meta.dirname);
    const current = documents(root);
    const outdated = outdatedDocuments(root, current);
    if (values.check) {
      for (const path of outdated) console.error(`${path} is out of date: run npm run ${command}`);
      return outdated.length === 0 ? 0 : 1;
    }
    for (const path of outdated) writeFileSync(join(root, path), current[path] ?? '');
    console.log(outdated.length === 0 ? 'Nothing has changed' : `Wrote ${outdated.join(' and ')}`);
    return 0;
  });
}
