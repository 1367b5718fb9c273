import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BatchWriteCommand, documentClient, httpTransport, processTransport, type Transport } from '@millrace/aws';

import type { HttpApiEvent } from '@millrace/http';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { exampleOrder, OrderCancelled, OrderConfirmed, OrderPlaced } from '../../events/index.ts';

type Endpoint = (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

let dynamoDb: TestDynamoDb;
let getOrders: Endpoint;
let getDailySales: Endpoint;
let projectOrders: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('orders');
  await dynamoDb.createTable('projections');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'orders',
    MILLRACE_PROJECTIONS_TABLE: 'projections',
    ...consumerVariables('orders.projectOrders'),
  });
  getOrders = (await import('./get-orders.ts')).handler;
  getDailySales = (await import('./get-daily-sales.ts')).handler;
  projectOrders = (await import('./project-orders.ts')).handler;
});
afterAll(() => dynamoDb.stop());

/** Writes rows as they are after many events. */
async function put(items: Record<string, unknown>[]): Promise<void> {
  const client = documentClient();
  for (let start = 0; start < items.length; start += 25) {
    const requests = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item: { events: 1, ...Item } } }));
    await client.send(new BatchWriteCommand({ RequestItems: { projections: requests } }));
  }
}

/** Counts the queries that are sent from now on. */
function queriesOf(): () => number {
  let count = 0;
  const transport: Transport = (request, limits) => {
    if (request.headers['x-amz-target']?.endsWith('.Query')) count += 1;
    return httpTransport(request, limits);
  };
  Object.assign(globalThis, { [processTransport]: transport });
  return () => {
    Object.assign(globalThis, { [processTransport]: undefined });
    return count;
  };
}

/** Delivers one message after the other and returns how many failed. */
async function deliver(...events: Parameters<typeof envelopeText>[0][]): Promise<number> {
  let failed = 0;
  for (const event of events) {
    failed += (await projectOrders(sqsEvent(envelopeText(event)), lambdaContext())).batchItemFailures.length;
  }
  return failed;
}

/** The events of an order that was placed in some minute of a day, and confirmed or cancelled a minute later. */
function order(customerId: string, minute: number, day = '2026-01-31') {
  const orderId = randomUUID();
  const data = { orderId, customer: { ...exampleOrder.customer, id: customerId } };
  const at = (sequence: number) => ({
    subject: orderId,
    sequence,
    time: new Date(`${day}T00:${String(minute + sequence).padStart(2, '0')}:00.000Z`),
  });
  return {
    orderId,
    placed: sampleEvent(OrderPlaced, data, at(1)),
    confirmed: sampleEvent(OrderConfirmed, data, at(2)),
    cancelled: sampleEvent(OrderCancelled, data, at(2)),
  };
}

async function ask(handler: Endpoint, query: Record<string, string>, claims: Record<string, string>) {
  const { statusCode, body = '' } = await handler(httpRequest('GET /', { query, claims }), lambdaContext());
  return { statusCode, body: JSON.parse(body) };
}

const list = (sub: string, query: Record<string, string> = {}, scope = 'orders:read') =>
  ask(getOrders, query, { sub, scope });
const report = (query: Record<string, string>) => ask(getDailySales, query, { sub: 'staff-1', scope: 'reports:read' });

