import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../core/sqlite.ts';
import type { Pipe } from './pipe.ts';

/** Pipes, and how far they have read their streams. In a data directory they survive a restart. */
export class PipeStore {
  readonly #database: DatabaseSync;

  constructor(dataDirectory?: string) {
    this.#database = openDatabase(
      dataDirectory,
      'pipes.db',
      `CREATE TABLE IF NOT EXISTS pipes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS checkpoints (
         pipe TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (pipe, key)) WITHOUT ROWID`,
    );
  }

  close(): void {
    this.#database.close();
  }

  find(name: string): Pipe | undefined {
    const row = this.#database.prepare('SELECT value FROM pipes WHERE name = ?').get(name);
    return row && (JSON.parse(String(row.value)) as Pipe);
  }

  /** By name. */
  list(): Pipe[] {
    const rows = this.#database.prepare('SELECT value FROM pipes ORDER BY name').all();
    return rows.map(({ value }) => JSON.parse(String(value)) as Pipe);
  }

  save(pipe: Pipe): void {
    this.#database.prepare('INSERT OR REPLACE INTO pipes VALUES (?, ?)').run(pipe.Name, JSON.stringify(pipe));
  }

  /** Deletes a pipe. One of the same name begins its stream anew. */
  delete(name: string): void {
    this.forgetPosition(name);
    this.#database.prepare('DELETE FROM pipes WHERE name = ?').run(name);
  }

  forgetPosition(name: string): void {
    this.#database.prepare('DELETE FROM checkpoints WHERE pipe = ?').run(name);
  }

  loadCheckpoint(name: string, key: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM checkpoints WHERE pipe = ? AND key = ?').get(name, key);
    return row && String(row.value);
  }

  saveCheckpoint(name: string, key: string, value: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)').run(name, key, value);
  }
}
