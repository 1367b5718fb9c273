import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventContract } from '@millrace/events';
import { type Runtime, startRuntime } from '@millrace/local';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { loadContracts, serviceDirectories } from '@millrace/workspace/catalogue';

/*
 * The templates of the buses and of the lake, with the roles of the relays. No function runs: the test puts the variants of the contracts'
 * examples on the analytics bus as relays do.
 */

const root = join(import.meta.dirname, '..', '..', '..');
const OWNERS = [
  'event-bus',
  'orders',
  'inventory',
  'payments',
  'fulfillment',
  'reservations',
  'notifications',
  'checkout',
  'interactions',
  'analytics',
];
const LAKE = 'millrace-analytics-dev-lake';

const contracts = [...(await loadContracts(serviceDirectories(root))).values()];
const warnings: string[] = [];
let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime({
    services: serviceDirectories(root).filter((directory) => OWNERS.some((name) => directory.endsWith(`/${name}`))),
    ...{ apiPort: 0, awsPort: 0, coldFunctions: true },
    onWarning: (line) => void warnings.push(line),
  });
}, 120_000);
afterAll(async () => {
  await runtime?.stop();
});

async function call<Answer>(service: string, target: string, input: object, accessKeyId = 'operator'): Promise<Answer> {
  const credential = `${accessKeyId}/20260301/us-east-1/${service}/aws4_request`;
  const response = await fetch(runtime.awsUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=s`,
    },
    body: JSON.stringify(input),
  });
  return (await response.json()) as Answer;
}

/** Puts an event on the analytics bus as the relay of its owner. */
async function putAsRelay(envelope: { source: string; 'detail-type': string; detail: object }): Promise<void> {
  const { source: Source, 'detail-type': DetailType, detail } = envelope;
  const Entries = [{ Source, DetailType, Detail: JSON.stringify(detail), EventBusName: 'millrace-dev-analytics' }];
  const relay = `${Source.replace('.', '-')}-dev-relay`;
  const { FailedEntryCount } = await call<{ FailedEntryCount?: number }>(
    'events',
    'AWSEvents.PutEvents',
    { Entries },
    relay,
  );
  if (FailedEntryCount !== 0) throw new Error(`The relay ${relay} may not put ${DetailType}`);
}

function variantOf(contract: EventContract, timestamp: string): Parameters<typeof putAsRelay>[0] | undefined {
  const variant = sampleEvent(contract).analyticsVariant(() => 'pseudonym');
  if (!variant) return undefined;
  const envelope = JSON.parse(envelopeText(variant));
  return { ...envelope, detail: { ...envelope.detail, metadata: { ...envelope.detail.metadata, timestamp } } };
}

async function s3(path: string): Promise<string> {
  const credential = 'operator/20260301/us-east-1/s3/aws4_request';
  const headers = { authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=s` };
  const response = await fetch(`${runtime.awsUrl}${path}`, { headers });
  return response.body ? await text(response.body) : '';
}

/** The lines of the lake by their objects' folders. */
async function linesOfLake(): Promise<Record<string, string[]>> {
  const bucket = `${LAKE}-000000000000`;
  const keys = [...(await s3(`/${bucket}?list-type=2`)).matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = '']) => key);
  const lines: Record<string, string[]> = {};
  for (const key of keys.sort()) {
    const content = await s3(`/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`);
    const folder = key.slice(0, key.lastIndexOf('/'));
    lines[folder] = [...(lines[folder] ?? []), ...content.split('\n').slice(0, -1)];
  }
  return lines;
}

