import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readAllowedLicences } from './licences.ts';
import { checkLockFile, installedLicences } from './lock-file.ts';

const root = join(import.meta.dirname, '..', '..');
const allowed = readAllowedLicences(installedLicences);
const zod = { version: '4.4.3', integrity: `sha512-${'A'.repeat(86)}==`, license: 'MIT' };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lock-file-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function problemsOf(locked: object, wanted: unknown = '4.4.3', kind = 'dependencies'): string[] {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ [kind]: { zod: wanted } }));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, 'node_modules/zod': locked } }),
  );
  return checkLockFile(folder, allowed).problems;
}

describe('the lock file', () => {
  test('of this repository is in order', () => {
    const { packages, dependencies, problems } = checkLockFile(root, allowed);
    expect(problems).toEqual([]);
    expect(packages).toBeGreaterThan(500);
    expect(dependencies).toBeGreaterThan(50);
  });

  test('that is in order has no problems', () => {
    expect(problemsOf(zod)).toEqual([]);
    expect(problemsOf({ ...zod, resolved: 'https://registry.npmjs.org/zod/-/zod-4.4.3.tgz' })).toEqual([]);
  });

  test.each([
    ['no hash', { ...zod, integrity: undefined }, /has no SHA-512 hash: undefined$/],
    ['a weaker hash', { ...zod, integrity: 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }, /has no SHA-512 hash: sha1-/],
    ['half a hash', { ...zod, integrity: 'sha512-AAAA' }, /has no SHA-512 hash: sha512-AAAA$/],
    [
      'another host',
      { ...zod, resolved: 'https://mallory.example/zod.tgz' },
      /does not come from .*: https:\/\/mallory/,
    ],
    [
      'a host that begins alike',
      { ...zod, resolved: 'https://registry.npmjs.org.mallory.example/zod.tgz' },
      /does not come/,
    ],
    ['no TLS', { ...zod, resolved: 'http://registry.npmjs.org/zod/-/zod.tgz' }, /does not come from/],
    ['a repository', { ...zod, resolved: 'git+ssh://git@github.com/colinhacks/zod.git#1' }, /does not come from/],
    ['a folder', { ...zod, resolved: 'file:../zod' }, /does not come from/],
    ['no licence', { ...zod, license: undefined }, /has a licence that is not in .*: undefined$/],
    ['a licence that is not allowed', { ...zod, license: 'AGPL-3.0-only' }, /has a licence that is not in .*: AGPL/],
    ['one of two licences too few', { ...zod, license: 'MIT AND GPL-3.0-only' }, /has a licence that is not in/],
  ])('with %s is not', (_, locked, problem) => {
    expect(problemsOf(locked)).toEqual([expect.stringMatching(problem)]);
  });

  test.each([
    '^4.4.3',
    '~4.4.3',
    '4.x',
    '*',
    'latest',
    '>=4.4.3',
    '',
    'git+https://github.com/colinhacks/zod.git',
    'file:../zod',
  ])('a dependency on %j is not pinned', (wanted) => {
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'overrides']) {
      expect(problemsOf(zod, wanted, kind)).toEqual([
        `package.json: ${kind}.zod is ${JSON.stringify(wanted)}, not an exact version`,
      ]);
    }
  });

  test('that has another version than package.json is not', () => {
    expect(problemsOf(zod, '4.4.2')).toEqual([
      'package.json: dependencies.zod is "4.4.2", and package-lock.json has 4.4.3',
    ]);
  });
});
