import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';

export type Cell = string | number | boolean | null;

/** What a query found. */
export interface QueryResult {
  columns: { name: string; isNumber: boolean }[];
  rows: Cell[][];
}

/** A query that DuckDB refuses, in its words and with the line. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** What Athena has and DuckDB calls otherwise: all that the named queries need beyond the SQL that both have. */
const TRINO_FUNCTIONS = [
  'CREATE MACRO json_extract_scalar(json, path) AS json_extract_string(json, path)',
  'CREATE MACRO sequence(first, last) AS generate_series(CAST(first AS BIGINT), CAST(last AS BIGINT))',
  'CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMP)',
  'CREATE MACRO to_unixtime(moment) AS epoch(moment)',
];

const NUMBERS = new Set([
  ...[DuckDBTypeId.TINYINT, DuckDBTypeId.SMALLINT, DuckDBTypeId.INTEGER, DuckDBTypeId.BIGINT, DuckDBTypeId.HUGEINT],
  ...[DuckDBTypeId.UTINYINT, DuckDBTypeId.USMALLINT, DuckDBTypeId.UINTEGER, DuckDBTypeId.UBIGINT],
  ...[DuckDBTypeId.UHUGEINT, DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE, DuckDBTypeId.DECIMAL],
]);

/**
 * What the lake has: its tables, with the columns that their lines have, those that only their paths have, and how Athena's SerDe names
 * what is not in small letters.
 */
const TABLES = [
  {
    name: 'events',
    columns: ['source', 'time', 'detail'],
    partitions: ['event_date', 'event_type'],
    renamed: {},
  },
  {
    name: 'views',
    columns: ['id', 'sessionId', 'page', 'sku', 'viewedAt'],
    partitions: ['view_date'],
    renamed: { sessionId: 'session_id', viewedAt: 'viewed_at' },
  },
] as const;

/** The tables `events` and `views` of the lake, in DuckDB. */
export class LakeDatabase implements Disposable {
  readonly #connection: DuckDBConnection;
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /**
   * Loads the lines of a lake, with the columns that the Glue tables have. From then on no query can read or write files: it may come from
   * anywhere.
   *
   * @param directory with `events/event_date=<day>/event_type=<type>/<object>` and `views/view_date=<day>/<object>` below it, or neither
   * @throws Error for a line that is not JSON
   * @example using database = await LakeDatabase.open('/tmp/lake');
   */
  static async open(directory: string): Promise<LakeDatabase> {
    const instance = await DuckDBInstance.create(':memory:');
    const database = new LakeDatabase(instance, await instance.connect());
    await database.#load(directory);
    return database;
  }

  async #load(directory: string): Promise<void> {
    for (const macro of TRINO_FUNCTIONS) await this.#connection.run(macro);
    for (const table of TABLES) await this.#connection.run(tableOf(table, join(directory, table.name)));
    await this.#connection.run('SET enable_external_access = false');
    await this.#connection.run('SET lock_configuration = true');
  }

  /**
   * Runs one query.
   *
   * @param days the first and the last, `2026-01-31`: the values of its parameters, for each table that it reads
   * @throws QueryError with DuckDB's message, which names the line
   * @example await database.query('SELECT count(*) AS events FROM events', ['2026-01-01', '2026-12-31']);
   */
  async query(sql: string, days: readonly [string, string]): Promise<QueryResult> {
    try {
      const statement = await this.#connection.prepare(sql);
      const { parameterCount } = statement;
      if (parameterCount % days.length !== 0) {
        throw new Error(
          `The query has ${parameterCount} parameters: use two for each table, for the first and the last day, or none`,
        );
      }
      if (parameterCount > 0)
        statement.bind(Array.from({ length: parameterCount }, (_, index) => days[index % 2] ?? ''));
      const reader = await statement.runAndReadAll();
      const columns = reader.columnNames().map((name, index) => ({
        name,
        isNumber: NUMBERS.has(reader.columnTypeId(index)),
      }));
      // Whole numbers of 64 bits come as texts.
      const rows = reader.getRowsJson().map((row) =>
        row.map((value, index) => {
          if (value === null || typeof value === 'boolean') return value;
          if (columns[index]?.isNumber) return Number(value);
          return typeof value === 'string' ? value : JSON.stringify(value);
        }),
      );
      return { columns, rows };
    } catch (error) {
      throw new QueryError((error as Error).message);
    }
  }

  [Symbol.dispose](): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

/** Makes a table of the objects in a folder, or an empty one. */
function tableOf({ name, columns, partitions, renamed }: (typeof TABLES)[number], folder: string): string {
  const types = (names: readonly string[]): string => names.map((each) => `${each}: VARCHAR`).join(', ');
  const named = columns.map((column) => {
    const other = (renamed as Readonly<Record<string, string>>)[column];
    return other === undefined ? column : `"${column}" AS ${other}`;
  });
  if (!existsSync(folder)) {
    const empty = [...named.map((each) => each.split(' AS ').at(-1)), ...partitions].map((each) => `${each} VARCHAR`);
    return `CREATE TABLE ${name} (${empty.join(', ')})`;
  }
  const objects = join(folder, ...partitions.map((each) => `${each}=*`), '*').replaceAll("'", "''");
  const read = columns.map((column) => `"${column}": 'VARCHAR'`);
  return `CREATE TABLE ${name} AS SELECT ${[...named, ...partitions].join(', ')}
    FROM read_json('${objects}', format = 'newline_delimited', columns = { ${read.join(', ')} }, hive_partitioning = true,
      hive_types = { ${types(partitions)} })`;
}
