import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const esbuild = { version: '0.28.2', hasInstallScript: true };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-install-scripts-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function check(directory: string) {
  const script = join(root, 'scripts', 'check-install-scripts.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, directory], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

function checkOf(allowScripts: object | undefined, packages: object, lockfileVersion = 3) {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ allowScripts }));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion, packages }));
  return check(folder);
}

describe('install scripts', () => {
  test('of this repository are all decided on, and SECURITY.md says why', () => {
    expect(check(root)).toMatchObject({ status: 0, stderr: '' });
    const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { allowScripts: object };
    const security = readFileSync(join(root, 'SECURITY.md'), 'utf8');
    for (const name of Object.keys(allowScripts)) expect(security).toContain(`| \`${name}\` |`);
  });

  test('may be allowed or denied, by the name of the package and not of its folder', () => {
    const packages = {
      '': { hasInstallScript: true },
      'libs/local': { hasInstallScript: true },
      'node_modules/esbuild': esbuild,
      'node_modules/a/node_modules/@scope/deep': { version: '1.0.0', hasInstallScript: true },
      'node_modules/serverless': { name: 'osls', version: '4.0.0', hasInstallScript: true },
      'node_modules/plain': { version: '1.0.0' },
    };
    const { status, stdout } = checkOf({ esbuild: true, '@scope/deep': false, osls: false }, packages);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'Install scripts: 3 packages have one, allowed are esbuild\n',
    });
  });

  test.each([
    ['a package nobody has decided on', undefined, { 'node_modules/esbuild': esbuild }, 'esbuild 0.28.2 would run'],
    ['a decision that is none', { esbuild: 'yes' }, { 'node_modules/esbuild': esbuild }, 'esbuild 0.28.2 would run'],
    [
      'a package from a repository, which npm prepares',
      {},
      { 'node_modules/cloned': { version: '1.0.0', resolved: 'git+ssh://git@example.com/cloned.git#0a1b2c' } },
      'cloned 1.0.0 would run',
    ],
    ['a decision about nothing', { gone: true }, {}, 'names gone, and no such package has an install script'],
    [
      'a version, which npm cannot verify without addresses in the lock file',
      { esbuild: true, 'esbuild@0.28.2': true },
      { 'node_modules/esbuild': esbuild },
      'names esbuild@0.28.2, and no such package',
    ],
  ])('fail for %s', (_, allowScripts, packages, message) => {
    const { status, stderr } = checkOf(allowScripts, packages);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });

  test('fail for a lock file that does not know of them', () => {
    expect(checkOf({}, {}, 1)).toMatchObject({ status: 1, stderr: expect.stringContaining('has version 1') });
  });
});
