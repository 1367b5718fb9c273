import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { provideFolder } from './folders.ts';

/**
 * Opens a database: a file in a directory, or one in memory. What a transaction has written survives the end of this process,
 * however it ends; only a crash of the whole machine may lose the last ones.
 * https://sqlite.org/pragma.html#pragma_synchronous
 *
 * @param directory made if it is missing; in memory without one
 * @param schema statements that create what is missing
 * @throws FolderError where it cannot be made or written
 * @example openDatabase(dataDirectory, 's3.db', 'CREATE TABLE IF NOT EXISTS …')
 */
export function openDatabase(directory: string | undefined, fileName: string, schema: string): DatabaseSync {
  if (directory !== undefined) provideFolder('data', directory);
  const database = new DatabaseSync(directory === undefined ? ':memory:' : join(directory, fileName));
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${schema}`);
  return database;
}

/**
 * Makes the writes of a function together, or not at all. It must not wait in between.
 * @example transaction(database, () => { insertObject(); removeUpload(); });
 */
export function transaction<T>(database: DatabaseSync, write: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = write();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back itself where the disk is full.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
