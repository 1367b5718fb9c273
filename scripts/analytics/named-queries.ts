import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Which columns a chart draws. */
export interface ChartColumns {
  label: string;
  value: string;
  /** Tells bars with the same label apart, e.g. by currency. */
  series?: string;
}

/** A query of services/analytics/lake/queries: one text for Athena and DuckDB. */
export interface NamedQuery {
  name: string;
  /** What it answers: its first line. */
  description: string;
  chart: ChartColumns;
  sql: string;
}

/** Where the queries are: the template of services/analytics includes the same files. */
export const queryDirectory = join(import.meta.dirname, '..', '..', 'services', 'analytics', 'lake', 'queries');

/**
 * Reads the named queries, by name. The first line of each says what it answers, the second which columns a chart draws:
 * `-- chart: <label>, <value>[, <series>]`.
 * @throws Error for a file that does not begin so
 */
export function readNamedQueries(directory = queryDirectory): NamedQuery[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const sql = readFileSync(join(directory, file), 'utf8');
      const [, description, label, value, series] = /^-- (\S.*)\n-- chart: (\w+), (\w+)(?:, (\w+))?\n/.exec(sql) ?? [];
      if (description === undefined || label === undefined || value === undefined) {
        throw new Error(`${file} must begin with "-- <what it answers>" and "-- chart: <label>, <value>"`);
      }
      const chart = { label, value, ...(series !== undefined && { series }) };
      return { name: basename(file, '.sql'), description, chart, sql };
    });
}
