import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Holds the bundles of all functions. */
export const codeFolder = 'code';

/** Stands beside it, since it is not deployed: esbuild's record of what went into the bundles. */
export const metafileName = 'metafile.json';

/** Beside it: a list of esbuild's warnings. */
export const warningsName = 'warnings.json';

/** Folders of one kind and service that stay in the cache: switching between branches or stages is then free. */
const KEPT = 10;

/**
 * Makes a folder of the cache, unless it is there. It is filled beside its place and then renamed, so that a folder in the
 * cache is always complete, and any number of processes may share the cache. Those that were asked for longest ago go.
 *
 * @param folder its name tells what is in it, whoever makes it
 * @param fill is given a folder to put it into
 * @throws what `fill` throws
 */
export async function provide(folder: string, fill: (draft: string) => void | Promise<void>): Promise<void> {
  if (existsSync(folder)) {
    const now = new Date();
    utimesSync(folder, now, now);
    return;
  }
  const draft = join(dirname(folder), `${basename(folder)}.${randomUUID()}.draft`);
  mkdirSync(draft, { recursive: true });
  try {
    await fill(draft);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Another process may have made the same folder meanwhile.
    if (!existsSync(folder)) throw error;
  }
  // Drafts that a process has left when it was killed go with the others. Any may be gone already, by another process.
  const siblings = readdirSync(dirname(folder))
    .map((name) => join(dirname(folder), name))
    .map((path) => ({ path, usedAt: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.usedAt - a.usedAt);
  for (const { path } of siblings.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}
