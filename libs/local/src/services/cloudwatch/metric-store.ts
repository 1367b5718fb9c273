import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, transaction } from '../../core/sqlite.ts';
import { merge, type StatisticSet } from './statistic-set.ts';

export interface Dimension {
  Name: string;
  Value: string;
}

/** What a metric is known by. */
export interface MetricKey {
  namespace: string;
  name: string;
  dimensions: readonly Dimension[];
}

/** What one report adds to a metric. */
export interface Report extends MetricKey {
  /** Milliseconds since the epoch. */
  timestamp: number;
  set: StatisticSet;
  unit?: string | undefined;
  /** In seconds: 1 or 60. */
  resolution?: number | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** CloudWatch keeps one-minute values for 15 days, and coarser ones longer, which this machine does not. */
export const RETENTION_MS = 15 * DAY_MS;
/** Datapoints that are kept without a data directory, until the oldest go. */
const TEMPORARY_DATAPOINTS = 500_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention */
const HIGH_RESOLUTION_MS = 3 * 60 * MINUTE_MS;

/** Metrics with the statistics of each minute, or second, in SQLite: in a data directory they survive a restart. */
export class MetricStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  readonly #limit: number;
  #datapoints = 0;

  /** @param limit of the datapoints that are kept without a data directory; the oldest go first */
  constructor(dataDirectory?: string, limit = TEMPORARY_DATAPOINTS) {
    this.#limit = dataDirectory === undefined ? limit : Number.POSITIVE_INFINITY;
    this.#database = openDatabase(
      dataDirectory,
      'metrics.db',
      `CREATE TABLE IF NOT EXISTS metrics (
         id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL, unit TEXT NOT NULL,
         reported_at INTEGER NOT NULL, UNIQUE (namespace, name, dimensions));
       CREATE TABLE IF NOT EXISTS datapoints (
         metric_id INTEGER NOT NULL, at INTEGER NOT NULL, resolution INTEGER NOT NULL, value TEXT NOT NULL,
         PRIMARY KEY (metric_id, at, resolution)) WITHOUT ROWID`,
    );
  }

  close(): void {
    this.#database.close();
  }

  /** Adds reports, all or none of them. */
  add(reports: readonly Report[], now: number): void {
    transaction(this.#database, () => {
      for (const report of reports) this.#add(report, now);
      if (this.#datapoints > this.#limit) this.#makeRoom();
    });
  }

  /** The metrics that have been reported since a time, by namespace, name and dimensions. */
  metrics(since: number): MetricKey[] {
    return this.#prepare('SELECT * FROM metrics WHERE reported_at >= ? ORDER BY namespace, name, dimensions')
      .all(since)
      .map(({ namespace, name, dimensions }) => ({
        namespace: String(namespace),
        name: String(name),
        dimensions: JSON.parse(String(dimensions)) as Dimension[],
      }));
  }

  /** The unit that a metric was last reported in. */
  unitOf(key: MetricKey): string | undefined {
    return this.#find(key)?.unit;
  }

  /**
   * The statistics of a metric by period, which are aligned to the epoch.
   * @param from included, `to` is not; both in milliseconds since the epoch
   * @returns by the beginning of the period, in order; periods without reports are left out
   */
  periods(key: MetricKey, periodMs: number, from: number, to: number): Map<number, StatisticSet> {
    const found = new Map<number, StatisticSet>();
    const metric = this.#find(key);
    if (!metric) return found;
    const rows = this.#prepare(
      'SELECT at, value FROM datapoints WHERE metric_id = ? AND at >= ? AND at < ? ORDER BY at',
    ).all(metric.id, from, to);
    for (const { at, value } of rows) {
      const start = Math.floor(Number(at) / periodMs) * periodMs;
      const set = JSON.parse(String(value)) as StatisticSet;
      const known = found.get(start);
      found.set(start, known ? merge(known, set) : set);
    }
    return found;
  }

  /** Makes minutes of old seconds, and deletes what is older than it is kept. */
  expire(now: number): void {
    const fine = this.#prepare(
      `SELECT metrics.*, at, value FROM datapoints JOIN metrics ON metrics.id = metric_id WHERE resolution = 1 AND at < ?`,
    ).all(now - HIGH_RESOLUTION_MS);
    const reports = fine.map(
      (row): Report => ({
        namespace: String(row.namespace),
        name: String(row.name),
        dimensions: JSON.parse(String(row.dimensions)) as Dimension[],
        timestamp: Number(row.at),
        set: JSON.parse(String(row.value)) as StatisticSet,
        unit: String(row.unit),
      }),
    );
    transaction(this.#database, () => {
      for (const report of reports) this.#add(report, undefined);
      this.#prepare('DELETE FROM datapoints WHERE resolution = 1 AND at < ?').run(now - HIGH_RESOLUTION_MS);
      this.#prepare('DELETE FROM datapoints WHERE at < ?').run(now - RETENTION_MS);
      this.#forgetEmpty();
    });
  }

  /** @param now when it is reported; undefined for what was reported before */
  #add(
    { namespace, name, dimensions, timestamp, set, unit = 'None', resolution = 60 }: Report,
    now: number | undefined,
  ): void {
    const row = this.#prepare(
      `INSERT INTO metrics (namespace, name, dimensions, unit, reported_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET unit = excluded.unit, reported_at = MAX(reported_at, excluded.reported_at) RETURNING id`,
    ).get(namespace, name, keyOf(dimensions), unit, now ?? 0);
    const id = Number(row?.id);
    const at = Math.floor(timestamp / (resolution * 1000)) * resolution * 1000;
    const known = this.#prepare('SELECT value FROM datapoints WHERE metric_id = ? AND at = ? AND resolution = ?').get(
      id,
      at,
      resolution,
    );
    if (!known) this.#datapoints += 1;
    const value = known ? merge(JSON.parse(String(known.value)) as StatisticSet, set) : set;
    this.#prepare('INSERT OR REPLACE INTO datapoints VALUES (?, ?, ?, ?)').run(
      id,
      at,
      resolution,
      JSON.stringify(value),
    );
  }

  /** Deletes the oldest datapoints until a tenth of the room is free. */
  #makeRoom(): void {
    const surplus = Math.ceil(this.#datapoints - this.#limit * 0.9);
    this.#prepare(
      `DELETE FROM datapoints WHERE (metric_id, at, resolution) IN (
         SELECT metric_id, at, resolution FROM datapoints ORDER BY at LIMIT ?)`,
    ).run(surplus);
    this.#forgetEmpty();
  }

  #forgetEmpty(): void {
    this.#prepare('DELETE FROM metrics WHERE id NOT IN (SELECT metric_id FROM datapoints)').run();
    this.#datapoints = Number(this.#prepare('SELECT COUNT(*) AS count FROM datapoints').get()?.count);
  }

  #find({ namespace, name, dimensions }: MetricKey): { id: number; unit: string } | undefined {
    const row = this.#prepare('SELECT id, unit FROM metrics WHERE namespace = ? AND name = ? AND dimensions = ?').get(
      namespace,
      name,
      keyOf(dimensions),
    );
    return row && { id: Number(row.id), unit: String(row.unit) };
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const prepared = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

/** The same dimensions in another order are the same metric. */
function keyOf(dimensions: readonly Dimension[]): string {
  return JSON.stringify(
    dimensions.map(({ Name, Value }) => ({ Name, Value })).sort((one, other) => (one.Name < other.Name ? -1 : 1)),
  );
}
