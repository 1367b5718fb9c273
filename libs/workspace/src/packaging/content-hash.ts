import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Folders that packaging makes or that hold what the lock file already pins. */
const ignoredFolders = new Set(['node_modules', '.serverless', '.esbuild', '.millrace', 'coverage']);

/** Files that never end up in a package. */
const ignoredFiles = /\.(test\.ts|md)$/;

/**
 * A SHA-256 over names and contents of files, in hex. Packages depend on little else, so equal hashes mean equal packages.
 * @param root names in the hash are relative to it
 * @param paths files and folders; those that do not exist count as absent
 * @param facts other things that go into the result, e.g. stage and Node version
 */
export function contentHash(root: string, paths: readonly string[], facts: Record<string, string>): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(facts));
  for (const file of paths.flatMap(filesBelow).sort()) {
    const content = readFileSync(file);
    hash.update(`\0${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return ignoredFiles.test(path) ? [] : [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !ignoredFolders.has(entry.name))
    .flatMap((entry) => filesBelow(join(path, entry.name)));
}
