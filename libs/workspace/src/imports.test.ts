import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from '@jest/globals';
import { findWorkspaceRoot } from './catalogue.ts';

const root = findWorkspaceRoot(import.meta.dirname);

interface Manifest {
  name: string;
  exports?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** By folder, e.g. `libs/events`. */
const packages = new Map<string, Manifest>();
for (const group of ['libs', 'services']) {
  for (const name of readdirSync(join(root, group))) {
    const file = join(root, group, name, 'package.json');
    if (existsSync(file)) packages.set(`${group}/${name}`, JSON.parse(readFileSync(file, 'utf8')));
  }
}

interface Import {
  from: string;
  specifier: string;
  /** The file it leads to, where that is of this repository. */
  to: string | undefined;
}

const files = ['libs', 'services', 'scripts', 'test'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((name) => /\.[cm]?[tj]s$/.test(name) && !/node_modules|\.serverless|\.esbuild|\.millrace/.test(name)),
);
const known = new Set(files);
const imports: Import[] = files.flatMap((from) =>
  [
    ...readFileSync(join(root, from), 'utf8').matchAll(
      /^(?:import|export)\b[^;'"`]*?\bfrom '([^']+)'|\b(?:import|require)\('([^']+)'\)|new URL\('(\.[^']+)', import\.meta\.url\)/gm,
    ),
  ]
    .map(([, one, two, three]) => one ?? two ?? three ?? '')
    .map((specifier) => ({ from, specifier, to: resolve(from, specifier) })),
);

function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const to = normalize(join(dirname(from), specifier));
    return known.has(to) ? to : undefined;
  }
  for (const [folder, { name, exports = {} }] of packages) {
    if (specifier !== name && !specifier.startsWith(`${name}/`)) continue;
    const target = exports[specifier === name ? '.' : `./${specifier.slice(name.length + 1)}`];
    return target && normalize(join(folder, target));
  }
  return undefined;
}

const packageOf = (file: string): string | undefined => /^(?:libs|services)\/[^/]+/.exec(file)?.[0];
const isTest = (file: string): boolean => /\.test\.ts$|\/fixtures\/|^test\//.test(file);
const shown = ({ from, specifier }: Import): string => `${from} imports ${specifier}`;

test('no files import each other in a circle, not even for types', () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports)
    if (to !== undefined && !to.startsWith('test/')) next.set(from, [...(next.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const other of next.get(file) ?? []) visit(other);
    path.pop();
    done.add(file);
  };
  for (const file of files) if (!file.startsWith('test/')) visit(file);
  expect(circles).toEqual([]);
});

test('a package is entered by its exports only, and by tests through its fixtures', () => {
  const trespassing = imports.filter(
    ({ from, specifier, to }) =>
      specifier.startsWith('.') &&
      packageOf(from) &&
      to &&
      packageOf(from) !== packageOf(to) &&
      !(isTest(from) && to.includes('/fixtures/')),
  );
  expect(trespassing.map(shown)).toEqual([]);
});

test('a service imports nothing of another one but its contracts: of events, of steps, of requests, and of views', () => {
  const others = imports.filter(
    ({ from, to }) =>
      from.startsWith('services/') &&
      to?.startsWith('services/') &&
      packageOf(from) !== packageOf(to) &&
      !/\/(events|steps|requests|views)\/index\.ts$/.test(to),
  );
  expect(others.filter(({ from }) => !isTest(from)).map(shown)).toEqual([]);
});

test('what is deployed or operates a deployment imports neither the local cloud nor test helpers', () => {
  const forTests = new Set(['libs/local', 'libs/testing']);
  const wrong = imports.filter(({ from, to }) => {
    const own = packageOf(from);
    const other = to === undefined ? undefined : packageOf(to);
    return own && other && !isTest(from) && !forTests.has(own) && forTests.has(other);
  });
  expect(wrong.map(shown)).toEqual([]);
});

test('a package declares what it imports', () => {
  const undeclared = imports.filter(({ from, specifier }) => {
    const folder = packageOf(from);
    const manifest = folder === undefined ? undefined : packages.get(folder);
    if (!manifest || /^\.|^node:/.test(specifier)) return false;
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    if (name === manifest.name) return false;
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = manifest;
    const declared = { ...dependencies, ...optionalDependencies, ...(isTest(from) ? devDependencies : {}) };
    // Types alone, and what every package's tests run on, are declared once, at the root.
    return !(name in declared) && !['@jest/globals', 'aws-lambda', 'fast-check'].includes(name);
  });
  expect([...new Set(undeclared.map(shown))]).toEqual([]);
});

test('helpers of tests are not among the sources', () => {
  const imported = new Set(imports.filter(({ from }) => !isTest(from)).flatMap(({ to }) => to ?? []));
  const exported = new Set(
    [...packages].flatMap(([folder, { exports = {} }]) =>
      Object.values(exports).map((file) => normalize(join(folder, file))),
    ),
  );
  const byTests = new Set(imports.filter(({ from }) => isTest(from)).flatMap(({ to }) => to ?? []));
  const helpers = files.filter(
    (file) =>
      /^libs\/(?!testing\/)[^/]+\/src\//.test(file) &&
      !isTest(file) &&
      byTests.has(file) &&
      !imported.has(file) &&
      !exported.has(file),
  );
  expect(helpers).toEqual([]);
});

test('in the local cloud the core knows no service, the gateway only the core', () => {
  const part = (file: string | undefined): string | undefined =>
    /^libs\/local\/src\/(core|gateway|services)\//.exec(file ?? '')?.[1];
  const allowed: Record<string, string[]> = {
    core: ['core'],
    gateway: ['core', 'gateway'],
    services: ['core', 'services'],
  };
  const wrong = imports.filter(({ from, to }) => {
    const [own, other] = [part(from), part(to)];
    return own && other && !isTest(from) && !allowed[own]?.includes(other);
  });
  expect(wrong.map(shown)).toEqual([]);
  const runtime = readFileSync(join(root, 'libs/local/src/runtime.ts'), 'utf8');
  expect(runtime.split('\n').length - 1).toBeLessThanOrEqual(120);
});

test('imports are found', () => {
  expect(imports).toContainEqual({
    from: relative(root, import.meta.filename),
    specifier: './catalogue.ts',
    to: 'libs/workspace/src/catalogue.ts',
  });
  expect(imports.length).toBeGreaterThan(1000);
});
