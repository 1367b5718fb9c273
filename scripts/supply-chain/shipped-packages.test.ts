import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { packagesIn } from './shipped-packages.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-shipped-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(path: string, content: string | object): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

/** Installs packages by their folders, as npm does. */
function install(packages: Record<string, { version: string; index: string; [key: string]: unknown }>): void {
  const locked: Record<string, object> = {};
  for (const [folder, { index, ...manifest }] of Object.entries(packages)) {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    write(`${folder}/package.json`, { name, type: 'module', main: 'index.js', ...manifest });
    write(`${folder}/index.js`, index);
    locked[folder] = { version: manifest.version, integrity: `sha512-${name}` };
  }
  write('package-lock.json', { lockfileVersion: 3, packages: locked });
}

/** Bundles a service, and says what ships with it. */
async function shippedWith(service: string, code: string, external: string[] = []) {
  write(`services/${service}/src/handler.ts`, code);
  const directory = join(root, 'services', service);
  const { metafile } = await build({
    absWorkingDir: directory,
    entryPoints: ['src/handler.ts'],
    outdir: join(root, 'out'),
    platform: 'node',
    bundle: true,
    sourcemap: 'linked',
    metafile: true,
    external,
  });
  write(`${service}.json`, metafile);
  return { directory, metafile: join(root, `${service}.json`) };
}

describe('what ships', () => {
  test('is what is in the bundles, with the version that is, and who imports it', async () => {
    install({
      'node_modules/@scope/used': {
        version: '1.0.0',
        license: 'MIT',
        index: `import { deep } from 'deep'; export const used = () => deep();`,
      },
      'node_modules/@scope/used/node_modules/deep': { version: '1.1.0', index: 'export const deep = () => 1;' },
      'node_modules/deep': { version: '2.0.0', license: { type: 'MIT' }, index: 'export const deep = () => 2;' },
      'node_modules/barrel': { version: '1.0.0', index: `export { deep as passedOn } from 'deep';` },
      'node_modules/left-alone': { version: '1.0.0', sideEffects: false, index: 'export const alone = () => 0;' },
      'node_modules/uninstalled': { version: '1.0.0', license: 'MIT', index: '' },
    });
    write('libs/shared/index.ts', `export { deep } from 'deep';`);
    const alpha = await shippedWith(
      'alpha',
      `import { used } from '@scope/used'; import { alone } from 'left-alone'; import { readFileSync } from 'node:fs';
      export const handler = () => used() + readFileSync('x').length;`,
    );
    const beta = await shippedWith(
      'beta',
      `import { deep } from '../../../libs/shared/index.ts'; import { passedOn } from 'barrel';
      export const handler = () => deep() + passedOn();`,
    );

    expect(packagesIn(root, [alpha, beta])).toEqual([
      {
        name: '@scope/used',
        version: '1.0.0',
        licence: 'MIT',
        services: ['alpha'],
        direct: true,
        dependsOn: ['deep@1.1.0'],
        integrity: 'sha512-@scope/used',
      },
      {
        name: 'deep',
        version: '1.1.0',
        licence: undefined,
        services: ['alpha'],
        direct: false,
        dependsOn: [],
        integrity: 'sha512-deep',
      },
      {
        name: 'deep',
        version: '2.0.0',
        licence: undefined,
        services: ['beta'],
        direct: true,
        dependsOn: [],
        integrity: 'sha512-deep',
      },
    ]);
  });

  test('is not known of a package that is left out of a bundle', async () => {
    install({ 'node_modules/native': { version: '1.0.0', license: 'MIT', index: 'export const native = () => 1;' } });
    const alpha = await shippedWith('alpha', `export { native as handler } from 'native';`, ['native']);
    expect(() => packagesIn(root, [alpha])).toThrow('services/alpha leaves native out of its bundles');
  });

  test('is not known of a package that is not the one of the lock file', async () => {
    install({ 'node_modules/used': { version: '1.0.0', license: 'MIT', index: 'export const used = () => 1;' } });
    write('package-lock.json', { packages: { 'node_modules/used': { version: '1.0.1' } } });
    const alpha = await shippedWith('alpha', `export { used as handler } from 'used';`);
    expect(() => packagesIn(root, [alpha])).toThrow(
      'node_modules/used is version 1.0.0, package-lock.json says 1.0.1: run npm ci',
    );
  });
});
