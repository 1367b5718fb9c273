import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../../core/sqlite.ts';
import type { Execution, HistoryEvent, OperationRecord } from './execution-state.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS executions (
    arn TEXT PRIMARY KEY, function TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, status TEXT NOT NULL,
    started_at INTEGER NOT NULL, expires_at INTEGER, announced TEXT NOT NULL DEFAULT '', input TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (function, name));
  CREATE INDEX IF NOT EXISTS executions_by_status ON executions (status);
  CREATE INDEX IF NOT EXISTS executions_by_expiry ON executions (expires_at);
  CREATE TABLE IF NOT EXISTS operations (
    execution TEXT NOT NULL, sequence INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution, sequence)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS events (
    execution TEXT NOT NULL, id INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution, id)) WITHOUT ROWID;
`;

/** Which executions are listed. */
export interface ExecutionFilter {
  functionName: string;
  version?: string | undefined;
  name?: string | undefined;
  statuses: readonly string[];
  startedAfter?: number | undefined;
  startedBefore?: number | undefined;
  isOldestFirst: boolean;
  from: number;
  limit: number;
}

/** A part of a list. */
export interface Part {
  from: number;
  limit: number;
}

/**
 * Where durable executions are kept with their operations and their history: SQLite. What a checkpoint changes is written in one
 * transaction, so that an execution can be resumed from what is here, whenever the process ends.
 */
export class DurableStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param directory of the file. Without one, what is kept ends with the process.
   * @throws FolderError where it cannot be written
   */
  constructor(directory: string | undefined) {
    this.#database = openDatabase(directory, 'durable-executions.db', SCHEMA);
  }

  /** Keeps an execution and what has changed of it, all or nothing. */
  save(execution: Execution, operations: readonly OperationRecord[], events: readonly HistoryEvent[]): void {
    // The input may be large, and stays as it is.
    const { input, ...document } = execution;
    const { arn, functionName, name, version, status, startedAt, endedAt, config } = document;
    const expiresAt = endedAt === undefined ? null : endedAt + config.retentionDays * DAY_MS;
    transaction(this.#database, () => {
      this.#statement(
        `INSERT INTO executions (arn, function, name, version, status, started_at, expires_at, input, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (arn) DO UPDATE SET status = excluded.status, expires_at = excluded.expires_at, document = excluded.document`,
      ).run(arn, functionName, name, version, status, startedAt, expiresAt, input, JSON.stringify(document));
      const put = this.#statement('INSERT OR REPLACE INTO operations (execution, sequence, document) VALUES (?, ?, ?)');
      for (const record of operations) put.run(arn, record.sequence, JSON.stringify(record));
      const add = this.#statement('INSERT INTO events (execution, id, document) VALUES (?, ?, ?)');
      for (const event of events) add.run(arn, event.EventId, JSON.stringify(event));
    });
  }

  find(arn: string): Execution | undefined {
    const row = this.#statement('SELECT input, document FROM executions WHERE arn = ?').get(arn);
    return row && read(row);
  }

  findByName(functionName: string, name: string): Execution | undefined {
    const sql = 'SELECT input, document FROM executions WHERE function = ? AND name = ?';
    const row = this.#statement(sql).get(functionName, name);
    return row && read(row);
  }

  running(): Execution[] {
    return this.#statement("SELECT input, document FROM executions WHERE status = 'RUNNING' ORDER BY started_at")
      .all()
      .map(read);
  }

  list(filter: ExecutionFilter): Execution[] {
    const { functionName, version, name, statuses, startedAfter, startedBefore, isOldestFirst, from, limit } = filter;
    const order = isOldestFirst ? 'ASC' : 'DESC';
    return this.#statement(
      `SELECT input, document FROM executions WHERE function = ?1 AND (?2 IS NULL OR version = ?2) AND (?3 IS NULL OR name = ?3)
         AND (?4 = '[]' OR status IN (SELECT value FROM json_each(?4)))
         AND (?5 IS NULL OR started_at > ?5) AND (?6 IS NULL OR started_at < ?6)
       ORDER BY started_at ${order}, rowid ${order} LIMIT ?7 OFFSET ?8`,
    )
      .all(
        ...[functionName, version ?? null, name ?? null, JSON.stringify(statuses)],
        ...[startedAfter ?? null, startedBefore ?? null, limit, from],
      )
      .map(read);
  }

  /** The operations of an execution, in the order in which they were started. */
  operations(arn: string): OperationRecord[] {
    return this.#statement('SELECT document FROM operations WHERE execution = ? ORDER BY sequence')
      .all(arn)
      .map((row) => JSON.parse(String(row.document)) as OperationRecord);
  }

  /** Events of an execution. */
  events(arn: string, { from, limit }: Part, isReverse: boolean): HistoryEvent[] {
    const order = isReverse ? 'DESC' : 'ASC';
    return this.#statement(`SELECT document FROM events WHERE execution = ? ORDER BY id ${order} LIMIT ? OFFSET ?`)
      .all(arn, limit, from)
      .map((row) => JSON.parse(String(row.document)) as HistoryEvent);
  }

  /** Remembers which status the bus has been told of. */
  setAnnounced(arn: string, status: string): void {
    this.#statement('UPDATE executions SET announced = ? WHERE arn = ?').run(status, arn);
  }

  /** Executions whose last change of status the bus has not been told of. */
  unannounced(): Execution[] {
    return this.#statement('SELECT input, document FROM executions WHERE announced != status ORDER BY started_at')
      .all()
      .map(read);
  }

  /** Forgets the executions whose retention is over. */
  removeExpired(now: number): void {
    const expired = this.#statement('SELECT arn FROM executions WHERE expires_at <= ?').all(now);
    if (expired.length === 0) return;
    transaction(this.#database, () => {
      for (const { arn } of expired) {
        this.#statement('DELETE FROM operations WHERE execution = ?').run(arn as string);
        this.#statement('DELETE FROM events WHERE execution = ?').run(arn as string);
        this.#statement('DELETE FROM executions WHERE arn = ?').run(arn as string);
      }
    });
  }

  counts(): Record<string, number> {
    const rows = this.#statement('SELECT status, COUNT(*) AS count FROM executions GROUP BY status').all();
    return Object.fromEntries(rows.map(({ status, count }) => [String(status), Number(count)]));
  }

  close(): void {
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

function read({ input, document }: Record<string, unknown>): Execution {
  return { ...(JSON.parse(String(document)) as Omit<Execution, 'input'>), input: String(input) };
}
