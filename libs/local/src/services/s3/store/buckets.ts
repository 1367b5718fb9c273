import type { DatabaseSync, StatementSync } from 'node:sqlite';

export interface Bucket {
  name: string;
  region: string;
  createdAt: number;
}

/** The buckets, with what is configured of each by the name of the setting. */
export class Buckets {
  readonly #get: StatementSync;
  readonly #list: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteSettings: StatementSync;
  readonly #setting: StatementSync;
  readonly #setSetting: StatementSync;
  readonly #removeSetting: StatementSync;

  constructor(database: DatabaseSync) {
    const select = 'SELECT name, region, created_at AS createdAt FROM buckets';
    this.#get = database.prepare(`${select} WHERE name = ?`);
    this.#list = database.prepare(`${select} ORDER BY name`);
    this.#insert = database.prepare('INSERT INTO buckets (name, region, created_at) VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM buckets WHERE name = ?');
    this.#deleteSettings = database.prepare('DELETE FROM settings WHERE bucket = ?');
    this.#setting = database.prepare('SELECT value FROM settings WHERE bucket = ? AND name = ?');
    this.#setSetting = database.prepare('INSERT OR REPLACE INTO settings (bucket, name, value) VALUES (?, ?, ?)');
    this.#removeSetting = database.prepare('DELETE FROM settings WHERE bucket = ? AND name = ?');
  }

  get(name: string): Bucket | undefined {
    return this.#get.get(name) as Bucket | undefined;
  }

  list(): Bucket[] {
    return this.#list.all() as unknown as Bucket[];
  }

  insert({ name, region, createdAt }: Bucket): void {
    this.#insert.run(name, region, createdAt);
  }

  remove(name: string): void {
    this.#delete.run(name);
    this.#deleteSettings.run(name);
  }

  /** Undefined where it is not configured. */
  setting<T>(bucket: string, name: string): T | undefined {
    const value = this.#setting.get(bucket, name)?.value;
    return value === undefined ? undefined : JSON.parse(String(value));
  }

  setSetting(bucket: string, name: string, value: unknown): void {
    this.#setSetting.run(bucket, name, JSON.stringify(value));
  }

  removeSetting(bucket: string, name: string): void {
    this.#removeSetting.run(bucket, name);
  }
}
