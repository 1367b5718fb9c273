import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join, relative } from 'node:path';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { type PackagedService, packageServices } from '@millrace/workspace/packaging';
import type { Metafile } from 'esbuild';

/** A package of somebody else's whose code is in a function's bundle. */
export interface ShippedPackage {
  name: string;
  version: string;
  /** As its package.json says, which should be an SPDX expression. */
  licence: string | undefined;
  /** Services whose functions have it, e.g. `orders`. */
  services: string[];
  /** Whether code of this repository imports it; otherwise only other packages do. */
  direct: boolean;
  /** Shipped packages that it imports, as `name@version`. */
  dependsOn: string[];
  /** Of the tarball: https://developer.mozilla.org/docs/Web/Security/Defenses/Subresource_Integrity */
  integrity: string | undefined;
}

/**
 * Finds out what is deployed: the packages whose code esbuild has put into the bundles of the services, whatever is
 * installed or declared besides.
 *
 * @param root of the workspace
 * @param log gets a line when services have to be packaged first
 * @returns by name and version
 * @throws Error as packageServices and packagesIn do
 */
export async function shippedPackages(root: string, log: (line: string) => void): Promise<ShippedPackage[]> {
  const services = await packageServices({
    directories: serviceDirectories(root),
    stage: 'dev',
    region: 'us-east-1',
    cacheDirectory: join(root, '.millrace', 'cache', 'packages'),
    log,
  });
  return packagesIn(root, services);
}

/**
 * Reads what is in the bundles of packaged services.
 * @throws Error for a service that leaves a package out of its bundles, since what is then deployed of it is not known;
 * and for a package that is not the one of package-lock.json
 */
export function packagesIn(
  root: string,
  services: readonly Pick<PackagedService, 'directory' | 'metafile'>[],
): ShippedPackage[] {
  const { packages: locked } = readJson<Lock>(join(root, 'package-lock.json'));
  const files = services.flatMap((service) => sourceFiles(root, service));
  const own = new Set(files.filter(({ folder }) => folder === undefined).flatMap(({ imports }) => imports));
  const bundled = Map.groupBy(files, ({ folder, isBundled }) => (isBundled ? folder : undefined));
  bundled.delete(undefined);
  const folders = [...bundled.keys()].filter((folder) => folder !== undefined);
  const described = new Map(folders.map((folder) => [folder, describe(root, folder, locked[folder])]));
  return [...described]
    .map(([folder, description]) => {
      const parts = files.filter((file) => file.folder === folder);
      const imported = new Set(parts.flatMap(({ imports }) => imports).filter((other) => other !== folder));
      return {
        ...description,
        services: [...new Set(parts.filter(({ isBundled }) => isBundled).map(({ service }) => service))].sort(),
        direct: own.has(folder),
        dependsOn: [...imported]
          .flatMap((other) => described.get(other) ?? [])
          .map(idOf)
          .sort(),
      };
    })
    .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** `zod@4.6.7` */
export function idOf({ name, version }: Pick<ShippedPackage, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

interface Lock {
  /** By folder, e.g. `node_modules/zod`. */
  packages: Record<string, { version?: string; integrity?: string } | undefined>;
}

/** A file that esbuild has read for a service. */
interface SourceFile {
  service: string;
  /** Of the package it belongs to, e.g. `node_modules/zod`; undefined for this repository's own. */
  folder: string | undefined;
  /** Whether anything of it is left in a bundle. */
  isBundled: boolean;
  /** Folders of the packages it imports. */
  imports: string[];
}

function sourceFiles(root: string, { directory, metafile }: Pick<PackagedService, 'directory' | 'metafile'>) {
  const service = basename(directory);
  const { inputs, outputs } = readJson<Metafile>(metafile);
  const folderOf = (file: string) => packageFolder(relative(root, join(directory, file)));
  const left = Object.values(outputs)
    .flatMap((output) => output.imports)
    .find(({ path, external }) => external && !isBuiltin(path));
  if (left) {
    throw new Error(`services/${service} leaves ${left.path} out of its bundles: bundle it, to know what ships`);
  }
  const bundled = new Set(
    Object.values(outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
    ),
  );
  return Object.entries(inputs).map(
    ([file, { imports }]): SourceFile => ({
      service,
      folder: folderOf(file),
      isBundled: bundled.has(file),
      imports: imports.flatMap(({ path, external }) => (external ? [] : (folderOf(path) ?? []))),
    }),
  );
}

function packageFolder(path: string): string | undefined {
  return /^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function describe(root: string, folder: string, locked: Lock['packages'][string]) {
  const { name, version, license } = readJson<Manifest>(join(root, folder, 'package.json'));
  if (locked?.version !== version) {
    throw new Error(`${folder} is version ${version}, package-lock.json says ${locked?.version}: run npm ci`);
  }
  return { name, version, licence: typeof license === 'string' ? license : undefined, integrity: locked.integrity };
}

/** https://docs.npmjs.com/cli/v11/configuring-npm/package-json#license */
interface Manifest {
  name: string;
  version: string;
  /** A text, but not everybody keeps to that. */
  license?: unknown;
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
