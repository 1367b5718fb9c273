import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Takes a data directory for this process alone. The system releases it when the process ends, however it ends.
 *
 * @returns a function that releases it
 * @throws Error when another process has it, or it cannot be written
 */
export function lockDataDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const lock = new DatabaseSync(join(directory, 'lock.db'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw new Error(`The data directory ${directory} is in use by another process`, { cause: error });
  }
  return () => lock.close();
}
