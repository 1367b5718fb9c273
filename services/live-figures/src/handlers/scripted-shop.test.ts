import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, ScanCommand } from '@millrace/aws';
import { consumerVariables, httpRequest, kinesisEvent, lambdaContext, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, SQSBatchResponse } from 'aws-lambda';
import { delivered, ORDERS, scriptedShop, traces } from '../../fixtures/scripted-shop.ts';

const day = 24 * 60 * 60 * 1000;
const { start, events, views, expected } = scriptedShop();

let dynamoDb: TestDynamoDb;
let series: Record<string, Record<string, number>[]>;
const handlers: Record<string, (event: never, context: never) => Promise<APIGatewayProxyStructuredResultV2>> = {};
const minute = (time: number) => `${new Date(time).toISOString().slice(0, 16)}Z`;
const range = { from: minute(start.getTime()), to: minute(start.getTime() + day) };

async function get(name: 'series' | 'funnel' | 'top' | 'anomalies', query: Record<string, string> = {}) {
  const event = httpRequest(`GET /analytics/${name}`, { query: { ...range, ...query } });
  const { statusCode, body = '' } = (await handlers[name]?.(event as never, lambdaContext() as never)) ?? {};
  return { statusCode, body: JSON.parse(body) };
}

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('live-figures');
  Object.assign(process.env, {
    ...consumerVariables('live-figures.onEvent'),
    MILLRACE_TABLE: 'live-figures',
    MILLRACE_FIGURE_RETENTION_DAYS: '90',
    MILLRACE_INTERACTION_RETENTION_DAYS: '30',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  const onEvent = (await import('./on-event.ts')).handler;
  const onView = (await import('./on-view.ts')).handler;
  Object.assign(handlers, {
    series: (await import('./get-series.ts')).handler,
    funnel: (await import('./get-funnel.ts')).handler,
    top: (await import('./get-top.ts')).handler,
    anomalies: (await import('./get-anomalies.ts')).handler,
  });
  // As many at once as the template lets through.
  const inParallel = async <Item>(batches: readonly Item[][], handle: (batch: Item[]) => Promise<SQSBatchResponse>) => {
    const rest = batches.values();
    const worker = async () => {
      for (const batch of rest) expect((await handle(batch)).batchItemFailures).toEqual([]);
    };
    await Promise.all([worker(), worker()]);
  };
  await inParallel(delivered(events, 7), (batch) => onEvent(sqsEvent(...batch), lambdaContext()));
  await inParallel(delivered(views, 7, 100), (batch) => onView(kinesisEvent(...batch), lambdaContext()));
  series = Object.fromEntries(
    await Promise.all(
      ['orders', 'revenue', 'views'].map(async (of) => [of, (await get('series', { of })).body.minutes] as const),
    ),
  );
});
afterAll(() => dynamoDb.stop());

const sum = (minutes: Record<string, number>[] = [], figure: string) =>
  minutes.reduce((all, each) => all + (each[figure] ?? 0), 0);

describe('after a thousand orders and hundreds of visits, whose events and views came twice and in any order', () => {
  test('the funnel is that of the script', async () => {
    const { body } = await get('funnel');
    expect(Object.fromEntries(body.steps.map(({ step, count }: never) => [step, count]))).toEqual(expected.funnel);
    expect(body.steps[0]).toEqual({ step: 'viewed', count: expected.funnel.viewed, share: 1 });
    expect(body.steps[1]).toMatchObject({ step: 'placed', count: ORDERS });
  });

  test('the revenue of each day is that of the script, in each currency', () => {
    const days = new Map<string, { taken: number; refunded: number }>();
    for (const each of series.revenue ?? []) {
      for (const [figure, amount] of Object.entries(each)) {
        const [what, currency] = figure.split('.');
        if (currency === undefined) continue;
        const key = `${String(each.minute).slice(0, 10)} ${currency}`;
        const { taken, refunded } = days.get(key) ?? { taken: 0, refunded: 0 };
        const [more, less] = what === 'paid' ? [amount, 0] : [0, amount];
        days.set(key, { taken: taken + more, refunded: refunded + less });
      }
    }
    const said = Object.entries(expected.revenue).map(([key, { taken, refunded }]) => [key, { taken, refunded }]);
    expect(said).toHaveLength(4);
    expect(Object.fromEntries(days)).toEqual(Object.fromEntries(said));
  });

  test('views and sessions are those of the script', () => {
    expect(sum(series.views, 'views')).toBe(expected.views);
    expect(sum(series.views, 'sessions')).toBe(
      Object.values(expected.sessionsByViews).reduce((all, sessions) => all + sessions, 0),
    );
  });

  test('cancellations have their reasons', () => {
    for (const [reason, count] of Object.entries(expected.cancelled)) {
      expect(sum(series.orders, `cancelled.${reason}`)).toBe(count);
    }
  });

  test('each order is in the minute in which it was placed', () => {
    const placed = (series.orders ?? []).filter((each) => each.placed).map((each) => [each.minute, each.placed]);
    expect(Object.fromEntries(placed)).toEqual(expected.placedAt);
  });

  test('the top SKUs are those of which most pieces were ordered', async () => {
    const [first] = Object.entries(expected.pieces).sort(([, a], [, b]) => b - a);
    const { body } = await get('top', { limit: '20' });
    expect(body.skus[0].quantity).toBe(first?.[1]);
    expect(Object.fromEntries(body.skus.map(({ sku, quantity }: never) => [sku, quantity]))).toEqual(expected.pieces);
  });

  test('nothing of the customer is in the table', async () => {
    const { Items = [] } = await documentClient().send(new ScanCommand({ TableName: 'live-figures' }));
    expect(Items.length).toBeGreaterThan(100);
    const text = JSON.stringify(Items);
    expect(traces.filter((trace) => text.includes(trace))).toEqual([]);
  });
});

describe('bad input names its field', () => {
  test.each([
    ['series', { of: 'customers' }, 'of'],
    ['series', { to: 'today' }, 'to'],
    ['funnel', { from: '' }, 'from'],
    ['funnel', { to: minute(start.getTime() + 2 * day) }, 'to'],
    ['series', { of: '__proto__' }, 'of'],
    ['series', { of: '' }, 'of'],
    ['series', { until: range.to }, 'until'],
    ['funnel', { to: range.from }, 'to'],
    ['funnel', { from: '2026-02-30T00:00Z' }, 'from'],
    ['funnel', { limit: '10' }, 'limit'],
    ['top', { limit: '101' }, 'limit'],
    ['top', { limit: '0' }, 'limit'],
    ['top', { limit: '1.5' }, 'limit'],
    ['top', { limit: '1e2' }, 'limit'],
    ['anomalies', { of: 'orders' }, 'of'],
  ] as const)('%s with %j', async (route, query, field) => {
    const { statusCode, body } = await get(route, query as Record<string, string>);
    expect([statusCode, body.errors[0].field]).toEqual([400, field]);
  });
});
