import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../../core/sqlite.ts';

export interface Topic {
  arn: string;
  name: string;
  /** Those that can be set. */
  attributes: Record<string, string>;
  tags: Record<string, string>;
}

export interface Subscription {
  arn: string;
  topicArn: string;
  protocol: string;
  endpoint: string;
  attributes: Record<string, string>;
  /** Undefined until it is confirmed. */
  confirmedAt: number | undefined;
  createdAt: number;
  /** What confirms it. */
  token: string;
  /** Whether only its owner may end it. */
  authenticated: boolean;
}

/** A message that a FIFO topic has taken. */
export interface DeduplicatedMessage {
  messageId: string;
  sequenceNumber: string;
}

const schema = `
  CREATE TABLE IF NOT EXISTS topics (arn TEXT PRIMARY KEY, name TEXT NOT NULL, attributes TEXT NOT NULL, tags TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS subscriptions (
    arn TEXT PRIMARY KEY, topic TEXT NOT NULL, protocol TEXT NOT NULL, endpoint TEXT NOT NULL, attributes TEXT NOT NULL,
    confirmed_at INTEGER, created_at INTEGER NOT NULL, token TEXT NOT NULL, authenticated INTEGER NOT NULL,
    UNIQUE (topic, protocol, endpoint)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS deduplication (
    topic TEXT NOT NULL, key TEXT NOT NULL, message TEXT NOT NULL, taken_at INTEGER NOT NULL, PRIMARY KEY (topic, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS deduplication_by_time ON deduplication (taken_at);
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** Topics and subscriptions, in SQLite: in a file, or in memory without a data directory. */
export class SnsStore implements Disposable {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(directory?: string) {
    this.database = openDatabase(directory, 'sns.db', schema);
  }

  /** Makes the writes of a function together, or not at all. It must not wait in between. */
  transaction<T>(write: () => T): T {
    return transaction(this.database, write);
  }

  topic(arn: string): Topic | undefined {
    return topicOf(this.#sql('SELECT * FROM topics WHERE arn = ?').get(arn));
  }

  /** By ARN. */
  topics(): Topic[] {
    return this.#sql('SELECT * FROM topics ORDER BY arn')
      .all()
      .map((row) => topicOf(row) as Topic);
  }

  saveTopic({ arn, name, attributes, tags }: Topic): void {
    this.#sql('INSERT OR REPLACE INTO topics VALUES (?, ?, ?, ?)').run(
      arn,
      name,
      JSON.stringify(attributes),
      JSON.stringify(tags),
    );
  }

  /** With its subscriptions. */
  removeTopic(arn: string): void {
    this.#sql('DELETE FROM topics WHERE arn = ?').run(arn);
    this.#sql('DELETE FROM subscriptions WHERE topic = ?').run(arn);
    this.#sql('DELETE FROM deduplication WHERE topic = ?').run(arn);
  }

  subscription(arn: string): Subscription | undefined {
    return subscriptionOf(this.#sql('SELECT * FROM subscriptions WHERE arn = ?').get(arn));
  }

  findSubscription(topicArn: string, protocol: string, endpoint: string): Subscription | undefined {
    const select = 'SELECT * FROM subscriptions WHERE topic = ? AND protocol = ? AND endpoint = ?';
    return subscriptionOf(this.#sql(select).get(topicArn, protocol, endpoint));
  }

  subscriptionByToken(token: string): Subscription | undefined {
    return subscriptionOf(this.#sql('SELECT * FROM subscriptions WHERE token = ?').get(token));
  }

  /** By ARN. @param topicArn of this topic alone */
  subscriptions(topicArn?: string): Subscription[] {
    const rows =
      topicArn === undefined
        ? this.#sql('SELECT * FROM subscriptions ORDER BY arn').all()
        : this.#sql('SELECT * FROM subscriptions WHERE topic = ? ORDER BY arn').all(topicArn);
    return rows.map((row) => subscriptionOf(row) as Subscription);
  }

  saveSubscription(subscription: Subscription): void {
    const { arn, topicArn, protocol, endpoint, attributes, confirmedAt, createdAt, token, authenticated } =
      subscription;
    this.#sql('INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      ...[arn, topicArn, protocol, endpoint, JSON.stringify(attributes)],
      ...[confirmedAt ?? null, createdAt, token, authenticated ? 1 : 0],
    );
  }

  removeSubscription(arn: string): void {
    this.#sql('DELETE FROM subscriptions WHERE arn = ?').run(arn);
  }

  /** The message that a FIFO topic has taken with a key since a time. */
  deduplicated(topicArn: string, key: string, since: number): DeduplicatedMessage | undefined {
    this.#sql('DELETE FROM deduplication WHERE taken_at <= ?').run(since);
    const row = this.#sql('SELECT message FROM deduplication WHERE topic = ? AND key = ?').get(topicArn, key);
    return row && JSON.parse(String(row.message));
  }

  saveDeduplicated(topicArn: string, key: string, message: DeduplicatedMessage, takenAt: number): void {
    this.#sql('INSERT OR REPLACE INTO deduplication VALUES (?, ?, ?, ?)').run(
      topicArn,
      key,
      JSON.stringify(message),
      takenAt,
    );
  }

  setting<T>(name: string): T | undefined {
    const row = this.#sql('SELECT value FROM settings WHERE name = ?').get(name);
    return row && JSON.parse(String(row.value));
  }

  setSetting(name: string, value: unknown): void {
    this.#sql('INSERT OR REPLACE INTO settings VALUES (?, ?)').run(name, JSON.stringify(value));
  }

  [Symbol.dispose](): void {
    this.database.close();
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known) return known;
    const statement = this.database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

function topicOf(row: Record<string, SQLOutputValue> | undefined): Topic | undefined {
  if (!row) return undefined;
  const [attributes, tags] = [JSON.parse(String(row.attributes)), JSON.parse(String(row.tags))];
  return { arn: String(row.arn), name: String(row.name), attributes, tags };
}

function subscriptionOf(row: Record<string, SQLOutputValue> | undefined): Subscription | undefined {
  return (
    row && {
      arn: String(row.arn),
      topicArn: String(row.topic),
      protocol: String(row.protocol),
      endpoint: String(row.endpoint),
      attributes: JSON.parse(String(row.attributes)),
      confirmedAt: row.confirmed_at === null ? undefined : Number(row.confirmed_at),
      createdAt: Number(row.created_at),
      token: String(row.token),
      authenticated: row.authenticated === 1,
    }
  );
}
