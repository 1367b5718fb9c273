import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../core/sqlite.ts';
import type { DeliveryStream } from './delivery-stream.ts';

/** A record that waits for its delivery. */
export interface BufferedRecord {
  id: number;
  data: Buffer;
  /** Milliseconds since the epoch. */
  arrivedAt: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS streams (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, data BLOB NOT NULL, arrived_at INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS records_of_stream ON records (stream, id);
  CREATE TABLE IF NOT EXISTS checkpoints (stream TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (stream, key)) WITHOUT ROWID;
`;

/** Delivery streams and the records that wait for delivery, in SQLite: with a data directory they outlive this process, however it ends. */
export class FirehoseStore {
  readonly #database: DatabaseSync;
  readonly #statements;

  /** @param directory in a temporary file without it */
  constructor(directory: string | undefined) {
    this.#database = openDatabase(directory, 'firehose.db', SCHEMA);
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#statements = {
      streams: prepare('SELECT value FROM streams ORDER BY name'),
      save: prepare('INSERT OR REPLACE INTO streams VALUES (?, ?)'),
      drop: ['streams WHERE name', 'records WHERE stream', 'checkpoints WHERE stream'].map((where) =>
        prepare(`DELETE FROM ${where} = ?`),
      ),
      add: prepare('INSERT INTO records (stream, data, arrived_at) VALUES (?, ?, ?)'),
      buffered: prepare('SELECT id, data, arrived_at FROM records WHERE stream = ? ORDER BY id'),
      waiting: prepare(
        'SELECT COALESCE(SUM(LENGTH(data)), 0) AS bytes, MIN(arrived_at) AS oldest FROM records WHERE stream = ?',
      ),
      remove: prepare('DELETE FROM records WHERE id = ?'),
      checkpoint: prepare('SELECT value FROM checkpoints WHERE stream = ? AND key = ?'),
      saveCheckpoint: prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?)'),
    };
  }

  close(): void {
    this.#database.close();
  }

  /** By name. */
  streams(): DeliveryStream[] {
    return this.#statements.streams.all().map(({ value }) => JSON.parse(String(value)) as DeliveryStream);
  }

  save(stream: DeliveryStream): void {
    this.#statements.save.run(stream.name, JSON.stringify(stream));
  }

  /** Deletes a delivery stream with what it has not delivered. */
  delete(name: string): void {
    transaction(this.#database, () => {
      for (const statement of this.#statements.drop) statement.run(name);
    });
  }

  /** Keeps records, all or none of them. @returns their ids */
  add(stream: string, records: readonly { data: Uint8Array; arrivedAt: number }[]): number[] {
    return transaction(this.#database, () =>
      records.map(({ data, arrivedAt }) => Number(this.#statements.add.run(stream, data, arrivedAt).lastInsertRowid)),
    );
  }

  /** How much waits, and since when. */
  waiting(stream: string): { bytes: number; oldest: number | undefined } {
    const row = this.#statements.waiting.get(stream);
    return { bytes: Number(row?.bytes), oldest: row?.oldest === null ? undefined : Number(row?.oldest) };
  }

  /** The records that wait, in order, up to so many bytes, and one at least. */
  buffered(stream: string, bytes: number): BufferedRecord[] {
    const records: BufferedRecord[] = [];
    let size = 0;
    for (const row of this.#statements.buffered.iterate(stream)) {
      const data = Buffer.from(row.data as Uint8Array);
      size += data.length;
      if (records.length > 0 && size > bytes) break;
      records.push({ id: Number(row.id), data, arrivedAt: Number(row.arrived_at) });
    }
    return records;
  }

  remove(ids: readonly number[]): void {
    transaction(this.#database, () => {
      for (const id of ids) this.#statements.remove.run(id);
    });
  }

  loadCheckpoint(stream: string, key: string): string | undefined {
    return this.#statements.checkpoint.get(stream, key)?.value as string | undefined;
  }

  saveCheckpoint(stream: string, key: string, value: string): void {
    this.#statements.saveCheckpoint.run(stream, key, value);
  }
}
