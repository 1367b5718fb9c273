import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '@millrace/command-line';
import { parse } from 'yaml';

/** A service as serverless-compose.yml lists it. */
export interface ComposedService {
  /** `orders` */
  name: string;
  /** Absolute path of its folder. */
  directory: string;
  dependsOn: readonly string[];
}

/**
 * Reads serverless-compose.yml.
 * @returns the services in waves: each depends only on services of waves before its own
 * @throws Error for a dependency that is not listed, or one that leads back to itself
 * https://github.com/oss-serverless/osls/blob/4.x/docs/guides/compose.md
 */
export function readComposition(root: string): ComposedService[][] {
  const { services } = parse(readFileSync(join(root, 'serverless-compose.yml'), 'utf8')) as {
    services: Record<string, { path: string; dependsOn?: string | string[] }>;
  };
  return inWaves(
    Object.entries(services).map(([name, { path, dependsOn }]) => ({
      name,
      directory: join(root, path),
      dependsOn: [dependsOn ?? []].flat(),
    })),
  );
}

/** @throws Error as readComposition does */
export function inWaves(services: readonly ComposedService[]): ComposedService[][] {
  for (const { name, dependsOn } of services) {
    const unknown = dependsOn.find((other) => services.every((service) => service.name !== other));
    if (unknown !== undefined)
      throw new Error(`serverless-compose.yml: ${name} depends on ${unknown}, which is not listed`);
  }
  const waves: ComposedService[][] = [];
  const done = new Set<string>();
  while (done.size < services.length) {
    const next = services.filter(
      ({ name, dependsOn }) => !done.has(name) && dependsOn.every((other) => done.has(other)),
    );
    if (next.length === 0) {
      const rest = services.filter(({ name }) => !done.has(name)).map(({ name }) => name);
      throw new Error(`serverless-compose.yml: ${rest.join(', ')} depend on each other`);
    }
    waves.push(next);
    for (const { name } of next) done.add(name);
  }
  return waves;
}

/**
 * The waves of deployment, with only the services that are asked for.
 * @param names all services when empty
 * @throws UsageError for a service that is not in serverless-compose.yml
 */
export function selectServices(waves: readonly ComposedService[][], names: readonly string[]): ComposedService[][] {
  const known = waves.flat().map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--service must be one of ${known.join(', ')}, not "${unknown}"`);
  }
  if (names.length === 0) return [...waves];
  return waves.map((wave) => wave.filter(({ name }) => names.includes(name))).filter((wave) => wave.length > 0);
}
