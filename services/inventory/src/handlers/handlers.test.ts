import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import { OrderCancelled, OrderPlaced } from '@millrace/orders/events';
import { PaymentFailed } from '@millrace/payments/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';

type Endpoint = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;
type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let putStock: Endpoint;
let getStock: Endpoint;
let onOrderPlaced: Consumer;
let onOrderEnded: Consumer;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('inventory');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'inventory',
    ...consumerVariables('inventory.test'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  putStock = (await import('./put-stock.ts')).handler;
  getStock = (await import('./get-stock.ts')).handler;
  onOrderPlaced = (await import('./on-order-placed.ts')).handler;
  onOrderEnded = (await import('./on-order-ended.ts')).handler;
});
afterAll(() => dynamoDb.stop());

const answerOf = ({ statusCode, body = '' }: APIGatewayProxyStructuredResultV2) => ({
  statusCode,
  body: JSON.parse(body),
});
const put = async (sku: string, body: unknown) =>
  answerOf(await putStock(httpRequest('PUT /stock/{sku}', { path: { sku }, body }), lambdaContext()));
const get = async (sku: string) =>
  answerOf(await getStock(httpRequest('GET /stock/{sku}', { path: { sku } }), lambdaContext()));

/** Delivers events in one batch and returns how many records failed. */
async function deliver(handler: Consumer, ...events: EmittableEvent[]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8'));

describe('PUT and GET /stock/{sku}', () => {
  test('show what was set', async () => {
    const level = { sku: 'RYE', available: 5, reserved: 0, lowStockThreshold: 2 };

    expect(await put('RYE', { available: 5, lowStockThreshold: 2 })).toEqual({ statusCode: 200, body: level });
    expect(await get('RYE')).toEqual({ statusCode: 200, body: level });
  });

  test.each([
    ['a negative number', { available: -1 }, '/available'],
    ['a fractional number', { available: 1.5 }, '/available'],
    ['text', { available: '5' }, '/available'],
    ['nothing', {}, '/available'],
    ['an unknown field', { available: 5, reserved: 1 }, '/reserved'],
    ['a negative threshold', { available: 5, lowStockThreshold: -1 }, '/lowStockThreshold'],
    ['a list', [], 'body'],
  ])('%s is a 400 that names the field', async (_what, body, field) => {
    expect(await put('RYE', body)).toMatchObject({ statusCode: 400, body: { errors: [{ field }] } });
  });

  test('a malformed SKU is a 400, an unknown one a 404', async () => {
    expect(await put('a b', { available: 1 })).toMatchObject({ statusCode: 400, body: { errors: [{ field: 'sku' }] } });
    expect(await get('UNKNOWN')).toMatchObject({ statusCode: 404, body: { errors: [{ field: 'sku' }] } });
  });
});

describe('an order', () => {
  const lines = [{ sku: 'OATS', quantity: 2, unitPrice: 100 }];

  test.each([
    ['its cancellation', (orderId: string) => sampleEvent(OrderCancelled, { orderId })],
    ['its refused payment', (orderId: string) => sampleEvent(PaymentFailed, { orderId })],
  ])('holds stock until %s, however often each event comes', async (_what, ended) => {
    await put('OATS', { available: 5 });
    const orderId = randomUUID();
    const placed = sampleEvent(OrderPlaced, { orderId, lines });
    const end = ended(orderId);

    expect(await deliver(onOrderPlaced, placed, placed)).toBe(0);
    expect((await get('OATS')).body).toMatchObject({ available: 3, reserved: 2 });
    expect(await deliver(onOrderEnded, end, end)).toBe(0);
    expect(await deliver(onOrderPlaced, placed)).toBe(0);

    expect((await get('OATS')).body).toMatchObject({ available: 5, reserved: 0 });
  });
});

test('the fixtures set stock and reserve some of it', async () => {
  expect(await putStock(fixture('put-stock'), lambdaContext())).toMatchObject({ statusCode: 200 });

  expect(await onOrderPlaced(fixture('on-order-placed'), lambdaContext())).toEqual({ batchItemFailures: [] });

  expect((await get('FLOUR-1KG')).body).toMatchObject({ available: 98, reserved: 2 });
});
