import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startS3Server } from '@millrace/local/s3-server';
import { runScript } from '../../test/run-script.ts';
import { eventsOf, scriptedOrders } from './fixtures/scripted-shop.ts';

const analytics = (...args: string[]) => runScript('analytics', ...args);
const BUCKET = 'millrace-analytics-dev-lake-000000000000';
const credentials = { accessKeyId: 'operator', secretAccessKey: 'local' };

let folder: string;
/** A lake that is kept in a directory, and is not in use. */
let kept: string;

async function fill(directory: string, objects: Record<string, string>): Promise<void> {
  await using server = await startS3Server(directory);
  const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const [Key, Body] of Object.entries(objects))
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  client.destroy();
}

/** An object for each event, as Firehose writes them, with what else may be in the bucket. */
function objectsOfScript(): Record<string, string> {
  const objects = scriptedOrders.flatMap(eventsOf).map((event, index) => {
    const day = event.detail.metadata.timestamp.slice(0, 10);
    return [
      `events/event_date=${day}/event_type=${event['detail-type']}/lake-1-${index}`,
      `${JSON.stringify(event)}\n`,
    ];
  });
  return { ...Object.fromEntries(objects), 'errors/processing-failed/2026-03-01/x': '{}\n', 'results/x.csv': 'a\n' };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'analytics-'));
  kept = join(folder, 'kept');
  await fill(kept, objectsOfScript());
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('npm run analytics', () => {
  test('--help says what can be asked, in 80 columns, with exit codes', async () => {
    const { exitCode, stdout } = await analytics('--help');
    expect(exitCode).toBe(0);
    for (const flag of ['--query', '--list', '--from', '--chart', '--html', '--data-dir', '--stage', 'Exit codes']) {
      expect(stdout).toContain(flag);
    }
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('--list shows the queries with what they answer', async () => {
    const { exitCode, stdout } = await analytics('--list');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^daily-revenue +Money taken/m);
    expect(stdout).toMatch(/^funnel +How far/m);
  });

  test.each([
    [['--query', 'daily-revenu'], 'there is no query daily-revenu; do you mean daily-revenue'],
    [[], 'give SQL in quotes'],
    [['SELECT', '1'], 'put the SQL in quotes'],
    [['SELECT 1', '--query', 'funnel'], 'not both'],
    [['SELECT 1', '--from', '2026-02-30'], '--from must be a day such as 2026-01-31, not "2026-02-30"'],
    [['SELECT 1', '--from', '2026-02-02', '--to', '2026-02-01'], '--from must not be after --to'],
    [['SELECT 1', '--endpoint', 'http://127.0.0.1:1', '--data-dir', 'x'], 'cannot be combined'],
    [['SELECT 1', '--stage', 'prod'], 'asked in Athena: its workgroup millrace-analytics-prod'],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { exitCode, stderr } = await analytics(...args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});

describe('a lake in a data directory', () => {
  const ask = (...args: string[]) => analytics(...args, '--data-dir', kept);

  test('answers a named query, for the days that are given', async () => {
    const { exitCode, stdout, stderr } = await ask('--query', 'orders-by-outcome', '--from', '2026-03-02', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([{ day: '2026-03-02', placed: 4, confirmed: 1, cancelled: 2, still_open: 1 }]);
    expect(stderr).toContain('1 object(s) below errors/');
  });

  test('answers SQL with a table', async () => {
    const { stdout } = await ask(
      'SELECT event_type, count(*) AS events FROM events GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2',
    );
    expect(stdout).toBe('event_type        events\nOrderPlaced.v1         7\nStockReserved.v1       5\n');
  });

  test('draws bars', async () => {
    const { stdout } = await ask('--query', 'orders-by-hour', '--chart');
    const [first = '', second = ''] = stdout.split('\n');
    expect(first).toMatch(/^00 {2}1 {2}█+.?$/);
    expect(second.length).toBeGreaterThan(first.length * 2);
  });

  test('draws what fits into 80 columns, with a bar for whatever is not nothing, and points below each other', async () => {
    const long = `'${'x'.repeat(100)}'`;
    const { stdout } = await ask(`SELECT ${long} AS name, 1 AS value UNION ALL SELECT 'y', 100000.25`, '--chart');
    const lines = stdout.trimEnd().split('\n').sort();
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^x+… {2} +1\.00 {2}▏$/);
    expect(lines[1]).toMatch(/^y +100,000\.25 {2}█+$/);
  });

  test('fills a page that loads nothing and shows texts as they are', async () => {
    const file = join(folder, 'report.html');
    const { exitCode } = await ask('--html', file);
    expect(exitCode).toBe(0);
    const page = readFileSync(file, 'utf8');
    expect(page.match(/<section>/g)).toHaveLength(15);
    expect(page).toContain('<td>FLOUR</td>');
    expect(page).toContain('<a href="#daily-revenue">');
    // More types than colours: each bar has its own name.
    expect(page).toContain('>2026-03-01 OrderPlaced.v1</text>');
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|https?:\/\//);
    await ask("SELECT '<script>alert(1)</script>' AS text, 1 AS number", '--html', file);
    expect(readFileSync(file, 'utf8')).not.toContain('<script>');
    expect(readFileSync(file, 'utf8')).toContain('&lt;script&gt;');
  });

  test.each([
    ['SELECT day\nFROM nowhere', /Table with name nowhere does not exist[\s\S]*LINE 2/],
    ['SELECT ?', /has 1 parameters: use two for each table/],
    ["SELECT * FROM read_csv('/etc/hostname')", /file system operations are disabled/],
    ["COPY events TO 'out.csv'", /file system operations are disabled/],
  ])('refuses %j with the words of DuckDB', async (sql, message) => {
    const { exitCode, stderr } = await ask(sql);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(1);
  });

  test('is not opened while a runtime uses it', async () => {
    await using _server = await startS3Server(kept);
    const { exitCode, stderr } = await ask('SELECT 1');
    expect(stderr).toContain('is in use by another process');
    expect(exitCode).toBe(1);
  });
});

describe('without events', () => {
  test('an empty lake says when events come', async () => {
    const directory = join(folder, 'empty');
    await fill(directory, {});
    const { exitCode, stderr } = await analytics('SELECT 1', '--data-dir', directory);
    expect(stderr).toMatch(/^Nothing is in this lake yet\. Firehose delivers .*lakeBufferSeconds/);
    expect(exitCode).toBe(1);
  });

  test('a running cloud without a lake, or none, says so', async () => {
    await using server = await startS3Server();
    const { exitCode, stderr } = await analytics('SELECT 1', '--endpoint', server.endpoint);
    expect(stderr).toContain('The stage dev has no lake there');
    expect(exitCode).toBe(1);
    const nowhere = await analytics('SELECT 1', '--endpoint', 'http://127.0.0.1:1');
    expect(nowhere.stderr).toMatch(/S3 at http:\/\/127.0.0.1:1 does not answer .* does npm start run\?/);
    expect(nowhere.exitCode).toBe(1);
  });
});
