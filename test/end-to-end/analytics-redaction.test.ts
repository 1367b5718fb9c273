import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { GetObjectCommand, ListBucketsCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import { type Runtime, startRuntime } from '@millrace/local';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { serviceDirectories } from '@millrace/workspace/catalogue';
import { Aws } from './aws.ts';
import { orderOf, Shop } from './shop.ts';

/*
 * One customer, whose name, address, telephone number and card can be recognised, orders and looks around. Then none of it is in an object of
 * the lake, in the table of live figures, in the stream of views or in a log line. At the end the same look is to find what is let through on
 * purpose, in each of these places: a look that finds nothing could as well be blind. The clock is moved, so this suite has a runtime of its own.
 */

const unique = randomUUID().slice(0, 8);
const person = {
  name: `Zerlina Quasthoff ${unique}`,
  email: `zerlina.${unique}@private.example`,
  phone: '+4915198765432',
  line1: `Geheimgasse ${unique}`,
  line2: `c/o Hochwohl ${unique}`,
  city: `Heimlichstadt ${unique}`,
  postalCode: `Z-${unique}`,
};
const cards = { approved: 'tok_approved', refused: `tok_geheim_${unique}` };
/** Each value as a whole, and words of it: what is cut or written otherwise is to be found, too. */
const secrets = [
  ...Object.values(person),
  ...Object.values(cards),
  ...['Zerlina', 'zerlina', 'Quasthoff', 'private.example', '15198765432', 'Geheimgasse', 'Hochwohl', 'Heimlichstadt'],
  'tok_geheim',
];

const root = join(import.meta.dirname, '..', '..');
const SERVICES = [
  ...['event-bus', 'orders', 'inventory', 'payments', 'fulfillment', 'interactions', 'live-figures', 'analytics'],
];
const STREAM = 'millrace-interactions-dev';
const TABLE = 'millrace-live-figures-dev';
const BUCKET = 'millrace-analytics-dev-lake';
const credentials = { accessKeyId: 'operator', secretAccessKey: 'local' };

/** Something that is kept, and where. */
interface Kept {
  place: 'lake' | 'table' | 'stream' | 'log';
  name: string;
  text: string;
}

let runtime: Runtime;
let shop: Shop;
let aws: Aws;
const logged: string[] = [];
const warnings: string[] = [];
let sku: string;
const sessionId = randomUUID();

beforeAll(async () => {
  runtime = await startRuntime({
    services: serviceDirectories(root).filter((directory) => SERVICES.some((name) => directory.endsWith(`/${name}`))),
    ...{ apiPort: 0, awsPort: 0, coldFunctions: true, sharedThreads: true, shuffle: { seed: 7 } },
    onFunctionLog: (line) => void logged.push(JSON.stringify(line)),
    onWarning: (line) => void warnings.push(line),
  });
  const { apiUrl, awsUrl, issuerUrl } = runtime;
  shop = new Shop({ apiUrl, issuerUrl, messagesUrl: `${awsUrl}/_local/messages` });
  aws = new Aws(runtime);
  await looksAround();
  await orders();
}, 300_000);
afterAll(() => runtime?.stop());

/** What a browser may not send: a name as a page or a field, an address as a SKU or a session, a name in the query. And then what it may. */
async function looksAround(): Promise<void> {
  sku = await shop.stocked(100);
  const post = (body: object, query = ''): Promise<Response> =>
    fetch(`${runtime.apiUrl}/interactions${query}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...{ referer: `https://shop.example/account/${person.email}`, cookie: `name=${person.email}` },
        ...{ 'user-agent': person.email, 'x-forwarded-for': person.phone },
      },
      body: JSON.stringify(body),
    });
  const view = (more: object) => ({ id: randomUUID(), ...more });
  const home = view({ page: 'home' });
  for (const [field, body, query] of [
    ['/views/0/page', { sessionId, views: [view({ page: `/account/${person.name}` })] }],
    ['/views/0/sku', { sessionId, views: [view({ page: 'product', sku: person.email })] }],
    ['/views/0/customer', { sessionId, views: [{ ...home, customer: person.name }] }],
    ['/sessionId', { sessionId: person.email, views: [home] }],
    ['name', { sessionId, views: [home] }, `?name=${encodeURIComponent(person.name)}`],
  ] as const) {
    const refused = await post(body, query);
    expect([refused.status, await refused.json()]).toMatchObject([400, { errors: [{ field }] }]);
  }
  await eventually(async () => {
    const { status } = await post({ sessionId, views: [home, view({ page: 'product', sku })] });
    expect(status).toBe(202);
  });
}

