import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Runtime, startRuntime } from '@millrace/local';
import { eventually } from '@millrace/testing';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { LakeDatabase } from '../../scripts/analytics/lake-database.ts';
import { copyLake } from '../../scripts/analytics/lake-objects.ts';
import { readNamedQueries } from '../../scripts/analytics/named-queries.ts';
import { runScript } from '../run-script.ts';
import { orderOf, Shop } from './shop.ts';

/*
 * A script of orders goes through the shop and into the lake; then each event comes once more, out of order. The figures of the queries
 * are those that the script says. The clock is moved, so this suite has a runtime of its own.
 */

const unique = randomUUID().slice(0, 8);
/** Nothing of it may be in the lake or in a log. */
const person = {
  name: `Zerlina Quasthoff ${unique}`,
  email: `zerlina.${unique}@private.example`,
  phone: '+4915198765432',
  line1: `Geheimgasse ${unique}`,
  city: `Heimlichstadt ${unique}`,
  postalCode: `Z-${unique}`,
};
const hidden = [
  'Zerlina',
  'Quasthoff',
  'private.example',
  '15198765432',
  'Geheimgasse',
  'Heimlichstadt',
  `Z-${unique}`,
];
const tokens = ['tok_approved', 'tok_declined'];

const script = [
  { quantity: 2, paymentToken: 'tok_approved', end: 'OrderConfirmed', steps: 5 },
  { quantity: 5, paymentToken: 'tok_approved', end: 'OrderConfirmed', steps: 5 },
  { quantity: 1, paymentToken: 'tok_declined', end: 'OrderCancelled', steps: 5 },
  { quantity: 900, paymentToken: 'tok_approved', end: 'OrderCancelled', steps: 3 },
];
const PRICE = 349;
const EVENTS = script.reduce((sum, { steps }) => sum + steps, 0);
const isConfirmed = ({ end }: (typeof script)[number]) => end === 'OrderConfirmed';
const taken = script.filter(isConfirmed).reduce((sum, { quantity }) => sum + quantity * PRICE, 0);

const root = join(import.meta.dirname, '..', '..');
const SERVICES = ['event-bus', 'orders', 'inventory', 'payments', 'fulfillment', 'interactions', 'analytics'];
const STREAM = 'millrace-analytics-dev-lake';
const ALL = ['0001-01-01', '9999-12-31'] as const;

