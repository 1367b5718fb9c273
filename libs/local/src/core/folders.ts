import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** A folder that the runtime needs cannot be made or written. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
  readonly purpose: 'data' | 'cache';

  constructor(purpose: 'data' | 'cache', folder: string, options: ErrorOptions) {
    const { message } = options.cause as Error;
    super(`The ${purpose} directory ${folder} cannot be used: ${message}`, options);
    this.purpose = purpose;
  }
}

/**
 * Makes a folder and those above it, unless they are there, and makes sure that it can be written.
 *
 * Not by `mkdir` with `recursive`: below /proc, where it is told that a folder does not exist which it has just seen, it tries for ever.
 *
 * @throws FolderError
 * @example
 * provideFolder('cache', '/tmp/millrace-cache');
 */
export function provideFolder(purpose: 'data' | 'cache', folder: string): void {
  const missing: string[] = [];
  for (let path = folder; !existsSync(path); path = dirname(path)) missing.unshift(path);
  try {
    for (const path of missing) makeFolder(path);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new FolderError(purpose, folder, { cause: error });
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
