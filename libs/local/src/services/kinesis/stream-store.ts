import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../core/sqlite.ts';
import type { Stream } from './stream.ts';

/** A record to be kept. */
export interface NewRecord {
  shard: number;
  partitionKey: string;
  data: Uint8Array;
}

/** A record that is kept. */
export interface KeptRecord {
  position: number;
  partitionKey: string;
  data: Uint8Array;
  /** Milliseconds since the epoch. */
  arrivedAt: number;
}

interface Row extends Record<string, unknown> {
  position: number;
  partition_key: string;
  data: Uint8Array;
  arrived_at: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS streams (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS positions (
    stream TEXT, shard INTEGER, next INTEGER NOT NULL, PRIMARY KEY (stream, shard)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (
    stream TEXT, shard INTEGER, position INTEGER, partition_key TEXT NOT NULL, data BLOB NOT NULL, arrived_at INTEGER NOT NULL,
    PRIMARY KEY (stream, shard, position));
`;

/**
 * Streams and their records, in SQLite: with a data directory each write outlives this process, however it ends.
 */
export class StreamStore {
  readonly #database: DatabaseSync;
  readonly #statements;

  /** @param directory in a temporary file without it */
  constructor(directory: string | undefined) {
    this.#database = openDatabase(directory, 'kinesis.db', SCHEMA);
    const prepare = (sql: string) => this.#database.prepare(sql);
    const within = 'FROM records WHERE stream = ? AND shard = ?';
    this.#statements = {
      streams: prepare('SELECT value FROM streams ORDER BY name'),
      save: prepare('INSERT OR REPLACE INTO streams VALUES (?, ?)'),
      drop: ['streams WHERE name', 'positions WHERE stream', 'records WHERE stream'].map((where) =>
        prepare(`DELETE FROM ${where} = ?`),
      ),
      take: prepare(`INSERT INTO positions VALUES (?, ?, 2) ON CONFLICT (stream, shard) DO UPDATE SET next = next + 1
        RETURNING next - 1 AS position`),
      next: prepare('SELECT next FROM positions WHERE stream = ? AND shard = ?'),
      add: prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)'),
      read: prepare(`SELECT position, partition_key, data, arrived_at ${within} AND position >= ? AND arrived_at > ?
        ORDER BY position LIMIT ?`),
      firstAt: prepare(`SELECT position ${within} AND arrived_at >= ? ORDER BY position LIMIT 1`),
      expire: prepare('DELETE FROM records WHERE stream = ? AND arrived_at <= ?'),
    };
  }

  close(): void {
    this.#database.close();
  }

  /** By name. */
  streams(): Stream[] {
    return this.#statements.streams.all().map(({ value }) => JSON.parse(String(value)) as Stream);
  }

  save(stream: Stream): void {
    this.#statements.save.run(stream.name, JSON.stringify(stream));
  }

  /** Deletes a stream with its records. */
  delete(name: string): void {
    transaction(this.#database, () => {
      for (const statement of this.#statements.drop) statement.run(name);
    });
  }

  /** Keeps records, all or none of them. @returns their positions */
  add(stream: string, records: readonly NewRecord[], now: number): number[] {
    return transaction(this.#database, () =>
      records.map(({ shard, partitionKey, data }) => {
        const position = this.#take(stream, shard);
        this.#statements.add.run(stream, shard, position, partitionKey, data, now);
        return position;
      }),
    );
  }

  /**
   * Makes a change of the shards of a stream: a position is taken in each that is closed.
   * @param change is given what takes a position
   */
  reshard(stream: Stream, change: (take: (shard: number) => number) => void): void {
    transaction(this.#database, () => {
      change((shard) => this.#take(stream.name, shard));
      this.save(stream);
    });
  }

  /** The position that the next record of a shard will have. */
  nextPosition(stream: string, shard: number): number {
    return Number(this.#statements.next.get(stream, shard)?.next ?? 1);
  }

  /**
   * Reads records from a position on, in order.
   * @param since milliseconds since the epoch: older records are left out
   * @param bytes of data above which no further record is read
   */
  read(
    [stream, shard]: readonly [string, number],
    { from, since, limit, bytes }: { from: number; since: number; limit: number; bytes: number },
  ): KeptRecord[] {
    const records: KeptRecord[] = [];
    let size = 0;
    for (const row of this.#statements.read.iterate(stream, shard, from, since, limit)) {
      const { position, partition_key: partitionKey, data, arrived_at: arrivedAt } = row as Row;
      size += data.length;
      if (records.length > 0 && size > bytes) break;
      records.push({ position, partitionKey, data, arrivedAt });
    }
    return records;
  }

  /** The position of the first record that arrived at a time or later. */
  firstPositionAt(stream: string, shard: number, time: number): number | undefined {
    return this.#statements.firstAt.get(stream, shard, time)?.position as number | undefined;
  }

  /** Deletes the records that arrived until a time. */
  expire(stream: string, until: number): void {
    this.#statements.expire.run(stream, until);
  }

  #take(stream: string, shard: number): number {
    return Number(this.#statements.take.get(stream, shard)?.position);
  }
}
