import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { PackagedService } from '@millrace/workspace/packaging';

/** The output of a stack that says what was deployed; the plugin writes it. */
export const packageHashOutput = 'PackageHash';

/**
 * A SHA-256 over the compiled template and every bundle of a service, in hex: equal hashes deploy to equal stacks. Where
 * osls puts the code in S3 has the time in its name and is left out.
 */
export function packageHash({ template, functions }: Pick<PackagedService, 'template' | 'functions'>): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(template, (key, value: unknown) => (key === 'S3Key' ? undefined : value)));
  for (const folder of new Set([...functions.values()].map(({ codeDirectory }) => codeDirectory))) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
    for (const file of files) {
      const content = readFileSync(file);
      hash.update(`\0${relative(folder, file)}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}
