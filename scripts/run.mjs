/**
 * Runs a file of this repository, unless Node is too old for it: TypeScript on Node 20 would be an "unknown file extension".
 * It must itself run on old versions of Node.
 *
 *   node scripts/run.mjs <file, from the root on> [arguments of the file]
 */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { problemWithNode } from '../libs/command-line/src/node-version.cjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const problem = problemWithNode(process.versions.node, root);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
const file = join(root, process.argv[2] ?? '');
process.argv.splice(1, 2, file);
await import(pathToFileURL(file).href);
