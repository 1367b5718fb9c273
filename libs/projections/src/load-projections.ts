import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Projection } from './define-projection.ts';

/** A projection and the service whose events it is made of. */
export interface OwnedProjection {
  service: string;
  projection: Projection;
}

/**
 * Loads what services export from their `projections/index.ts`. For commands: it has no place in a Lambda.
 *
 * @param folders of services; those without projections are passed over
 * @example const projections = await loadProjections(serviceDirectories(findWorkspaceRoot(import.meta.dirname)));
 */
export async function loadProjections(folders: readonly string[]): Promise<OwnedProjection[]> {
  const found: OwnedProjection[] = [];
  for (const folder of folders) {
    const file = join(folder, 'projections', 'index.ts');
    if (!existsSync(file)) continue;
    const exported: Record<string, Projection> = await import(pathToFileURL(file).href);
    found.push(...Object.values(exported).map((projection) => ({ service: basename(folder), projection })));
  }
  return found;
}
