import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../core/sqlite.ts';

const FILE_NAME = 'kms.db';

/** What is kept of a key. */
interface KeptKey {
  spec: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  material: Uint8Array;
}

/** The secrets of keys, in SQLite: with a data directory a key makes the same codes after a restart. */
export class KeyMaterial {
  readonly #database: DatabaseSync;

  /** @param directory readable for its owner only; without one the secrets end with the process */
  constructor(directory: string | undefined) {
    this.#database = openDatabase(
      directory,
      FILE_NAME,
      'CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, spec TEXT NOT NULL, created_at INTEGER NOT NULL, material BLOB NOT NULL)',
      { isSecret: true },
    );
  }

  /** The secret of a key, or a new one for a key that is met for the first time. */
  provide(id: string, { spec, bytes, now }: { spec: string; bytes: number; now: number }): KeptKey {
    // In one statement each: a process that ends in between leaves a whole key, or none.
    this.#database
      .prepare('INSERT OR IGNORE INTO keys (id, spec, created_at, material) VALUES (?, ?, ?, ?)')
      .run(id, spec, now, randomBytes(bytes));
    const row = this.#database.prepare('SELECT spec, created_at, material FROM keys WHERE id = ?').get(id);
    return {
      spec: String(row?.spec),
      createdAt: Number(row?.created_at),
      material: row?.material as Uint8Array,
    };
  }

  close(): void {
    this.#database.close();
  }
}
