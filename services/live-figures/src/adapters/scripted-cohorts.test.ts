import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, ScanCommand } from '@millrace/aws';
import { OrderPlaced } from '@millrace/orders/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type { APIGatewayProxyStructuredResultV2, SQSBatchResponse } from 'aws-lambda';

const ORDERS = 1_000;
const CUSTOMERS = 300;
const day = 24 * 60 * 60 * 1000;
/** Days of the script, which end today: an event that is older than 29 days is a dead letter. */
const days = 28;
const start = Math.floor(Date.now() / day) * day - (days - 1) * day;
const dayAt = (index: number) => new Date(start + index * day).toISOString().slice(0, 10);

/** A generator of numbers that are the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

interface Order {
  customer: string;
  time: number;
  amount: number;
  currency: string;
}

/** Some customers order once, some often. */
function script(): Order[] {
  const next = random(42);
  return Array.from({ length: ORDERS }, () => ({
    customer: `customer-${Math.floor(next() ** 2 * CUSTOMERS)}`,
    time: start + Math.floor(next() * (days - 1) * day),
    amount: 100 + Math.floor(next() * 900),
    currency: next() < 0.8 ? 'EUR' : 'USD',
  }));
}

interface Cohort {
  period: string;
  customers: number;
  repeatCustomers: number;
  repeatRate: number;
  orders: number;
  ordered: Record<string, number>;
  ordersOfPeriod: { first: number; repeat: number };
}

/** What the script comes to, counted apart from the code under test: with all orders at hand, in the order of time. */
function expectedOf(orders: readonly Order[], periodOf: (time: number) => string) {
  const cohorts: Record<string, Omit<Cohort, 'period' | 'repeatRate'>> = {};
  const nothing = () => ({
    ...{ customers: 0, repeatCustomers: 0, orders: 0, ordered: {} },
    ordersOfPeriod: { first: 0, repeat: 0 },
  });
  const at = (time: number) => {
    const period = periodOf(time);
    cohorts[period] ??= nothing();
    return cohorts[period];
  };
  for (const own of Map.groupBy(orders, ({ customer }) => customer).values()) {
    const [first, ...later] = [...own].sort((a, b) => a.time - b.time);
    if (!first) continue;
    const cohort = at(first.time);
    cohort.customers += 1;
    cohort.repeatCustomers += later.length > 0 ? 1 : 0;
    cohort.orders += own.length;
    for (const { currency, amount } of own) cohort.ordered[currency] = (cohort.ordered[currency] ?? 0) + amount;
    cohort.ordersOfPeriod.first += 1;
    for (const { time } of later) at(time).ordersOfPeriod.repeat += 1;
  }
  return cohorts;
}

let dynamoDb: TestDynamoDb;
let getCohorts: (event: never, context: never) => Promise<APIGatewayProxyStructuredResultV2>;
const orders = script();
const range = { from: dayAt(0), to: dayAt(days + 1) };

async function get(query: Record<string, string>) {
  const event = httpRequest('GET /analytics/cohorts', { query: { ...range, ...query } });
  const { statusCode, body = '' } = await getCohorts(event as never, lambdaContext() as never);
  return { statusCode, body: JSON.parse(body) as { cohorts: Cohort[]; errors: { field: string }[] } };
}

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('cohorts');
  Object.assign(process.env, {
    ...consumerVariables('live-figures.onOrderPlaced'),
    MILLRACE_TABLE: 'cohorts',
    MILLRACE_COHORT_RETENTION_DAYS: '400',
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  const onOrderPlaced = (await import('../handlers/on-order-placed.ts')).handler;
  getCohorts = (await import('../handlers/get-cohorts.ts')).handler as typeof getCohorts;
  const next = random(7);
  const texts = orders.map(({ customer, time, amount, currency }) => {
    const data = { customer: { id: customer, name: 'Ada Lovelace', email: 'ada@lovelace.example' } };
    const event = sampleEvent(OrderPlaced, { ...data, total: { amount, currency } }, { time: new Date(time) });
    return envelopeText(event.analyticsVariant((id) => `p-${id}`) as never);
  });
  // Every fifth comes twice, and none where it belongs.
  const delivered = [...texts, ...texts.filter(() => next() < 0.2)]
    .map((text) => ({ text, place: next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ text }) => text);
  const batches = Array.from({ length: Math.ceil(delivered.length / 40) }, (_, index) =>
    delivered.slice(index * 40, index * 40 + 40),
  ).values();
  // As many at once as the template lets through.
  const worker = async () => {
    for (const batch of batches) {
      const { batchItemFailures }: SQSBatchResponse = await onOrderPlaced(sqsEvent(...batch), lambdaContext());
      expect(batchItemFailures).toEqual([]);
    }
  };
  await Promise.all([worker(), worker()]);
});
afterAll(() => dynamoDb.stop());

