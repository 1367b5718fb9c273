import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { openDatabase, transaction } from '../../core/sqlite.ts';

export interface LogGroup {
  readonly name: string;
  /** Times are in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly retentionInDays?: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly isDeclared: boolean;
}

export interface LogStream {
  readonly name: string;
  readonly createdAt: number;
  readonly firstEventAt?: number;
  readonly lastEventAt?: number;
  readonly lastIngestionAt?: number;
}

export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface StoredEvent extends LogEvent {
  readonly id: number;
  readonly streamName: string;
  readonly ingestedAt: number;
}

/** Where a page of events goes on: behind this event, or before it. */
export interface EventPosition {
  timestamp: number;
  id: number;
}

export interface EventQuery {
  groupName: string;
  /** One stream; all of them without it. */
  streamName?: string | undefined;
  /** Both included. */
  from: number;
  to: number;
  after?: EventPosition | undefined;
  before?: EventPosition | undefined;
  /** Newest first. */
  isDescending?: boolean;
}

/** What an event counts beside its message. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
export const EVENT_OVERHEAD_BYTES = 26;

/** Events that are kept without a data directory, until the oldest go. */
const TEMPORARY_BYTES = 64 * 1024 * 1024;

/** Events that are read at once. */
const PAGE_SIZE = 500;

/** Log groups, streams and events in SQLite: in a data directory they survive a restart, otherwise the oldest give way to the newest. */
export class LogStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  readonly #limitBytes: number;
  #bytes = 0;