describe('GET /orders', () => {
  test("lists the caller's orders, newest first, page by page", async () => {
    const sub = `customer|${randomUUID()}`;
    const orders = [1, 3, 5, 7, 9].map((minute) => order(sub, minute));
    for (const { placed } of orders) await deliver(placed);
    await deliver(order(`other-${randomUUID()}`, 1).placed);
    const newestFirst = orders.map(({ orderId }) => orderId).reverse();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { statusCode, body } = await list(sub, { limit: '2', ...(cursor ? { cursor } : {}) });
      expect(statusCode).toBe(200);
      seen.push(...body.orders.map(({ orderId }: { orderId: string }) => orderId));
      cursor = body.cursor;
    } while (cursor);

    expect(seen).toEqual(newestFirst);
    expect((await list(sub)).body.orders[0]).toEqual({
      orderId: newestFirst[0],
      status: 'PLACED',
      total: exampleOrder.total,
      placedAt: '2026-01-31T00:10:00.000Z',
    });
  });

  test('shows those of one status, however many others are between them', async () => {
    const sub = randomUUID();
    const orders = Array.from({ length: 9 }, (_, index) => order(sub, index * 3));
    for (const [index, { placed, confirmed, cancelled }] of orders.entries()) {
      await deliver(placed, ...(index % 4 === 0 ? [cancelled] : [confirmed]));
    }

    const first = (await list(sub, { status: 'CANCELLED', limit: '2' })).body;
    const second = (await list(sub, { status: 'CANCELLED', limit: '2', cursor: first.cursor })).body;

    expect([...first.orders, ...second.orders].map(({ orderId }) => orderId)).toEqual(
      [orders[8], orders[4], orders[0]].map((wanted) => wanted?.orderId),
    );
    expect(second.cursor).toBeUndefined();
  });

  test('reads no more for a rare status than a page of all, and goes on behind it', async () => {
    const sub = randomUUID();
    const rowsOf = Array.from({ length: 1_200 }, (_, index) => {
      const placedAt = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString();
      return {
        pk: `orders-by-customer#1#ROW#${sub}`,
        sk: `${placedAt}#${randomUUID()}`,
        row: { orderId: `order-${index}`, status: index === 0 ? 'CANCELLED' : 'PLACED', placedAt },
      };
    });
    await put(rowsOf);
    const queries = queriesOf();

    const first = await list(sub, { status: 'CANCELLED' });
    expect(queries()).toBe(1);
    const second = await list(sub, { status: 'CANCELLED', cursor: first.body.cursor });

    expect(first.body).toEqual({ orders: [], cursor: expect.any(String) });
    expect(second.body.orders).toMatchObject([{ orderId: 'order-0' }]);
    expect(second.body.cursor).toBeUndefined();
  });

  test("is for the caller's own orders, unless they may see all", async () => {
    const sub = randomUUID();
    await deliver(order(sub, 1).placed);

    expect((await list(sub, { customer: sub })).body.orders).toHaveLength(1);
    expect((await list('staff-1', { customer: sub }, 'orders:read orders:read:all')).body.orders).toHaveLength(1);
    for (const customer of [sub, 'nobody']) {
      expect(await list('customer-2', { customer })).toMatchObject({
        statusCode: 403,
        body: { code: 'FORBIDDEN', errors: [{ field: 'customer' }] },
      });
    }
  });

  test.each([
    ['status', 'SHIPPED'],
    ['status', ''],
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '1e1'],
    ['cursor', ''],
    ['cursor', 'garbage'],
    ['cursor', Buffer.from('2026').toString('base64url')],
    ['cursor', Buffer.from(`2026-01-32T00:00:00.000Z#${randomUUID()}`).toString('base64url')],
    ['cursor', `${Buffer.from(`2026-01-31T00:00:00.000Z#${randomUUID()}`).toString('base64url')}=`],
    ['customer', ''],
    ['page', '2'],
  ])('%s=%s is a 400 that names the parameter', async (field, value) => {
    expect(await list('customer-1', { [field]: value })).toMatchObject({
      statusCode: 400,
      body: { errors: [{ field }] },
    });
  });
});

describe('GET /reports/daily-sales', () => {
  test('adds up what was confirmed and cancelled, by day and currency', async () => {
    const days = ['2025-03-01', '2025-03-02', '2025-03-04'];
    for (const day of days) {
      for (let index = 0; index < 3; index += 1) {
        const { placed, confirmed, cancelled } = order(randomUUID(), index, day);
        await deliver(placed, index === 0 ? cancelled : confirmed);
      }
    }

    const { statusCode, body } = await report({ from: '2025-03-02', to: '2025-03-04' });

    const sales = { currency: 'EUR', confirmed: 2, revenue: 1396, cancelled: 1 };
    expect([statusCode, body]).toEqual([
      200,
      {
        from: '2025-03-02',
        to: '2025-03-04',
        days: [
          { day: '2025-03-02', ...sales },
          { day: '2025-03-04', ...sales },
        ],
      },
    ]);
  });

  test('of more rows than are read at once ends before a day that is not whole, and says where it goes on', async () => {
    const days = ['2023-01-01', '2023-01-02', '2023-01-03'];
    // More than a shard reads, in one of the shards alone.
    await put(
      days.flatMap((day) =>
        Array.from({ length: 450 }, (_, index) => {
          const currency = `C${String(index).padStart(3, '0')}`;
          const row = { day, currency, confirmed: 1, revenue: 1, cancelled: 0 };
          return { pk: 'daily-sales#1#ROW#0', sk: `${day}#${currency}`, row };
        }),
      ),
    );

    const first = (await report({ from: '2023-01-01', to: '2023-01-03' })).body;
    const second = (await report({ from: first.nextFrom, to: '2023-01-03' })).body;

    expect([first.nextFrom, second.nextFrom]).toEqual(['2023-01-03', undefined]);
    const reported = [...first.days, ...second.days].map(({ day }) => day);
    expect(days.map((day) => reported.filter((each) => each === day).length)).toEqual([450, 450, 450]);
  });

  test('takes 92 days', async () => {
    expect(await report({ from: '2024-01-31', to: '2024-05-01' })).toMatchObject({
      statusCode: 200,
      body: { days: [] },
    });
  });

  test.each([
    ['to', { from: '2024-01-31', to: '2024-05-02' }],
    ['to', { from: '2026-01-02', to: '2026-01-01' }],
    ['from', { from: '2026-02-30', to: '2026-03-01' }],
    ['to', { from: '2026-02-01', to: 'today' }],
    ['from', { to: '2026-02-01' }],
    ['currency', { from: '2026-02-01', to: '2026-02-01', currency: 'EUR' }],
  ])('%s is at fault in %j', async (field, query) => {
    expect(await report(query as Record<string, string>)).toMatchObject({
      statusCode: 400,
      body: { errors: [{ field }] },
    });
  });
});

describe('projectOrders', () => {
  test('takes events in any order and any number', async () => {
    const sub = randomUUID();
    const { placed, confirmed } = order(sub, 1);

    expect(await deliver(confirmed)).toBe(1);
    expect(await deliver(placed, placed, confirmed, confirmed, placed)).toBe(0);

    expect((await list(sub)).body.orders).toMatchObject([{ status: 'CONFIRMED' }]);
  });
});
