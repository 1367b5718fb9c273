import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { openDatabase, transaction } from '../../core/sqlite.ts';
import type { Invocation, Schedule, ScheduleGroup } from './schedule.ts';

/**
 * Schedules, groups and the invocations under way, in SQLite: in a data directory they survive a restart. Reads give copies.
 */
export class ScheduleStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  constructor(dataDirectory?: string) {
    this.#database = openDatabase(
      dataDirectory,
      'scheduler.db',
      `CREATE TABLE IF NOT EXISTS schedule_groups (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS schedules (
         group_name TEXT, name TEXT, value TEXT NOT NULL, due_at INTEGER, PRIMARY KEY (group_name, name)) WITHOUT ROWID;
       CREATE INDEX IF NOT EXISTS due_schedules ON schedules (due_at) WHERE due_at IS NOT NULL;
       CREATE TABLE IF NOT EXISTS invocations (
         id TEXT PRIMARY KEY, group_name TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, due_at INTEGER NOT NULL);
       CREATE INDEX IF NOT EXISTS due_invocations ON invocations (due_at);
       CREATE INDEX IF NOT EXISTS invocations_of_schedule ON invocations (group_name, name)`,
    );
  }

  close(): void {
    this.#database.close();
  }

  /** All of the changes, or none of them. */
  transaction<Result>(change: () => Result): Result {
    return transaction(this.#database, change);
  }

  group(name: string): ScheduleGroup | undefined {
    return this.#one('SELECT value FROM schedule_groups WHERE name = ?', name);
  }

  /** By name. */
  groups(): ScheduleGroup[] {
    return this.#all('SELECT value FROM schedule_groups ORDER BY name');
  }

  saveGroup(group: ScheduleGroup): void {
    this.#run('INSERT OR REPLACE INTO schedule_groups VALUES (?, ?)', group.name, JSON.stringify(group));
  }

  deleteGroup(name: string): void {
    this.#run('DELETE FROM invocations WHERE group_name = ?', name);
    this.#run('DELETE FROM schedules WHERE group_name = ?', name);
    this.#run('DELETE FROM schedule_groups WHERE name = ?', name);
  }

  schedule(groupName: string, name: string): Schedule | undefined {
    return this.#one('SELECT value FROM schedules WHERE group_name = ? AND name = ?', groupName, name);
  }

  /** By group and name. */
  schedules(): Schedule[] {
    return this.#all('SELECT value FROM schedules ORDER BY group_name, name');
  }

  /** @param dueAt when it is due next, if it is */
  saveSchedule(schedule: Schedule, dueAt: number | undefined): void {
    const { groupName, name } = schedule;
    const value = JSON.stringify(schedule);
    this.#run('INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, ?)', groupName, name, value, dueAt ?? null);
  }

  /** Deletes a schedule and its invocations. */
  deleteSchedule(groupName: string, name: string): void {
    this.#run('DELETE FROM invocations WHERE group_name = ? AND name = ?', groupName, name);
    this.#run('DELETE FROM schedules WHERE group_name = ? AND name = ?', groupName, name);
  }

  dueAt(groupName: string, name: string): number | undefined {
    const row = this.#prepare('SELECT due_at FROM schedules WHERE group_name = ? AND name = ?').get(groupName, name);
    return (row?.due_at as number | null | undefined) ?? undefined;
  }

  /** The schedules that are due by a time, in order, with the time each is due. */
  dueSchedules(time: number): { schedule: Schedule; dueAt: number }[] {
    const rows = this.#prepare(
      'SELECT value, due_at FROM schedules WHERE due_at <= ? ORDER BY due_at, group_name, name',
    ).all(time);
    return rows.map((row) => ({ schedule: parse<Schedule>(row.value), dueAt: Number(row.due_at) }));
  }

  saveInvocation(invocation: Invocation, dueAt: number): void {
    const { id, groupName, name } = invocation;
    this.#run(
      'INSERT OR REPLACE INTO invocations VALUES (?, ?, ?, ?, ?)',
      id,
      groupName,
      name,
      JSON.stringify(invocation),
      dueAt,
    );
  }

  deleteInvocation(id: string): void {
    this.#run('DELETE FROM invocations WHERE id = ?', id);
  }

  hasInvocation(id: string): boolean {
    return this.#prepare('SELECT 1 FROM invocations WHERE id = ?').get(id) !== undefined;
  }

  hasInvocationsOf(groupName: string, name: string): boolean {
    return (
      this.#prepare('SELECT 1 FROM invocations WHERE group_name = ? AND name = ? LIMIT 1').get(groupName, name) !==
      undefined
    );
  }

  /** The invocations that are due by a time, in order. */
  dueInvocations(time: number): Invocation[] {
    return this.#all('SELECT value FROM invocations WHERE due_at <= ? ORDER BY due_at, rowid', time);
  }

  /** When the next schedule or invocation after a time is due. */
  nextDue(after: number): number | undefined {
    const row = this.#prepare(
      `SELECT MIN(due_at) AS due_at FROM (
         SELECT MIN(due_at) AS due_at FROM schedules WHERE due_at IS NOT NULL UNION ALL
         SELECT MIN(due_at) FROM invocations WHERE due_at > ?)`,
    ).get(after);
    return (row?.due_at as number | null | undefined) ?? undefined;
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const prepared = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }

  #run(sql: string, ...parameters: (string | number | null)[]): void {
    this.#prepare(sql).run(...parameters);
  }

  #one<Value>(sql: string, ...parameters: (string | number)[]): Value | undefined {
    const row = this.#prepare(sql).get(...parameters);
    return row && parse<Value>(row.value);
  }

  #all<Value>(sql: string, ...parameters: (string | number)[]): Value[] {
    return this.#prepare(sql)
      .all(...parameters)
      .map((row) => parse<Value>(row.value));
  }
}

function parse<Value>(value: SQLOutputValue | undefined): Value {
  return JSON.parse(String(value)) as Value;
}
