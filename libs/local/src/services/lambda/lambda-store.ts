import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../../core/sqlite.ts';

/** An event that was accepted for asynchronous invocation. */
export interface AsyncEvent {
  requestId: string;
  functionName: string;
  /** As it was invoked: a version, an alias or nothing. */
  qualifier: string | undefined;
  payload: string;
  traceHeader: string | undefined;
  clientContext: string | undefined;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  /** Attempts that ended with an error of the function. */
  failures: number;
  /** Attempts that did not reach the function, in a row. */
  throttles: number;
  /** What the last attempt came to, as JSON. */
  lastResult: string | undefined;
}

interface Row extends Record<string, unknown> {
  request_id: string;
  function: string;
  qualifier: string | null;
  payload: string;
  trace_header: string | null;
  client_context: string | null;
  received_at: number;
  failures: number;
  throttles: number;
  last_result: string | null;
}

/** An event that was being handled when the last process ended was not handled. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS async_events (
    sequence INTEGER PRIMARY KEY, request_id TEXT UNIQUE NOT NULL, function TEXT NOT NULL, qualifier TEXT,
    payload TEXT NOT NULL, trace_header TEXT, client_context TEXT, received_at REAL NOT NULL, due_at REAL NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, throttles INTEGER NOT NULL DEFAULT 0, last_result TEXT,
    taken INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS waiting_events ON async_events (function, taken, due_at);
  UPDATE async_events SET taken = 0 WHERE taken = 1;
  CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key));
`;

/**
 * What Lambda keeps: the queue of asynchronous events, and what its API has created. With a data directory each write outlives this
 * process, however it ends.
 */
export class LambdaStore {
  readonly #database: DatabaseSync;
  readonly #statements;

  /** @param directory in memory without it */
  constructor(directory: string | undefined) {
    this.#database = openDatabase(directory, 'lambda.db', SCHEMA);
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#statements = {
      add: prepare(`INSERT INTO async_events
        (request_id, function, qualifier, payload, trace_header, client_context, received_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
      take: prepare(`UPDATE async_events SET taken = 1 WHERE sequence =
        (SELECT sequence FROM async_events WHERE function = ? AND taken = 0 AND due_at <= ? ORDER BY due_at, sequence LIMIT 1)
        RETURNING *`),
      putBack: prepare(
        'UPDATE async_events SET taken = 0, due_at = ?, failures = ?, throttles = ?, last_result = ? WHERE request_id = ?',
      ),
      remove: prepare('DELETE FROM async_events WHERE request_id = ?'),
      waiting: prepare('SELECT function, due_at FROM async_events WHERE taken = 0 GROUP BY function, due_at'),
      depth: prepare('SELECT function, SUM(taken) AS taken, COUNT(*) AS count FROM async_events GROUP BY function'),
      documents: prepare('SELECT key, value FROM documents WHERE kind = ? ORDER BY rowid'),
      save: prepare(
        'INSERT INTO documents (kind, key, value) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value',
      ),
      drop: prepare('DELETE FROM documents WHERE kind = ? AND key = ?'),
    };
  }

  /** Keeps an event that is due at once. */
  addEvent(event: AsyncEvent): void {
    const { requestId, functionName, qualifier, payload, traceHeader, clientContext, receivedAt } = event;
    const rest = [qualifier ?? null, payload, traceHeader ?? null, clientContext ?? null] as const;
    this.#statements.add.run(requestId, functionName, ...rest, receivedAt, receivedAt);
  }

  /** Takes the event of a function that has been due longest, if one is due. Nobody else is given it until it is put back. */
  takeEvent(functionName: string, now: number): AsyncEvent | undefined {
    const row = this.#statements.take.get(functionName, now) as Row | undefined;
    if (!row) return undefined;
    return {
      requestId: row.request_id,
      functionName: row.function,
      qualifier: row.qualifier ?? undefined,
      payload: row.payload,
      traceHeader: row.trace_header ?? undefined,
      clientContext: row.client_context ?? undefined,
      receivedAt: row.received_at,
      failures: row.failures,
      throttles: row.throttles,
      lastResult: row.last_result ?? undefined,
    };
  }

  /** Puts an event that was taken back, with what it has come to. */
  putBackEvent({ requestId, failures, throttles, lastResult }: AsyncEvent, dueAt: number): void {
    this.#statements.putBack.run(dueAt, failures, throttles, lastResult ?? null, requestId);
  }

  removeEvent(requestId: string): void {
    this.#statements.remove.run(requestId);
  }

  /** When events of which functions are due. */
  waitingEvents(): { functionName: string; dueAt: number }[] {
    const rows = this.#statements.waiting.all() as { function: string; due_at: number }[];
    return rows.map((row) => ({ functionName: row.function, dueAt: row.due_at }));
  }

  /** How many events of each function wait, and how many are being handled. */
  eventCounts(): Record<string, { waiting: number; running: number }> {
    const rows = this.#statements.depth.all() as { function: string; taken: number; count: number }[];
    return Object.fromEntries(
      rows.map((row) => [row.function, { waiting: row.count - row.taken, running: row.taken }]),
    );
  }

  /** What was saved of one kind, by key, oldest first. */
  documents<T>(kind: string): Map<string, T> {
    const rows = this.#statements.documents.all(kind) as { key: string; value: string }[];
    return new Map(rows.map(({ key, value }) => [key, JSON.parse(value) as T]));
  }

  saveDocument(kind: string, key: string, value: unknown): void {
    this.#statements.save.run(kind, key, JSON.stringify(value));
  }

  removeDocument(kind: string, key: string): void {
    this.#statements.drop.run(kind, key);
  }

  close(): void {
    this.#database.close();
  }
}
