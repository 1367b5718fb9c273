/**
 * Runs a file of this repository, unless Node is too old for it: TypeScript on Node 20 would be an "unknown file extension".
 * It must itself run on old versions of Node.
 *
 *   node scripts/run.mjs <file, from the root on> [arguments of the file]
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The version on which everything is tested and deployed. */
const neededMajor = 24;

/**
 * @param {string} version of Node, e.g. `20.19.5`
 * @param {string} root folder of package.json
 * @returns {string | undefined} what to do; undefined when all is well
 */
export function problemWithNode(version, root) {
  if (Number.parseInt(version, 10) >= neededMajor) return undefined;
  const needed = `Millrace runs on Node ${neededMajor} or later, and this is Node ${version}.`;
  const installed = join(root, 'node_modules', 'node');
  if (!existsSync(installed)) return `${needed} Run npm ci, which installs it for the npm scripts.`;
  if (!existsSync(join(installed, 'bin', 'node'))) {
    return `${needed} The package "node" has it, but its install script has not run: run npm rebuild node, or npm ci without --ignore-scripts.`;
  }
  return `${needed} The package "node" has it: start commands with npm run or npx, which find it.`;
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// A path that leads through a symbolic link is another text.
if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const problem = problemWithNode(process.versions.node, root);
  if (problem !== undefined) {
    console.error(problem);
    process.exit(1);
  }
  const file = join(root, process.argv[2] ?? '');
  process.argv.splice(1, 2, file);
  await import(pathToFileURL(file).href);
}
