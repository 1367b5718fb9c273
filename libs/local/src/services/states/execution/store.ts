import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { JsonObject } from '@millrace/states-language';
import { openDatabase, transaction } from '../../../core/sqlite.ts';
import type { Activity } from '../activities/activity.ts';
import type { ExecutionState, HistoryEvent, Thread } from '../engine/execution-state.ts';
import type { Changes } from '../engine/run.ts';

/** An execution, and what it was started with. */
export interface StoredExecution {
  readonly state: ExecutionState;
  /** The definition, as text. */
  readonly definition: string;
  /** Of the version or alias that was started, if one was. */
  readonly qualifiedArn: string | undefined;
}

/** What of an execution is kept beside its threads and events. */
type Summary = Omit<ExecutionState, 'threads'>;

const schema = `
  CREATE TABLE IF NOT EXISTS machines (arn TEXT PRIMARY KEY, document TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS activities (arn TEXT PRIMARY KEY, document TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS definitions (hash TEXT PRIMARY KEY, text TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS executions (
    arn TEXT PRIMARY KEY, machine TEXT NOT NULL, status TEXT NOT NULL, started_at INTEGER NOT NULL, definition TEXT NOT NULL,
    qualified_arn TEXT, announced TEXT NOT NULL DEFAULT '', document TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS executions_by_machine ON executions (machine, started_at);
  CREATE INDEX IF NOT EXISTS executions_by_status ON executions (status);
  CREATE TABLE IF NOT EXISTS threads (execution TEXT NOT NULL, id INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution, id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS events (execution TEXT NOT NULL, id INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (execution, id)) WITHOUT ROWID;
`;

/**
 * Where Standard executions are kept with their threads and their history, and state machines: SQLite. What belongs together is
 * written in one transaction, so that an execution can be resumed from what is here, whenever the process ends.
 */
