import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const digests = new Map<string, string>();

/** The SHA-256 of a function's code, in base64. Packages do not change once they are there, so each is read once. */
export function codeDigest(directory: string): string {
  const known = digests.get(directory);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    hash.update(path.slice(directory.length)).update('\0').update(readFileSync(path)).update('\0');
  }
  const digest = hash.digest('base64');
  digests.set(directory, digest);
  return digest;
}
