import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, ScanCommand } from '@millrace/aws';
import type { EmittableEvent, EventContract } from '@millrace/events';
import { ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReserved } from '@millrace/inventory/events';
import { OrderCancelled, OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { PaymentProcessed, PaymentRefunded } from '@millrace/payments/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, SQSBatchResponse } from 'aws-lambda';

/** Who is in every event, and may be in no figure. */
const person = {
  customer: { id: 'customer-lovelace', name: 'Ada Lovelace', email: 'ada@lovelace.example', phone: '+4915199988877' },
  shippingAddress: { line1: 'Analytical Lane 36', city: 'Turington', postalCode: '98765', country: 'DE' },
  paymentToken: 'tok_lovelace_4242',
};
const traces = ['lovelace', 'Lovelace', '4915199988877', 'Analytical Lane', 'Turington', '98765', 'tok_'];

const ORDERS = 1_000;
const start = Date.now() - 5 * 60 * 60 * 1000;
const day = 24 * 60 * 60 * 1000;

/** A generator of numbers that are the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** What the script says has happened, counted apart from the code under test. */
interface Expected {
  funnel: Record<'placed' | 'reserved' | 'paid' | 'shipped' | 'confirmed', number>;
  cancelled: Record<string, number>;
  paid: Record<string, number>;
  refunded: Record<string, number>;
  pieces: Record<string, number>;
  placedAt: Record<string, number>;
}

/** Orders of a shop: most are delivered, some are out of stock, some are cancelled after they were paid. */
function script(): { texts: string[]; expected: Expected } {
  const next = random(42);
  const expected: Expected = {
    funnel: { placed: 0, reserved: 0, paid: 0, shipped: 0, confirmed: 0 },
    ...{ cancelled: {}, paid: {}, refunded: {}, pieces: {}, placedAt: {} },
  };
  const texts: string[] = [];
  const count = (sums: Record<string, number>, key: string, amount = 1) => {
    sums[key] = (sums[key] ?? 0) + amount;
  };
  for (let index = 0; index < ORDERS; index += 1) {
    let time = start + Math.floor(next() * 2 * 60 * 60 * 1000);
    const currency = next() < 0.8 ? 'EUR' : 'USD';
    const sku = `SKU-${Math.floor(next() * 20)}`;
    const quantity = 1 + Math.floor(next() * 3);
    const total = { amount: quantity * 350, currency };
    const orderId = randomUUID();
    const order = { ...person, orderId, lines: [{ sku, quantity, unitPrice: 350 }], total };
    const happens = (contract: EventContract, data: object = order): void => {
      time += 20_000 + Math.floor(next() * 40_000);
      const variant = sampleEvent(contract, data as never, { time: new Date(time) }).analyticsVariant(
        () => 'pseudonym',
      );
      texts.push(envelopeText(variant as EmittableEvent<never>));
    };
    happens(OrderPlaced);
    expected.funnel.placed += 1;
    count(expected.placedAt, `${new Date(time).toISOString().slice(0, 16)}Z`);
    count(expected.pieces, sku, quantity);
    const fate = next();
    if (fate < 0.1) {
      happens(OrderCancelled, { ...order, reason: 'OUT_OF_STOCK', detail: 'none left' });
      count(expected.cancelled, 'OUT_OF_STOCK');
      continue;
    }
    happens(StockReserved);
    expected.funnel.reserved += 1;
    happens(PaymentProcessed, { ...order, paymentId: 'ch_1' });
    expected.funnel.paid += 1;
    count(expected.paid, currency, total.amount);
    if (fate < 0.2) {
      happens(OrderCancelled, { ...order, reason: 'CUSTOMER_REQUEST', detail: 'changed her mind' });
      count(expected.cancelled, 'CUSTOMER_REQUEST');
      happens(PaymentRefunded, { orderId, paymentId: 'ch_1', refundId: 're_1', amount: total });
      count(expected.refunded, currency, total.amount);
      continue;
    }
    const shipment = { shipmentId: 's', trackingNumber: 't', shippingAddress: person.shippingAddress };
    happens(ShipmentCreated, { orderId, lines: order.lines, ...shipment });
    expected.funnel.shipped += 1;
    happens(OrderConfirmed, { ...order, trackingNumber: 't' });
    expected.funnel.confirmed += 1;
  }
  return { texts, expected };
}

let dynamoDb: TestDynamoDb;
let expected: Expected;
let series: Record<string, Record<string, number>[]>;
const handlers: Record<string, (event: never, context: never) => Promise<APIGatewayProxyStructuredResultV2>> = {};
const minute = (time: number) => `${new Date(time).toISOString().slice(0, 16)}Z`;
const range = { from: minute(start), to: minute(start + day / 2) };

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
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  const onEvent = (await import('../handlers/on-event.ts')).handler;
  Object.assign(handlers, {
    series: (await import('../handlers/get-series.ts')).handler,
    funnel: (await import('../handlers/get-funnel.ts')).handler,
    top: (await import('../handlers/get-top.ts')).handler,
    anomalies: (await import('../handlers/get-anomalies.ts')).handler,
  });
  const { texts, expected: said } = script();
  expected = said;
  const next = random(7);
  // Every fifth comes twice, and none where it belongs.
  const delivered = [...texts, ...texts.filter(() => next() < 0.2)]
    .map((text) => ({ text, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ text }) => text);
  const batches = Array.from({ length: Math.ceil(delivered.length / 10) }, (_, index) =>
    delivered.slice(index * 10, index * 10 + 10),
  ).values();
  // As many at once as the template lets through.
  const worker = async () => {
    for (const batch of batches) {
      const { batchItemFailures }: SQSBatchResponse = await onEvent(sqsEvent(...batch), lambdaContext());
      expect(batchItemFailures).toEqual([]);
    }
  };
  await Promise.all([worker(), worker()]);
  series = Object.fromEntries(
    await Promise.all(
      ['orders', 'revenue'].map(async (of) => [of, (await get('series', { of })).body.minutes] as const),
    ),
  );
});
afterAll(() => dynamoDb.stop());

const sum = (minutes: Record<string, number>[] = [], figure: string) =>
  minutes.reduce((all, each) => all + (each[figure] ?? 0), 0);

describe('after a thousand orders whose events came twice and in any order', () => {
  test('the funnel is that of the script', async () => {
    const { body } = await get('funnel');
    expect(Object.fromEntries(body.steps.map(({ step, count }: never) => [step, count]))).toEqual({
      viewed: 0,
      ...expected.funnel,
    });
    expect(body.steps[1]).toEqual({ step: 'placed', count: ORDERS, share: 1 });
  });

  test('the revenue is that of the script, in each currency', () => {
    for (const [currency, amount] of Object.entries(expected.paid)) {
      expect(sum(series.revenue, `paid.${currency}`)).toBe(amount);
    }
    for (const [currency, amount] of Object.entries(expected.refunded)) {
      expect(sum(series.revenue, `refunded.${currency}`)).toBe(amount);
    }
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
    ['funnel', { to: minute(start + 2 * day) }, 'to'],
    ['top', { limit: '101' }, 'limit'],
    ['anomalies', { of: 'orders' }, 'of'],
  ] as const)('%s with %j', async (route, query, field) => {
    const { statusCode, body } = await get(route, query as Record<string, string>);
    expect([statusCode, body.errors[0].field]).toEqual([400, field]);
  });
});
