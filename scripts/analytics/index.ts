import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatTable,
  jsonText,
  readArguments,
  readEndpoint,
  readStage,
  runCommand,
  similarNames,
  UsageError,
} from '@millrace/command-line';
import { barsOf, drawBars } from './chart.ts';
import type { LakeDatabase, QueryResult } from './lake-database.ts';
import { type NamedQuery, readNamedQueries } from './named-queries.ts';
import { type ReportSection, reportOf } from './report.ts';

const LOCAL = 'http://127.0.0.1:4566';
const HELP = `Asks the lake of analytics: every event without personal data, and what
visitors looked at. On this machine DuckDB answers; the same queries are in
Athena.

Usage: npm run analytics -- "<sql>" [options]
       npm run analytics -- --query daily-revenue [options]
       npm run analytics -- --html report.html [options]    all named queries

  --query <name>      a named query; --list shows them
  --list              list the named queries, and what they answer
  --from <day>        first day, e.g. 2026-01-31, in UTC (all days)
  --to <day>          last day
  --chart             draw bars instead of a table
  --html <file>       write a page with charts and tables
  --json              as JSON
  --endpoint <url>    the running local cloud (${LOCAL})
  --data-dir <dir>    a directory of npm start -- --data-dir that is not in use
  --stage <name>      stage (dev)
  --help              show this

The tables are
  events   event_date and event_type (both text, and partitions), source, time,
           and detail, the JSON of the event
  views    view_date (text, the partition), id, session_id, page, sku and
           viewed_at; empty at stages without interactions
For example:

  npm run analytics -- "SELECT event_type, count(*) AS events
    FROM events WHERE event_date >= '2026-01-31' GROUP BY event_type"

An event or a view may be there twice: count DISTINCT ids,
json_extract_scalar(detail, '$.metadata.id') or id.
Two question marks in your SQL become --from and --to, two more as well.

A deployed stage: open Athena in the AWS console, choose the workgroup
millrace-analytics-<stage>; its saved queries are these. Run one, and enter the
first and the last day in quotes, '2026-01-01' and '2026-01-31', for each table.

Exit codes: 0 done; 1 the lake is empty or not there, or the query failed;
2 misused, or there is no such query.`;

const OPTIONS = {
  query: { type: 'string' },
  list: { type: 'boolean', default: false },
  from: { type: 'string', default: '0001-01-01' },
  to: { type: 'string', default: '9999-12-31' },
  chart: { type: 'boolean', default: false },
  html: { type: 'string' },
  json: { type: 'boolean', default: false },
  endpoint: { type: 'string' },
  'data-dir': { type: 'string' },
  stage: { type: 'string', default: 'dev' },
  help: { type: 'boolean', default: false },
} as const;

/** What is asked: a named query, or SQL. */
type Question = Pick<NamedQuery, 'name' | 'description' | 'sql'> & Partial<Pick<NamedQuery, 'chart'>>;