  /** @param limitBytes of what is kept without a data directory */
  constructor(dataDirectory: string | undefined, limitBytes = TEMPORARY_BYTES) {
    this.#limitBytes = dataDirectory === undefined ? limitBytes : Number.POSITIVE_INFINITY;
    this.#database = openDatabase(
      dataDirectory,
      'logs.db',
      `PRAGMA foreign_keys = ON;
       CREATE TABLE IF NOT EXISTS log_groups (
         name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, retention_in_days INTEGER, tags TEXT NOT NULL, is_declared INTEGER NOT NULL);
       CREATE TABLE IF NOT EXISTS streams (
         id INTEGER PRIMARY KEY, group_name TEXT NOT NULL REFERENCES log_groups ON DELETE CASCADE, name TEXT NOT NULL,
         created_at INTEGER NOT NULL, first_event_at INTEGER, last_event_at INTEGER, last_ingestion_at INTEGER,
         UNIQUE (group_name, name));
       CREATE TABLE IF NOT EXISTS events (
         id INTEGER PRIMARY KEY AUTOINCREMENT, group_name TEXT NOT NULL,
         stream_id INTEGER NOT NULL REFERENCES streams ON DELETE CASCADE, timestamp INTEGER NOT NULL, ingested_at INTEGER NOT NULL,
         bytes INTEGER NOT NULL, message TEXT NOT NULL);
       CREATE INDEX IF NOT EXISTS events_of_group ON events (group_name, timestamp, id);
       CREATE INDEX IF NOT EXISTS events_of_stream ON events (stream_id, timestamp, id)`,
    );
  }

  close(): void {
    this.#database.close();
  }

  group(name: string): LogGroup | undefined {
    return groupOf(this.#prepare('SELECT * FROM log_groups WHERE name = ?').get(name));
  }

  /** By name. */
  groups(): LogGroup[] {
    return this.#prepare('SELECT * FROM log_groups ORDER BY name')
      .all()
      .flatMap((row) => groupOf(row) ?? []);
  }

  saveGroup({ name, createdAt, retentionInDays, tags, isDeclared }: LogGroup): void {
    this.#prepare(
      `INSERT INTO log_groups VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET
         retention_in_days = excluded.retention_in_days, tags = excluded.tags, is_declared = excluded.is_declared`,
    ).run(name, createdAt, retentionInDays ?? null, JSON.stringify(tags), Number(isDeclared));
  }

  /** Deletes a group with its streams and events. */
  deleteGroup(name: string): void {
    this.#prepare('DELETE FROM log_groups WHERE name = ?').run(name);
    this.#recount();
  }

  storedBytes(groupName: string): number {
    const row = this.#prepare('SELECT SUM(bytes) AS bytes FROM events WHERE group_name = ?').get(groupName);
    return Number(row?.bytes ?? 0);
  }

  stream(groupName: string, name: string): LogStream | undefined {
    const row = this.#prepare('SELECT * FROM streams WHERE group_name = ? AND name = ?').get(groupName, name);
    return row && streamOf(row);
  }

  /** By name. */
  streams(groupName: string): LogStream[] {
    return this.#prepare('SELECT * FROM streams WHERE group_name = ? ORDER BY name').all(groupName).map(streamOf);
  }

  createStream(groupName: string, name: string, createdAt: number): void {
    this.#prepare('INSERT INTO streams (group_name, name, created_at) VALUES (?, ?, ?)').run(
      groupName,
      name,
      createdAt,
    );
  }

  deleteStream(groupName: string, name: string): void {
    this.#prepare('DELETE FROM streams WHERE group_name = ? AND name = ?').run(groupName, name);
    this.#recount();
  }

  /** Adds events to a stream that is there. */
  append(groupName: string, streamName: string, events: readonly LogEvent[], ingestedAt: number): void {
    const id = this.#prepare('SELECT id FROM streams WHERE group_name = ? AND name = ?').get(groupName, streamName)?.id;
    if (id === undefined) throw new Error(`There is no stream ${streamName} in ${groupName}`);
    const insert = this.#prepare(
      'INSERT INTO events (group_name, stream_id, timestamp, ingested_at, bytes, message) VALUES (?, ?, ?, ?, ?, ?)',
    );
    transaction(this.#database, () => {
      for (const { timestamp, message } of events) {
        const bytes = Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES;
        insert.run(groupName, id, timestamp, ingestedAt, bytes, message);
        this.#bytes += bytes;
      }
      const first = events.reduce((least, { timestamp }) => Math.min(least, timestamp), Number.MAX_SAFE_INTEGER);
      const last = events.reduce((most, { timestamp }) => Math.max(most, timestamp), 0);
      this.#prepare(
        `UPDATE streams SET last_ingestion_at = ?1, first_event_at = MIN(IFNULL(first_event_at, ?2), ?2),
           last_event_at = MAX(IFNULL(last_event_at, ?3), ?3) WHERE id = ?4`,
      ).run(ingestedAt, first, last, id);
    });
    if (this.#bytes > this.#limitBytes) this.#makeRoom();
  }

  /** Events one by one, by time and then as they came. */
  *events({
    groupName,
    streamName,
    from,
    to,
    after,
    before,
    isDescending = false,
  }: EventQuery): Generator<StoredEvent> {
    const order = isDescending ? 'DESC' : 'ASC';
    const scope = streamName === undefined ? 'events.group_name = ?' : 'streams.group_name = ? AND streams.name = ?';
    const statement = this.#prepare(
      `SELECT events.id, timestamp, ingested_at, message, streams.name AS stream_name
         FROM events JOIN streams ON streams.id = events.stream_id
         WHERE ${scope} AND (timestamp, events.id) > (?, ?) AND (timestamp, events.id) < (?, ?)
         ORDER BY timestamp ${order}, events.id ${order} LIMIT ${PAGE_SIZE}`,
    );
    let low = later(after, { timestamp: from, id: -1 });
    let high = earlier(before, { timestamp: to, id: Number.MAX_SAFE_INTEGER });
    // Page by page: no statement is open while others write.
    for (;;) {
      const bounds = [low.timestamp, low.id, high.timestamp, high.id];
      const page = statement.all(groupName, ...(streamName === undefined ? [] : [streamName]), ...bounds).map(eventOf);
      yield* page;
      const last = page.at(-1);
      if (!last || page.length < PAGE_SIZE) return;
      if (isDescending) high = last;
      else low = last;
    }
  }

  /** Deletes what is older than its group keeps it. */
  expire(now: number): void {
    this.#prepare(
      `DELETE FROM events WHERE id IN (SELECT events.id FROM events JOIN log_groups ON log_groups.name = events.group_name
         WHERE events.timestamp < ? - log_groups.retention_in_days * 86400000)`,
    ).run(now);
    this.#recount();
  }

  /** Deletes the oldest events until a tenth of the room is free. */
  #makeRoom(): void {
    const surplus = this.#bytes - this.#limitBytes * 0.9;
    this.#prepare(
      `DELETE FROM events WHERE id IN (
         SELECT id FROM (SELECT id, SUM(bytes) OVER (ORDER BY id) - bytes AS before FROM events) WHERE before < ?)`,
    ).run(surplus);
    this.#recount();
  }

  #recount(): void {
    if (this.#limitBytes === Number.POSITIVE_INFINITY) return;
    this.#bytes = Number(this.#prepare('SELECT SUM(bytes) AS bytes FROM events').get()?.bytes ?? 0);
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const prepared = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

type Row = Record<string, SQLOutputValue>;

function groupOf(row: Row | undefined): LogGroup | undefined {
  if (!row) return undefined;
  return {
    name: String(row.name),
    createdAt: Number(row.created_at),
    ...(row.retention_in_days !== null && { retentionInDays: Number(row.retention_in_days) }),
    tags: JSON.parse(String(row.tags)) as Record<string, string>,
    isDeclared: row.is_declared === 1,
  };
}

function streamOf(row: Row): LogStream {
  return {
    name: String(row.name),
    createdAt: Number(row.created_at),
    ...(row.last_event_at !== null && {
      firstEventAt: Number(row.first_event_at),
      lastEventAt: Number(row.last_event_at),
      lastIngestionAt: Number(row.last_ingestion_at),
    }),
  };
}

function eventOf(row: Row): StoredEvent {
  return {
    id: Number(row.id),
    timestamp: Number(row.timestamp),
    message: String(row.message),
    streamName: String(row.stream_name),
    ingestedAt: Number(row.ingested_at),
  };
}

function later(one: EventPosition | undefined, other: EventPosition): EventPosition {
  return one && comparePositions(one, other) > 0 ? one : other;
}

function earlier(one: EventPosition | undefined, other: EventPosition): EventPosition {
  return one && comparePositions(one, other) < 0 ? one : other;
}

function comparePositions(one: EventPosition, other: EventPosition): number {
  return one.timestamp - other.timestamp || one.id - other.id;
}