/** One order is confirmed, one declined, one out of stock. */
async function orders(): Promise<void> {
  const { name, email, phone, ...address } = person;
  const place = (quantity: number, paymentToken: string) =>
    shop.place(
      orderOf(sku, quantity, {
        customer: { name, email, phone },
        shippingAddress: { ...address, country: 'DE' },
        paymentToken,
      }),
    );
  const confirmed = await place(2, cards.approved);
  const refused = await place(1, cards.refused);
  const scarce = await place(900, cards.approved);
  await shop.orderWith(confirmed, 'OrderConfirmed');
  await shop.orderWith(refused, 'OrderCancelled');
  await shop.orderWith(scarce, 'OrderCancelled');
}

/** Every version of every object of the lake, wherever it is in the bucket. */
async function lake(): Promise<Kept[]> {
  const client = new S3Client({ endpoint: runtime.awsUrl, region: 'us-east-1', forcePathStyle: true, credentials });
  try {
    const { Buckets = [] } = await client.send(new ListBucketsCommand({ Prefix: BUCKET }));
    const Bucket = Buckets[0]?.Name;
    const { Versions = [], IsTruncated } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(IsTruncated ?? false).toBe(false);
    return await Promise.all(
      Versions.map(async ({ Key = '', VersionId }): Promise<Kept> => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
        return { place: 'lake', name: Key, text: `${Key}\n${await Body?.transformToString()}` };
      }),
    );
  } finally {
    client.destroy();
  }
}

async function table(): Promise<Kept[]> {
  const rows: Kept[] = [];
  for await (const { Items = [] } of paginateScan({ client: aws.dynamodb }, { TableName: TABLE })) {
    for (const item of Items) rows.push({ place: 'table', name: `${item.pk} ${item.sk}`, text: JSON.stringify(item) });
  }
  return rows;
}