interface Place {
  stage: string;
  endpoint: string | undefined;
  dataDirectory: string | undefined;
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments({ options: OPTIONS, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const named = readNamedQueries();
  if (values.list) {
    const rows = named.map(({ name, description }) => [name, description]);
    console.log(formatTable([{ title: 'query' }, { title: 'what it answers' }], rows));
    return 0;
  }
  const questions = questionsOf(named, values.query, positionals, values.html !== undefined);
  const days = [readDay('from', values.from), readDay('to', values.to)] as const;
  if (days[0] > days[1]) throw new UsageError('--from must not be after --to');
  const stage = readStage(values.stage);
  const endpoint = readEndpoint(values.endpoint);
  const dataDirectory = values['data-dir'];
  if (endpoint !== undefined && dataDirectory !== undefined) {
    throw new UsageError('--endpoint and --data-dir cannot be combined');
  }
  if (stage !== 'dev' && endpoint === undefined && dataDirectory === undefined) {
    throw new UsageError(
      `the stage ${stage} is asked in Athena: its workgroup millrace-analytics-${stage} has these queries. ` +
        `For a local cloud of that stage add --endpoint ${LOCAL}`,
    );
  }
  return await withLake({ stage, endpoint, dataDirectory }, async (database) => {
    const sections: ReportSection[] = [];
    for (const question of questions) {
      const { name: title, description, sql, chart } = question;
      const result = await database.query(sql, days);
      sections.push({ title, description, sql, result, ...(chart && { chart }) });
    }
    if (values.html !== undefined) {
      const range =
        values.from === OPTIONS.from.default && values.to === OPTIONS.to.default ? 'All days' : days.join(' to ');
      writeFileSync(values.html, reportOf(sections, { stage, time: new Date(), days: range }));
      console.error(`Wrote ${values.html}`);
    } else for (const section of sections) print(section, values);
    return 0;
  });
}

/** @throws UsageError unless exactly one thing is asked */
function questionsOf(
  named: readonly NamedQuery[],
  name: string | undefined,
  [sql, ...others]: readonly string[],
  mayBeAll: boolean,
): readonly Question[] {
  if (others.length > 0) throw new UsageError('put the SQL in quotes, as one argument');
  if (name !== undefined && sql !== undefined) throw new UsageError('give SQL or --query, not both');
  if (sql !== undefined) return [{ name: 'Query', description: '', sql }];
  if (name === undefined) {
    if (mayBeAll) return named;
    throw new UsageError('give SQL in quotes, --query <name>, or --list');
  }
  const query = named.find((each) => each.name === name);
  if (query) return [query];
  const names = named.map((each) => each.name);
  throw new UsageError(
    `there is no query ${name}; do you mean ${similarNames(names, name, 2).join(' or ')}? See --list`,
  );
}

function readDay(flag: string, text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(text)) return text;
  throw new UsageError(`--${flag} must be a day such as 2026-01-31, not "${text}"`);
}

/** Loads the lake, uses it, and leaves nothing behind. @returns the exit code */
async function withLake(place: Place, use: (database: LakeDatabase) => Promise<number>): Promise<number> {
  // Loaded when it is clear what is wanted: help and misuse would otherwise wait for the AWS SDK and DuckDB.
  const { copyLake } = await import('./lake-objects.ts');
  const { LakeDatabase } = await import('./lake-database.ts');
  const directory = mkdtempSync(join(tmpdir(), 'millrace-lake-'));
  try {
    await using server = place.dataDirectory === undefined ? undefined : await openDataDirectory(place.dataDirectory);
    const endpoint = server?.endpoint ?? place.endpoint ?? LOCAL;
    const found = await copyLake(endpoint, place.stage, directory).catch((cause: unknown) => {
      throw new Error(`S3 at ${endpoint} does not answer (${(cause as Error).message}): does npm start run?`, {
        cause,
      });
    });
    if (!found) {
      throw new Error(
        `The stage ${place.stage} has no lake there: no bucket is named millrace-analytics-${place.stage}-lake-…`,
      );
    }
    if (found.errors > 0) {
      console.error(
        `${found.errors} object(s) below errors/: Firehose could not tell the partition of what is in them`,
      );
    }
    if (found.events + found.views === 0) throw new Error(await explainEmptyLake(place, endpoint));
    using database = await LakeDatabase.open(directory);
    return await use(database);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function openDataDirectory(directory: string) {
  const { startS3Server } = await import('@millrace/local/s3-server');
  return await startS3Server(directory);
}

async function explainEmptyLake({ stage, dataDirectory }: Place, endpoint: string): Promise<string> {
  const wait =
    'Firehose delivers events when the first has waited for lakeBufferSeconds (serverless.stages.yml; 60 s at dev)';
  if (dataDirectory !== undefined) {
    return `Nothing is in this lake yet. ${wait}: start the cloud with this directory, and they are delivered.`;
  }
  const { bufferedBytes } = await import('./lake-objects.ts');
  const bytes = (await bufferedBytes(endpoint, stage)) ?? 0;
  return bytes > 0
    ? `Nothing is in the lake yet, but ${bytes.toLocaleString('en')} bytes are on their way. ${wait}: ask again then. Tests move runtime.clock.`
    : `Nothing is in the lake yet: place an order. ${wait}.`;
}

function print({ result, chart }: ReportSection, { json, chart: isChart }: { json: boolean; chart: boolean }): void {
  if (json) {
    const names = result.columns.map(({ name }) => name);
    const rows = result.rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])));
    console.log(jsonText(rows, 2));
    return;
  }
  if (result.rows.length === 0) {
    console.error('No rows.');
    return;
  }
  const bars = isChart ? barsOf(result, chart) : [];
  if (isChart && bars.length === 0)
    console.error('Nothing to draw: a chart needs a column with numbers after the first.');
  console.log(bars.length > 0 ? drawBars(bars, process.stdout.columns ?? 80) : tableOf(result));
}

function tableOf({ columns, rows }: QueryResult): string {
  return formatTable(
    columns.map(({ name, isNumber }) => ({ title: name, ...(isNumber && { align: 'right' as const }) })),
    rows.map((row) => row.map((cell) => (cell === null ? '–' : String(cell)))),
  );
}

/** Runs the command. What was asked goes to standard output, everything else to standard error. */
export const runAnalytics = () => runCommand('analytics', main);
