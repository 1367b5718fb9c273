import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowed, parseLicence } from './licence-expression.ts';

/** The licences that packages may have that are installed and not deployed. */
export const installedLicences = join(import.meta.dirname, 'installed-licences.json');

/** An entry of package-lock.json. https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json */
interface LockedPackage {
  version?: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  link?: boolean;
  inBundle?: boolean;
}

/** What a look at package.json and package-lock.json comes to, without asking anybody. */
export interface LockFileReport {
  /** How many packages are installed from the registry. */
  packages: number;
  /** How many dependencies the package.json files of the workspace name. */
  dependencies: number;
  /** A line for each thing that is not as it should be. */
  problems: string[];
}

const dependencyKinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'overrides'];
const exactVersion = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
const registry = 'https://registry.npmjs.org/';

/**
 * Checks that what is installed is what was chosen: every package has the hash of its tarball, comes from the public registry and
 * has an allowed licence, and every dependency is pinned to the version that is locked.
 * @param root folder of package.json and package-lock.json
 * @param allowed SPDX ids
 * @throws Error when one of the files is missing or is not JSON
 * @example checkLockFile('.', readAllowedLicences(installedLicences)).problems
 */
export function checkLockFile(root: string, allowed: ReadonlySet<string>): LockFileReport {
  const { packages = {} } = read<{ packages?: Record<string, LockedPackage> }>(join(root, 'package-lock.json'));
  const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
  const workspaces = Object.keys(packages).filter((path) => !path.includes('node_modules/'));
  const pins = workspaces.flatMap((folder) => pinsOf(root, folder, packages));
  return {
    packages: installed.length,
    dependencies: pins.length,
    problems: [
      ...installed.flatMap(([path, locked]) => packageProblems(path, locked, allowed)),
      ...pins.flatMap(({ problem }) => problem ?? []),
    ],
  };
}

function packageProblems(path: string, locked: LockedPackage, allowed: ReadonlySet<string>): string[] {
  const { version = '', resolved, integrity, license, inBundle } = locked;
  const id = `package-lock.json: ${path} ${version}`;
  const expression = license === undefined ? undefined : parseLicence(license);
  return [
    // One in the bundle of another has no tarball of its own.
    ...(inBundle || /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '')
      ? []
      : [`${id} has no SHA-512 hash: ${integrity}`]),
    ...(resolved === undefined || resolved.startsWith(registry)
      ? []
      : [`${id} does not come from ${registry}: ${resolved}`]),
    ...(exactVersion.test(version) ? [] : [`${id} has no exact version`]),
    ...(expression !== undefined && isAllowed(expression, allowed)
      ? []
      : [`${id} has a licence that is not in scripts/supply-chain/installed-licences.json: ${license}`]),
  ];
}

function pinsOf(
  root: string,
  folder: string,
  packages: Readonly<Record<string, LockedPackage>>,
): { problem?: string }[] {
  const file = join(folder, 'package.json');
  const manifest = read<Record<string, Record<string, unknown> | undefined>>(join(root, file));
  return dependencyKinds.flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).map(([name, wanted]) => {
      const where = `${file}: ${kind}.${name} is ${JSON.stringify(wanted)}`;
      if (typeof wanted !== 'string' || !exactVersion.test(wanted))
        return { problem: `${where}, not an exact version` };
      const locked = lockedVersion(packages, folder, name);
      const version = wanted.slice(wanted.lastIndexOf('@') + 1);
      if (locked === version) return {};
      // An override may be for a package that only others have.
      if (locked === undefined && kind === 'overrides') return {};
      return { problem: `${where}, and package-lock.json has ${locked}` };
    }),
  );
}

/** The version that a package of the workspace gets: its own copy, or everybody's. */
function lockedVersion(
  packages: Readonly<Record<string, LockedPackage>>,
  folder: string,
  name: string,
): string | undefined {
  const own = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
  const found = packages[own] ?? packages[`node_modules/${name}`];
  return found?.link ? packages[found.resolved ?? '']?.version : found?.version;
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8'));
}
