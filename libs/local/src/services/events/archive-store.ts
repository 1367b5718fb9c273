import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { GroupCommit } from '../../core/group-commit.ts';
import { openDatabase, transaction } from '../../core/sqlite.ts';
import type { BusEvent } from './bus-event.ts';

/** A place of an event in an archive. */
export type EventKey = number;

export interface ArchivedEvent {
  /** The envelope. */
  readonly text: string;
  /** The event's own time, in milliseconds since the epoch. */
  readonly time: number;
}

/**
 * The database of EventBridge: the events of archives, the state of replays, the deliveries that wait for a retry, and the resources that
 * callers of the API have created.
 * The events of one turn of the event loop are written together.
 */
export class ArchiveStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #commits = new GroupCommit(() => this.#commit());
  #waiting: { archive: string; storedAt: number; event: BusEvent }[] = [];
  #closed = false;

  /** @param directory without one, what is kept ends with the process */
  constructor(directory?: string) {
    this.#database = openDatabase(
      directory,
      'archives.db',
      `CREATE TABLE IF NOT EXISTS archives (name TEXT PRIMARY KEY, bus_arn TEXT NOT NULL, created_at INTEGER NOT NULL);
       CREATE TABLE IF NOT EXISTS events (
         key INTEGER PRIMARY KEY, archive TEXT NOT NULL, time INTEGER NOT NULL, stored_at INTEGER NOT NULL,
         size INTEGER NOT NULL, text TEXT NOT NULL
       );
       CREATE INDEX IF NOT EXISTS events_by_time ON events (archive, time);
       CREATE INDEX IF NOT EXISTS events_by_age ON events (archive, stored_at, size);
       CREATE TABLE IF NOT EXISTS replays (name TEXT PRIMARY KEY, document TEXT NOT NULL);
       CREATE TABLE IF NOT EXISTS deliveries (
         key INTEGER PRIMARY KEY AUTOINCREMENT, due_at INTEGER NOT NULL, document TEXT NOT NULL
       );
       CREATE TABLE IF NOT EXISTS resources (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL)`,
    );
    this.#insert = this.#database.prepare(
      'INSERT INTO events (archive, time, stored_at, size, text) VALUES (?, ?, ?, ?, ?)',
    );
  }

  /**
   * Takes up an archive: the events of an earlier run are its own if it had the same bus.
   * @returns when it was created first, in milliseconds since the epoch
   */
  openArchive(name: string, busArn: string, now: number): number {
    const known = this.#database.prepare('SELECT created_at FROM archives WHERE name = ? AND bus_arn = ?');
    const createdAt = known.get(name, busArn)?.created_at;
    if (typeof createdAt === 'number') return createdAt;
    this.deleteArchive(name);
    this.#database.prepare('INSERT INTO archives (name, bus_arn, created_at) VALUES (?, ?, ?)').run(name, busArn, now);
    return now;
  }

  /** What `saveResources` has kept; undefined when that was nothing. */
  resources(): unknown {
    const row = this.#database.prepare('SELECT document FROM resources').get();
    return row === undefined ? undefined : JSON.parse(String(row.document));
  }

  /** Keeps the resources that callers of the API have created, in the place of what was kept. */
  saveResources(document: object): void {
    this.#database
      .prepare(
        'INSERT INTO resources (id, document) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document',
      )
      .run(JSON.stringify(document));
  }

  deleteArchive(name: string): void {
    this.#commits.flush();
    this.#database.prepare('DELETE FROM events WHERE archive = ?').run(name);
    this.#database.prepare('DELETE FROM archives WHERE name = ?').run(name);
  }

  /**
   * Adds an event to an archive.
   * @returns resolves when the event is kept
   * @throws Error when it cannot be written; it is forgotten then
   */
  async add(archive: string, event: BusEvent): Promise<void> {
    if (this.#closed) return;
    this.#waiting.push({ archive, storedAt: event.ingestedAt, event });
    this.#commits.schedule();
    await this.#commits.pending;
  }

  /** Forgets the events that were taken before a time, in milliseconds since the epoch. */
  expire(archive: string, before: number): void {
    this.#commits.flush();
    this.#database.prepare('DELETE FROM events WHERE archive = ? AND stored_at < ?').run(archive, before);
  }

  /** How many events an archive has, and the bytes of their envelopes. */
  sizeOf(archive: string): { count: number; bytes: number } {
    this.#commits.flush();
    const query = 'SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS bytes FROM events WHERE archive = ?';
    const row = this.#database.prepare(query).get(archive);
    return { count: Number(row?.count), bytes: Number(row?.bytes) };
  }

  /** When the first event of an archive from a time on, and before another one, happened. */
  firstTime(archive: string, from: number, before: number): number | undefined {
    this.#commits.flush();
    const query = 'SELECT MIN(time) AS time FROM events WHERE archive = ? AND time >= ? AND time < ?';
    const time = this.#database.prepare(query).get(archive, from, before)?.time;
    return typeof time === 'number' ? time : undefined;
  }

  /** The events from a time on, and before another one. */
  keys(archive: string, from: number, before: number): EventKey[] {
    this.#commits.flush();
    const query = 'SELECT key FROM events WHERE archive = ? AND time >= ? AND time < ?';
    return this.#database
      .prepare(query)
      .all(archive, from, before)
      .map(({ key }) => Number(key));
  }

  /** An event, unless it has been forgotten meanwhile. */
  event(key: EventKey): ArchivedEvent | undefined {
    const row = this.#database.prepare('SELECT text, time FROM events WHERE key = ?').get(key);
    return row && { text: String(row.text), time: Number(row.time) };
  }

  saveReplay(name: string, document: object): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO replays (name, document) VALUES (?, ?)')
      .run(name, JSON.stringify(document));
  }

  /** What has been saved of replays. */
  replays(): unknown[] {
    return this.#database
      .prepare('SELECT document FROM replays')
      .all()
      .map(({ document }) => JSON.parse(String(document)));
  }

  close(): void {
    if (this.#closed) return;
    this.#commits.flush();
    this.#closed = true;
    this.#database.close();
  }

  /**
   * Keeps a delivery that waits for a retry.
   * @param dueAt when it is made, in milliseconds since the epoch
   * @param key of the same delivery, if it has waited before
   * @returns its key
   */
  saveDelivery(document: object, dueAt: number, key: number | undefined): number {
    const { lastInsertRowid } = this.#database
      .prepare('INSERT OR REPLACE INTO deliveries (key, due_at, document) VALUES (?, ?, ?)')
      .run(key ?? null, dueAt, JSON.stringify(document));
    return Number(lastInsertRowid);
  }

  removeDelivery(key: number): void {
    this.#database.prepare('DELETE FROM deliveries WHERE key = ?').run(key);
  }

  /** The deliveries that wait for a retry. */
  deliveries(): { key: number; dueAt: number; document: unknown }[] {
    return this.#database
      .prepare('SELECT key, due_at, document FROM deliveries')
      .all()
      .map(({ key, due_at, document }) => ({
        key: Number(key),
        dueAt: Number(due_at),
        document: JSON.parse(String(document)),
      }));
  }

  #commit(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    transaction(this.#database, () => {
      for (const { archive, storedAt, event } of batch) {
        this.#insert.run(archive, event.time, storedAt, Buffer.byteLength(event.text), event.text);
      }
    });
  }
}