async function stream(): Promise<Kept[]> {
  const records: Kept[] = [];
  const { Shards = [] } = await aws.kinesis.send(new ListShardsCommand({ StreamName: STREAM }));
  for (const { ShardId } of Shards) {
    const start = { StreamName: STREAM, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const;
    let { ShardIterator } = await aws.kinesis.send(new GetShardIteratorCommand(start));
    for (let more = true; more && ShardIterator !== undefined; ) {
      const page = await aws.kinesis.send(new GetRecordsCommand({ ShardIterator }));
      for (const { PartitionKey, Data, SequenceNumber } of page.Records ?? []) {
        const text = `${PartitionKey}\n${Buffer.from(Data ?? []).toString()}`;
        records.push({ place: 'stream', name: String(SequenceNumber), text });
      }
      more = (page.Records ?? []).length > 0 || (page.MillisBehindLatest ?? 0) > 0;
      ShardIterator = page.NextShardIterator;
    }
  }
  return records;
}

const logs = (lines = [...logged, ...warnings, ...runtime.warnings]): Kept[] =>
  lines.map((text, index) => ({ place: 'log', name: String(index), text }));

/** What is where it must not be, e.g. `lake events/event_date=…: Quasthoff`. */
function leaksIn(kept: readonly Kept[], alsoHidden: readonly string[] = []): string[] {
  return kept.flatMap(({ place, name, text }) =>
    [...secrets, ...alsoHidden]
      .filter((secret) => text.includes(secret))
      .map((secret) => `${place} ${name}: ${secret}`),
  );
}

describe('after a customer has looked around and ordered', () => {
  test('all of it is in the lake, the table, the stream and the logs', async () => {
    await eventually(async () => {
      await runtime.clock.advance(61_000);
      const objects = (await lake()).map(({ name }) => name);
      for (const type of [
        'OrderPlaced',
        'OrderConfirmed',
        'OrderCancelled',
        'PaymentFailed',
        'StockReservationFailed',
      ]) {
        expect(objects).toContainEqual(expect.stringContaining(`event_type=${type}.v1/`));
      }
    });
    await eventually(async () => {
      const figures = (await table()).map(({ text }) => text).join('\n');
      for (const part of ['"confirmed":1', '"cancelled.OUT_OF_STOCK":1', '"cancelled.PAYMENT_FAILED":1', sku]) {
        expect(figures).toContain(part);
      }
    });
    expect(logs().length).toBeGreaterThan(10);
  });

  test('nothing of the customer is in any object of the lake, in the table or in the stream', async () => {
    // Firehose begins with what comes after it has begun to read: this view is in the lake, the first ones may be.
    await eventually(async () => {
      const view = { id: randomUUID(), page: 'product', sku };
      const { status } = await shop.request('POST', '/interactions', { sessionId, views: [view] });
      expect(status).toBe(202);
      await runtime.clock.advance(61_000);
      const [views] = (await lake()).filter(({ name }) => name.startsWith('views/'));
      expect(views?.text).toContain(sku);
    });
    const kept = [...(await lake()), ...(await table()), ...(await stream())];
    for (const place of ['lake', 'table', 'stream']) expect(kept.map((each) => each.place)).toContain(place);
    // In the logs the id of a customer may be; nothing of analytics has it.
    expect(leaksIn(kept, [shop.customerId])).toEqual([]);
  });

  test('and none of it is in a log line', () => {
    expect(leaksIn(logs())).toEqual([]);
  });

  test('no event of analytics is a dead letter, which would keep it', async () => {
    const consumers = ['on-event', 'on-event-rule', 'on-order-placed', 'on-order-placed-rule', 'on-view'];
    for (const name of consumers.map((consumer) => `${consumer}-dlq`)) {
      expect([name, await aws.depth(String(await aws.queueUrl('live-figures', name)))]).toEqual([name, 0]);
    }
    expect(await aws.depth(String(await aws.queueUrl('analytics', 'lake-rule-dlq')))).toBe(0);
  });
});

/** A variant that lets through what its contract does not: a name beside its data, and another one for a SKU. */
async function letVariantThrough(): Promise<void> {
  const lines = [{ sku: `Quasthoff-${unique}`, quantity: 1, unitPrice: 100 }];
  const variant = sampleEvent(OrderPlaced, { lines } as never, { time: new Date(), id: randomUUID() }).analyticsVariant(
    () => 'pseudonym',
  );
  const { source, 'detail-type': DetailType, detail } = JSON.parse(envelopeText(variant as EmittableEvent<never>));
  const leaking = { ...detail, data: { ...detail.data, customer: { ...detail.data.customer, name: person.name } } };
  const relay = new EventBridgeClient({
    ...{ endpoint: runtime.awsUrl, region: 'us-east-1' },
    credentials: { accessKeyId: 'millrace-orders-dev-relay', secretAccessKey: 'local' },
  });
  const entry = { Source: source, DetailType, Detail: JSON.stringify(leaking), EventBusName: 'millrace-dev-analytics' };
  const { FailedEntryCount } = await relay.send(new PutEventsCommand({ Entries: [entry] }));
  relay.destroy();
  expect(FailedEntryCount).toBe(0);
}

describe('what is let through on purpose', () => {
  test('is found in every place', async () => {
    await letVariantThrough();
    const view = {
      ...{ id: randomUUID(), sessionId, page: 'product', viewedAt: new Date().toISOString(), position: 0 },
      sku: `Geheimgasse-${unique}`,
    };
    const Data = Buffer.from(JSON.stringify(view));
    await aws.kinesis.send(new PutRecordCommand({ StreamName: STREAM, PartitionKey: sessionId, Data }));

    await eventually(async () => {
      await runtime.clock.advance(61_000);
      const found = leaksIn([...(await lake()), ...(await table()), ...(await stream())]);
      expect(found).toContainEqual(expect.stringMatching(/^lake events\/.*: Zerlina$/));
      expect(found).toContainEqual(expect.stringMatching(/^lake views\/.*: Geheimgasse$/));
      // A SKU of figures, and one of a session.
      expect(found).toContainEqual(expect.stringMatching(/^table MINUTES#.*: Quasthoff$/));
      expect(found).toContainEqual(expect.stringMatching(/^table SESSION#.*: Geheimgasse$/));
      expect(found).toContainEqual(expect.stringMatching(/^stream .*: Geheimgasse$/));
    });
    const [line = ''] = logged;
    expect(leaksIn(logs([`${line} ${person.email}`]))).toContainEqual(expect.stringMatching(/^log .*: zerlina$/));
  });
});
