import { chmodSync, closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { provideFolder } from './folders.ts';

/**
 * A file without a name, which SQLite removes when it is closed or the process ends. It takes the memory of its cache only, 2 MB, where
 * a database in memory takes as much as is written to it: logs and metrics alone come to more than 100 MB in a long run.
 * https://sqlite.org/inmemorydb.html#temp_db
 */
const TEMPORARY_FILE = '';

/**
 * Opens a database: a file in a directory, or a temporary file. In a directory, what a transaction has written survives the end of
 * this process, however it ends; only a crash of the whole machine may lose the last ones.
 * https://sqlite.org/pragma.html#pragma_synchronous
 *
 * @param directory made if it is missing; without one, what is written ends with the process
 * @param schema statements that create what is missing
 * @param options `isSecret`: only the owner can read the file, and what SQLite writes beside it
 * @throws FolderError where it cannot be made or written
 * @example openDatabase(dataDirectory, 's3.db', 'CREATE TABLE IF NOT EXISTS …')
 */
export function openDatabase(
  directory: string | undefined,
  fileName: string,
  schema: string,
  { isSecret = false }: { isSecret?: boolean } = {},
): DatabaseSync {
  if (directory !== undefined) provideFolder('data', directory);
  if (directory !== undefined && isSecret) hide(join(directory, fileName));
  const database = new DatabaseSync(directory === undefined ? TEMPORARY_FILE : join(directory, fileName));
  // The journal of a temporary file is there to roll back, not to survive. In memory it makes writes as fast as in a database in memory.
  const journal = directory === undefined ? 'MEMORY' : 'WAL';
  database.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = NORMAL; ${schema}`);
  return database;
}

/** Before SQLite opens the file, which gives its own permissions to the journal beside it. */
function hide(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
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