export class StatesStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param directory of the file. Without one, what is kept ends with the process.
   * @throws FolderError where it cannot be written
   */
  constructor(directory: string | undefined) {
    this.#database = openDatabase(directory, 'states.db', schema);
  }

  /** Takes a new execution. @returns false if there is one with its name already */
  insert({ state, definition, qualifiedArn }: StoredExecution): boolean {
    const hash = createHash('sha256').update(definition).digest('hex');
    this.#statement('INSERT OR IGNORE INTO definitions (hash, text) VALUES (?, ?)').run(hash, definition);
    const { changes } = this.#statement(
      'INSERT OR IGNORE INTO executions (arn, machine, status, started_at, definition, qualified_arn, document) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(state.arn, state.machineArn, state.status, state.startedAt, hash, qualifiedArn ?? null, summaryOf(state));
    return changes === 1;
  }

  /** Records what has changed of an execution, all of it or nothing. */
  save(state: ExecutionState, { threads, removed, events }: Omit<Changes, 'starts'>): void {
    transaction(this.#database, () => {
      this.#statement('UPDATE executions SET status = ?, document = ? WHERE arn = ?').run(
        state.status,
        summaryOf(state),
        state.arn,
      );
      const put = this.#statement('INSERT OR REPLACE INTO threads (execution, id, document) VALUES (?, ?, ?)');
      for (const thread of threads) put.run(state.arn, thread.id, JSON.stringify(thread));
      const remove = this.#statement('DELETE FROM threads WHERE execution = ? AND id = ?');
      for (const id of removed) remove.run(state.arn, id);
      const add = this.#statement('INSERT INTO events (execution, id, document) VALUES (?, ?, ?)');
      for (const event of events) add.run(state.arn, event.id, JSON.stringify(event));
    });
  }

  /** An execution without its threads. */
  find(arn: string): StoredExecution | undefined {
    const row = this.#statement(`${selectExecution} WHERE arn = ?`).get(arn);
    return row && this.#read(row, []);
  }

  /** An execution with its threads, to go on with it. */
  load(arn: string): StoredExecution | undefined {
    const row = this.#statement(`${selectExecution} WHERE arn = ?`).get(arn);
    return row && this.#read(row, this.#threadsOf(arn));
  }

  /** Executions that have not ended. */
  running(): StoredExecution[] {
    return this.#statement(`${selectExecution} WHERE status = 'RUNNING'`)
      .all()
      .map((row) => this.#read(row, this.#threadsOf(String(row.arn))));
  }

  /** Executions of a machine, the newest first, without their threads. */
  list(machineArn: string, status: string | undefined): Summary[] {
    const rows = this.#statement(
      'SELECT document FROM executions WHERE machine = ? AND (?2 IS NULL OR status = ?2) ORDER BY started_at DESC, arn',
    ).all(machineArn, status ?? null);
    return rows.map(({ document }) => JSON.parse(String(document)) as Summary);
  }

  /** Events of an execution, a part of them. */
  events(arn: string, { from, limit, isReverse }: { from: number; limit: number; isReverse: boolean }): HistoryEvent[] {
    const order = isReverse ? 'DESC' : 'ASC';
    return this.#statement(`SELECT document FROM events WHERE execution = ? ORDER BY id ${order} LIMIT ? OFFSET ?`)
      .all(arn, limit, from)
      .map(({ document }) => JSON.parse(String(document)) as HistoryEvent);
  }

  /** Remembers which status the bus has been told of. */
  setAnnounced({ arn, status, redriveCount }: ExecutionState): void {
    this.#statement('UPDATE executions SET announced = ? WHERE arn = ?').run(`${status}:${redriveCount}`, arn);
  }

  /** Executions whose last change of status the bus has not been told of. */
  unannounced(): StoredExecution[] {
    return this.#statement(
      `${selectExecution} WHERE announced != status || ':' || json_extract(document, '$.redriveCount')`,
    )
      .all()
      .map((row) => this.#read(row, []));
  }

  saveMachine(arn: string, document: object): void {
    this.#statement('INSERT OR REPLACE INTO machines (arn, document) VALUES (?, ?)').run(arn, JSON.stringify(document));
  }

  deleteMachine(arn: string): void {
    this.#statement('DELETE FROM machines WHERE arn = ?').run(arn);
  }

  machines(): JsonObject[] {
    return this.#statement('SELECT document FROM machines')
      .all()
      .map(({ document }) => JSON.parse(String(document)) as JsonObject);
  }

  saveActivity(activity: Activity): void {
    const put = this.#statement('INSERT OR REPLACE INTO activities (arn, document) VALUES (?, ?)');
    put.run(activity.arn, JSON.stringify(activity));
  }

  deleteActivity(arn: string): void {
    this.#statement('DELETE FROM activities WHERE arn = ?').run(arn);
  }

  activities(): Activity[] {
    const rows = this.#statement('SELECT document FROM activities').all();
    return rows.map(({ document }) => JSON.parse(String(document)) as Activity);
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #read(row: Record<string, unknown>, threads: readonly Thread[]): StoredExecution {
    const summary = JSON.parse(String(row.document)) as Summary;
    return {
      state: { ...summary, output: summary.output, threads: new Map(threads.map((thread) => [thread.id, thread])) },
      definition: String(row.text),
      qualifiedArn: row.qualified_arn === null ? undefined : String(row.qualified_arn),
    };
  }

  #threadsOf(arn: string): Thread[] {
    const rows = this.#statement('SELECT document FROM threads WHERE execution = ? ORDER BY id').all(arn);
    return rows.map(({ document }) => JSON.parse(String(document)) as Thread);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const prepared = this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

const selectExecution =
  'SELECT arn, document, qualified_arn, text FROM executions JOIN definitions ON definitions.hash = executions.definition';

function summaryOf({ threads: _threads, ...summary }: ExecutionState): string {
  return JSON.stringify(summary);
}
