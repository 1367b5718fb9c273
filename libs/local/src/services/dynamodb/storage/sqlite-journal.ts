import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { GroupCommit } from '../../../core/group-commit.ts';
import { transaction } from '../../../core/sqlite.ts';
import type { Journal } from '../engine/journal.ts';

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (
    collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, key)
  ) WITHOUT ROWID;
`;

/** The changes that could not be kept. They have been undone in memory. */
export class NotKeptError extends Error {
  override readonly name = 'NotKeptError';
}

interface Change {
  collection: string;
  /** Undefined for the whole collection. */
  key: string | undefined;
  /** Undefined when it was removed. */
  value: unknown;
}

/**
 * Keeps the tables of DynamoDB in an SQLite file. What changes in one turn of the event loop is one transaction, so many
 * requests that come at once cost one commit; they are answered after it. A commit survives the end of this process, however it
 * ends: the file is in WAL mode, and the system has what was written. https://sqlite.org/wal.html
 *
 * When a commit fails, because the disk is full, all changes of its turn are undone in memory and `committed` rejects.
 * Nothing is left to be tried again, so the next commit can succeed.
 *
 * @example const engine = new DynamoDbEngine({ journal: new SqliteJournal(join(dataDirectory, 'dynamodb.db')) });
 */
export class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements: Record<'put' | 'remove' | 'drop', StatementSync>;
  /** By collection and key: only the last change of an entry is written. */
  readonly #changes = new Map<string, Change>();
  #undo: (() => void)[] = [];
  readonly #commits = new GroupCommit(() => this.#commit());

  /**
   * @param maxPages how many pages of 4 KB the file may have: for tests of a full disk
   * @throws Error when another process uses the file, or it cannot be read
   */
  constructor(path: string, { maxPages }: { maxPages?: number } = {}) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    const database = new DatabaseSync(path);
    try {
      // The lock is held until the file is closed: two processes that both have tables in memory would lose each other's writes.
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    } catch (error) {
      database.close();
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) {
        throw new Error(`The data of DynamoDB in ${path} cannot be read: ${(error as Error).message}`, {
          cause: error,
        });
      }
      throw new Error(`The data of DynamoDB in ${path} is in use by another process`, { cause: error });
    }
    this.#database = database;
    this.#statements = {
      put: database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?, ?)'),
      remove: database.prepare('DELETE FROM entries WHERE collection = ? AND key = ?'),
      drop: database.prepare('DELETE FROM entries WHERE collection = ?'),
    };
  }

  put(collection: string, key: string, value: unknown, undo: () => void): void {
    this.#change({ collection, key, value }, undo);
  }

  remove(collection: string, key: string, undo: () => void): void {
    this.#change({ collection, key, value: undefined }, undo);
  }

  drop(collection: string, undo: () => void): void {
    this.#change({ collection, key: undefined, value: undefined }, undo);
  }

  committed(): Promise<void> | undefined {
    return this.#commits.pending;
  }

  *load(collection: string): Iterable<{ key: string; value: unknown }> {
    // A statement of its own: the caller may load another collection while it reads this one.
    const load = this.#database.prepare('SELECT key, value FROM entries WHERE collection = ? ORDER BY key');
    for (const { key, value } of load.iterate(collection)) {
      yield { key: String(key), value: JSON.parse(String(value)) };
    }
  }

  /** Keeps what is left, and closes the file. */
  close(): void {
    if (!this.#database.isOpen) return;
    this.#commits.flush();
    this.#database.close();
  }

  #change(change: Change, undo: () => void): void {
    const id = `${change.collection}\n${change.key ?? ''}`;
    // Behind everything that came before, as a collection may be dropped in between.
    this.#changes.delete(id);
    this.#changes.set(id, change);
    this.#undo.push(undo);
    this.#commits.schedule();
  }

  /** @throws NotKeptError */
  #commit(): void {
    const changes = [...this.#changes.values()];
    const undo = this.#undo.toReversed();
    this.#changes.clear();
    this.#undo = [];
    try {
      transaction(this.#database, () => {
        for (const change of changes) this.#write(change);
      });
    } catch (error) {
      for (const takeBack of undo) takeBack();
      throw this.#notKept(error as Error & { errcode?: number });
    }
  }

  #write({ collection, key, value }: Change): void {
    const { put, remove, drop } = this.#statements;
    if (key === undefined) drop.run(collection);
    else if (value === undefined) remove.run(collection, key);
    else put.run(collection, key, JSON.stringify(value));
  }

  #notKept(error: Error & { errcode?: number }): NotKeptError {
    const { errcode = 0, message } = error;
    // The lower byte is the primary code.
    const reason =
      (errcode & 0xff) === SQLITE_FULL
        ? 'the disk is full: free some space and try again'
        : `${message}. Nothing of it was written; try again`;
    return new NotKeptError(`The write could not be kept in ${this.#path}: ${reason}`, { cause: error });
  }
}