let runtime: Runtime;
let customerId: string;
const logged: string[] = [];
const warnings: string[] = [];
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lake-test-'));
  runtime = await startRuntime({
    services: serviceDirectories(root).filter((directory) => SERVICES.some((name) => directory.endsWith(`/${name}`))),
    ...{ apiPort: 0, awsPort: 0, coldFunctions: true, sharedThreads: true, shuffle: { seed: 7 } },
    onFunctionLog: (line) => void logged.push(JSON.stringify(line)),
    onWarning: (line) => void warnings.push(line),
  });
  const { apiUrl, awsUrl, issuerUrl } = runtime;
  const shop = new Shop({ apiUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages` });
  customerId = shop.customerId;
  const sku = await shop.stocked(100);
  const orders = [];
  for (const { quantity, paymentToken } of script) {
    const { name, email, phone, line1, city, postalCode } = person;
    const order = orderOf(sku, quantity, {
      customer: { name, email, phone },
      shippingAddress: { line1, city, postalCode, country: 'DE' },
      paymentToken,
    });
    orders.push(await shop.place(order));
  }
  for (const [index, order] of orders.entries()) await shop.orderWith(order, script[index]?.end ?? '');
  await deliveredEvents(EVENTS);
}, 300_000);

afterAll(async () => {
  await runtime?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A copy of the lake as it is now. */
async function withLake<T>(use: (lake: LakeDatabase, directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(folder, 'copy-'));
  const found = await copyLake(runtime.awsUrl, 'dev', directory);
  if (!found?.events) throw new Error('Nothing is in the lake');
  using lake = await LakeDatabase.open(directory);
  return await use(lake, directory);
}

async function count(): Promise<{ events: number; rows: number }> {
  return withLake(async (lake) => {
    const sql = `SELECT count(DISTINCT json_extract_scalar(detail, '$.metadata.id')), count(*) FROM events`;
    const [[events, rows] = []] = (await lake.query(sql, ALL)).rows;
    return { events: Number(events), rows: Number(rows) };
  });
}

/** Lets Firehose deliver until so many different events are in the lake. */
async function deliveredEvents(events: number, rows = events): Promise<void> {
  await eventually(async () => {
    await runtime.clock.advance(61_000);
    const found = await count();
    expect(found.events).toBe(events);
    expect(found.rows).toBeGreaterThanOrEqual(rows);
  });
}

async function ask(name: string): Promise<Record<string, unknown>[]> {
  const { sql = '' } = readNamedQueries().find((query) => query.name === name) ?? {};
  return withLake(async (lake) => {
    const { columns, rows } = await lake.query(sql, ALL);
    return rows.map((row) => Object.fromEntries(columns.map((column, index) => [column.name, row[index]])));
  });
}

async function figuresAreThoseOfTheScript(): Promise<void> {
  const revenue = await ask('daily-revenue');
  const sum = (column: string) => revenue.reduce((total, row) => total + Number(row[column]), 0);
  expect([sum('payments'), sum('taken'), sum('refunded'), sum('net')]).toEqual([2, taken, 0, taken]);
  const funnel = (await ask('funnel')).map(({ step, orders, percent_of_placed }) => [step, orders, percent_of_placed]);
  expect(funnel).toEqual([
    ['placed', 4, 100],
    ['reserved', 3, 75],
    ['paid', 2, 50],
    ['shipment', 2, 50],
    ['confirmed', 2, 50],
    ['delivered', 0, 0],
  ]);
  const reasons = (await ask('cancellations-by-reason')).map(({ reason, orders, lost }) => [reason, orders, lost]);
  expect(reasons).toEqual([
    ['OUT_OF_STOCK', 1, 900 * PRICE],
    ['PAYMENT_FAILED', 1, PRICE],
  ]);
}

describe('the lake of a scripted shop', () => {
  test('has each event below its own day and type', async () => {
    await withLake(async (lake) => {
      const sql = `SELECT DISTINCT event_date = substr(json_extract_scalar(detail, '$.metadata.timestamp'), 1, 10) AS is_own_day,
        event_type = json_extract_scalar(detail, '$.metadata.name') || '.v1' AS is_own_type FROM events`;
      expect((await lake.query(sql, ALL)).rows).toEqual([[true, true]]);
    });
  });

  test('gives the figures of the script', async () => {
    await figuresAreThoseOfTheScript();
  });

  test('gives the same figures when every event comes again, out of order', async () => {
    const before = await count();
    const lines = await withLake(async (_lake, directory) => linesBelow(directory));
    const Records = lines.reverse().map((line) => ({ Data: Buffer.from(line).toString('base64') }));
    const { FailedPutCount } = await putRecords(Records);
    expect(FailedPutCount).toBe(0);
    await deliveredEvents(before.events, before.rows + lines.length);
    await figuresAreThoseOfTheScript();
  });

  test('answers npm run analytics', async () => {
    const args = ['--query', 'funnel', '--json', '--endpoint', runtime.awsUrl];
    const { exitCode, stdout, stderr } = await runScript('analytics', ...args);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toContainEqual({ step: 'paid', orders: 2, percent_of_placed: 50 });
  });

  test('has no name, address, phone number, card or customer of the script, nor has any log', async () => {
    const objects = await allObjects();
    expect(objects.length).toBeGreaterThan(5);
    for (const { key, text } of objects) {
      const found = [...hidden, ...tokens, customerId].filter(
        (secret) => text.includes(secret) || key.includes(secret),
      );
      expect({ key, found }).toEqual({ key, found: [] });
    }
    const lines = [...logged, ...warnings];
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.filter((line) => hidden.some((secret) => line.includes(secret)))).toEqual([]);
    expect(lines.filter((line) => tokens.some((token) => line.includes(token)))).toEqual([]);
  });

  test('was filled by roles that may do what they did', () => {
    const refused = runtime.refusals().filter(({ caller }) => /analytics|firehose/i.test(JSON.stringify(caller)));
    expect(refused).toEqual([]);
    expect(runtime.warnings.filter((line) => line.includes('analytics'))).toEqual([]);
  });
});

function linesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n').filter(Boolean));
}

async function putRecords(Records: object[]): Promise<{ FailedPutCount: number }> {
  const credential = 'operator/20260301/us-east-1/firehose/aws4_request';
  const response = await fetch(runtime.awsUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Firehose_20150804.PutRecordBatch',
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=s`,
    },
    body: JSON.stringify({ DeliveryStreamName: STREAM, Records }),
  });
  return (await response.json()) as { FailedPutCount: number };
}

/** Everything in the bucket, also what is not below events/. */
async function allObjects(): Promise<{ key: string; text: string }[]> {
  const client = new S3Client({
    ...{ endpoint: runtime.awsUrl, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: 'operator', secretAccessKey: 'local' },
  });
  const { Buckets = [] } = await client.send(new ListBucketsCommand({ Prefix: STREAM }));
  const Bucket = Buckets[0]?.Name;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
  const objects: { key: string; text: string }[] = [];
  for (const { Key } of Contents) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    objects.push({ key: Key ?? '', text: (await Body?.transformToString()) ?? '' });
  }
  client.destroy();
  return objects;
}
