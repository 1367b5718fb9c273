import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FolderError, provideFolder } from './folders.ts';

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Takes a data directory for this process alone. The system releases it when the process ends, however it ends.
 *
 * @returns a function that releases it
 * @throws FolderError when it cannot be made or written; Error when another process has it
 */
export function lockDataDirectory(directory: string): () => void {
  provideFolder('data', directory);
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(directory, 'lock.db'));
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY)
      throw new FolderError('data', directory, { cause: error });
    throw new Error(`The data directory ${directory} is in use by another process`, { cause: error });
  }
  return () => lock.close();
}
