import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const ignored = new Set(['node_modules', '.git', '.millrace', '.serverless', '.esbuild']);

function filesThatName(word: string, patterns: readonly string[]): string[] {
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root, exclude: (name) => ignored.has(basename(name)) }))
    .filter((file) => readFileSync(join(root, file), 'utf8').includes(word));
}

test('only npm run test:dynamodb uses dynoxide: everything else runs where it is not installed', () => {
  const files = filesThatName('dynoxide', ['**/*.{ts,mts,cts,mjs,cjs,js,yml}', '.ci/*']);
  const others = files.filter((file) => !/^(test\/dynamodb\/|scripts\/test-dynamodb\/)/.test(file));
  // It asks whether there is one before it starts the comparison.
  expect(others).toEqual(['scripts/test-all/index.ts']);
});

test('it is an optional dependency of the repository, and of no package', () => {
  expect(filesThatName('dynoxide', ['package.json', '{libs,services}/*/package.json'])).toEqual(['package.json']);
  const { optionalDependencies, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  expect(Object.keys(optionalDependencies)).toEqual(['@dynoxide/linux-x64']);
  expect(JSON.stringify({ dependencies, devDependencies })).not.toContain('dynoxide');
});
