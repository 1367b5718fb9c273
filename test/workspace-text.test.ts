import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const ignored = new Set(['node_modules', '.git', '.millrace', '.serverless', '.esbuild']);
const files = globSync('**/*.{ts,mts,mjs,js,md}', { cwd: root, exclude: (name) => ignored.has(basename(name)) });

/** `<file>:<line>: <text>` of the lines in which something is found. */
function linesWith(kind: RegExp, pattern: RegExp): string[] {
  return files
    .filter((file) => kind.test(file))
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
}

test('no path is taken from a URL as it stands, which a space or an umlaut in it breaks: use fileURLToPath or import.meta.dirname', () => {
  // A pattern that finds itself would find nothing else.
  const pattern = new RegExp(
    ['import\\.meta\\.url\\)\\.pathname', 'import\\.meta\\.url\\.(slice|replace|substring)'].join('|'),
  );
  expect(linesWith(/\.(ts|mts|mjs|js)$/, pattern)).toEqual([]);
});

describe('the variables for a shell', () => {
  const exports = linesWith(/\.md$/, /^export AWS_ENDPOINT_URL=/);

  test('are in the documents', () => {
    expect(exports.length).toBeGreaterThan(8);
  });

  test.each(exports.map((line) => [line.split(': ')[0], line] as const))(
    'of %s are all that SDKs and command lines read',
    (_, line) => {
      const names = [...line.matchAll(/\b(AWS_\w+)=\S/g)].map(([, name]) => name).sort();
      // The AWS SDK for JavaScript reads AWS_REGION, boto3 and version 1 of the AWS CLI AWS_DEFAULT_REGION.
      expect(names).toEqual(
        ['AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].sort(),
      );
      expect(/AWS_REGION=(\S+)/.exec(line)?.[1]).toBe(/AWS_DEFAULT_REGION=(\S+)/.exec(line)?.[1]);
    },
  );

  test('are set all together or not at all', () => {
    expect(linesWith(/\.md$/, /AWS_(DEFAULT_)?REGION=/)).toEqual(exports);
  });
});