describe('after a thousand orders that came twice and in any order', () => {
  test.each([
    ['month', (time: number) => new Date(time).toISOString().slice(0, 7)],
    ['day', (time: number) => new Date(time).toISOString().slice(0, 10)],
  ] as const)('the cohorts by %s are those of the script', async (by, periodOf) => {
    const expected = expectedOf(orders, periodOf);
    const { statusCode, body } = await get({ by });
    expect(statusCode).toBe(200);
    expect(Object.fromEntries(body.cohorts.map(({ period, repeatRate: _, ...rest }) => [period, rest]))).toEqual(
      expected,
    );
    for (const { customers, repeatCustomers, repeatRate } of body.cohorts) {
      expect(repeatRate).toBeCloseTo(customers === 0 ? 0 : repeatCustomers / customers, 3);
    }
  });

  test('the weeks add up to all orders and customers', async () => {
    const { body } = await get({ by: 'week' });
    const sum = (read: (cohort: Cohort) => number) => body.cohorts.reduce((all, each) => all + read(each), 0);
    expect(sum(({ orders: count }) => count)).toBe(ORDERS);
    expect(sum(({ ordersOfPeriod: { first, repeat } }) => first + repeat)).toBe(ORDERS);
    expect(sum(({ customers }) => customers)).toBe(new Set(orders.map(({ customer }) => customer)).size);
    expect(body.cohorts.length).toBeGreaterThanOrEqual(4);
  });

  test('a part of the time has the days of that part', async () => {
    const { body } = await get({ from: dayAt(3), to: dayAt(5), by: 'day' });
    expect(body.cohorts.map(({ period }) => period)).toEqual([dayAt(3), dayAt(4)]);
  });

  test('days stay when customers are forgotten, so that their sums add up', async () => {
    const { Items = [] } = await documentClient().send(new ScanCommand({ TableName: 'cohorts' }));
    const ofDays = Items.filter(({ pk }) => pk.startsWith('COHORTS#'));
    expect(ofDays.length).toBeGreaterThanOrEqual(days - 1);
    for (const item of ofDays) expect(item).not.toHaveProperty('ttl');
  });

  test('a customer is one small item, without a name', async () => {
    const { Items = [] } = await documentClient().send(new ScanCommand({ TableName: 'cohorts' }));
    const customers = Items.filter(({ pk }) => pk.startsWith('CUSTOMER#'));
    expect(customers).toHaveLength(new Set(orders.map(({ customer }) => customer)).size);
    for (const item of customers) expect(item).toMatchObject({ ttl: expect.any(Number) });
    expect(JSON.stringify(Items)).not.toMatch(/ovelace/);
    expect(Math.max(...customers.map((item) => JSON.stringify(item).length))).toBeLessThan(2_000);
  });
});

describe('bad input names its field', () => {
  test.each([
    [{ by: 'year' }, 'by'],
    [{ from: '2026-02-30' }, 'from'],
    [{ from: '2026-01-01T00:00Z' }, 'from'],
    [{ to: dayAt(0) }, 'to'],
    [{ to: dayAt(732) }, 'to'],
    [{ limit: '1' }, 'limit'],
  ])('%j', async (query, field) => {
    const { statusCode, body } = await get(query as Record<string, string>);
    expect([statusCode, body.errors[0]?.field]).toEqual([400, field]);
  });
});