describe('the lake', () => {
  test('takes the variant of each contract, below its own day and type', async () => {
    const before = '2026-05-31T23:59:59.999Z';
    const after = '2026-06-01T00:00:00.000Z';
    const variants = contracts.flatMap((contract) =>
      [before, after].flatMap((time) => variantOf(contract, time) ?? []),
    );
    expect(variants.length).toBeGreaterThan(20);
    for (const variant of variants) await putAsRelay(variant);
    const types = [...new Set(variants.map((variant) => variant['detail-type']))].sort();
    const folders = ['2026-05-31', '2026-06-01'].flatMap((day) =>
      types.map((type) => `events/event_date=${day}/event_type=${type}`),
    );
    await eventually(async () => {
      await runtime.clock.advance(61_000);
      const lines = await linesOfLake();
      expect(Object.keys(lines)).toEqual(folders);
      for (const [folder, [line = '', ...others]] of Object.entries(lines)) {
        expect(others).toEqual([]);
        const { detail, 'detail-type': type } = JSON.parse(line);
        expect(folder).toBe(`events/event_date=${detail.metadata.timestamp.slice(0, 10)}/event_type=${type}`);
      }
    });
  });

  test('takes no event that is not a variant, whoever puts it on the bus', async () => {
    const [contract] = contracts.filter(({ source }) => source === 'millrace.orders');
    const original = JSON.parse(envelopeText(sampleEvent(contract as EventContract)));
    const known = JSON.stringify(await linesOfLake());
    await putAsRelay(original);
    await runtime.clock.advance(61_000);
    const streams = await fetch(`${runtime.awsUrl}/_local/services`).then((response) => response.json());
    expect(JSON.stringify((streams as { services: { firehose: object } }).services.firehose)).toContain(
      '"waitingBytes":0',
    );
    expect(JSON.stringify(await linesOfLake())).toBe(known);
  });

  test('takes the views of visitors, below the day on which they were seen', async () => {
    const seen = (viewedAt: string) => ({
      ...{ id: randomUUID(), sessionId: randomUUID(), page: 'product', sku: 'FLOUR-1KG', viewedAt, position: 0 },
    });
    const views = [seen('2026-05-31T23:59:59.999Z'), seen('2026-06-01T00:00:00.000Z')];
    const Records = views.map((view) => ({
      Data: Buffer.from(JSON.stringify(view)).toString('base64'),
      PartitionKey: view.sessionId,
    }));
    // Firehose begins with what comes after it has begun to read, so what it has missed is put again.
    const days = ['2026-05-31', '2026-06-01'].map((day) => `views/view_date=${day}`);
    await eventually(async () => {
      const { FailedRecordCount } = await call<{ FailedRecordCount?: number }>(
        ...(['kinesis', 'Kinesis_20131202.PutRecords', { StreamName: 'millrace-interactions-dev', Records }] as const),
        'millrace-interactions-dev-postInteractions',
      );
      expect(FailedRecordCount).toBe(0);
      await runtime.clock.advance(61_000);
      const lines = await linesOfLake();
      expect(Object.keys(lines).filter((folder) => folder.startsWith('views/'))).toEqual(days);
      for (const [index, folder] of days.entries()) {
        expect(new Set(lines[folder])).toEqual(new Set([JSON.stringify(views[index])]));
      }
    });
    expect(Object.keys(await linesOfLake()).filter((folder) => folder.startsWith('errors/'))).toEqual([]);
  });

  test('can be asked in Athena: a table over it, a workgroup, and the queries', async () => {
    const { Table } = await call<{ Table: { StorageDescriptor: { Location: string } } }>('glue', 'AWSGlue.GetTable', {
      ...{ DatabaseName: 'millrace_analytics_dev', Name: 'events' },
    });
    expect(Table.StorageDescriptor.Location).toBe(`s3://${LAKE}-000000000000/events/`);
    const { NamedQueryIds } = await call<{ NamedQueryIds: string[] }>('athena', 'AmazonAthena.ListNamedQueries', {
      WorkGroup: 'millrace-analytics-dev',
    });
    const { NamedQueries } = await call<{ NamedQueries: { Name: string; QueryString: string }[] }>(
      ...(['athena', 'AmazonAthena.BatchGetNamedQuery', { NamedQueryIds }] as const),
    );
    expect(NamedQueries.map(({ Name }) => Name)).toEqual(
      expect.arrayContaining(['daily-revenue', 'funnel', 'product-conversion']),
    );
    for (const { QueryString } of NamedQueries) expect(QueryString).toMatch(/^-- [\s\S]+FROM (events|views)/);
  });

  test('is filled by roles that may do it, and nothing is warned of', () => {
    expect(runtime.refusals()).toEqual([]);
    expect([...runtime.warnings, ...warnings].filter((line) => /analytics|lake/i.test(line))).toEqual([]);
  });
});
