import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import { PickUpReady, ShipmentCreated } from '@millrace/fulfillment/events';
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
let onShipmentCreated: Consumer;
let postStockCount: Endpoint;

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
  onShipmentCreated = (await import('./on-shipment-created.ts')).handler;
  postStockCount = (await import('./post-stock-count.ts')).handler;
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

const count = async (sku: string, body: unknown) =>
  answerOf(await postStockCount(httpRequest('POST /stock/{sku}/count', { path: { sku }, body }), lambdaContext()));

/** Delivers events in one batch and returns how many records failed. */
async function deliver(handler: Consumer, ...events: EmittableEvent[]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8'));

describe('PUT and GET /stock/{sku}', () => {
  test('show what was set', async () => {
    const level = { sku: 'RYE', onHand: 5, reserved: 0, available: 5, shipped: 0, lowStockThreshold: 2 };

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

describe('POST /stock/{sku}/count', () => {
  test('puts the books right by what is on the shelf', async () => {
    await put('SPELT', { available: 5 });

    const level = { sku: 'SPELT', onHand: 4, reserved: 0, available: 4, shipped: 0, lowStockThreshold: 0 };
    expect(await count('SPELT', { counted: 4, expectedOnHand: 5 })).toEqual({ statusCode: 200, body: level });
    expect(await get('SPELT')).toEqual({ statusCode: 200, body: level });
  });

  test('is a 409 when stock has moved since the count began', async () => {
    await put('SPELT', { available: 5 });

    expect(await count('SPELT', { counted: 4, expectedOnHand: 6 })).toMatchObject({
      statusCode: 409,
      body: { code: 'STOCK_MOVED', detail: expect.stringContaining('5 pieces are on hand, not 6') },
    });
    expect((await get('SPELT')).body).toMatchObject({ onHand: 5 });
  });

  test.each([
    ['nothing', {}, '/counted'],
    ['a negative number', { counted: -1 }, '/counted'],
    ['a fraction', { counted: 0.5 }, '/counted'],
    ['an unknown field', { counted: 1, available: 1 }, '/available'],
    ['an expectation that is text', { counted: 1, expectedOnHand: '1' }, '/expectedOnHand'],
  ])('%s is a 400 that names the field', async (_, body, field) => {
    expect(await count('SPELT', body)).toMatchObject({ statusCode: 400, body: { errors: [{ field }] } });
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

test.each(['in turn', 'the parcel first', 'at once'])(
  'goods that lie ready and are sent after all leave the shelf once: %s',
  async (order) => {
    const sku = `SKU-${randomUUID()}`;
    const orderId = randomUUID();
    await put(sku, { available: 5 });
    await deliver(onOrderPlaced, sampleEvent(OrderPlaced, { orderId, lines: [{ sku, quantity: 2, unitPrice: 100 }] }));
    const told = [sampleEvent(PickUpReady, { orderId }), sampleEvent(ShipmentCreated, { orderId })];
    if (order === 'the parcel first') told.reverse();

    if (order === 'at once') expect(await deliver(onShipmentCreated, ...told)).toBe(0);
    else for (const event of told) expect(await deliver(onShipmentCreated, event)).toBe(0);

    expect((await get(sku)).body).toMatchObject({ available: 3, reserved: 0, shipped: 2 });
  },
);

test('the fixtures set stock, reserve some of it, ship it and count the rest', async () => {
  expect(await putStock(fixture('put-stock'), lambdaContext())).toMatchObject({ statusCode: 200 });

  expect(await onOrderPlaced(fixture('on-order-placed'), lambdaContext())).toEqual({ batchItemFailures: [] });

  expect((await get('FLOUR-1KG')).body).toMatchObject({ onHand: 100, available: 98, reserved: 2 });

  expect(await onShipmentCreated(fixture('on-shipment-created'), lambdaContext())).toEqual({ batchItemFailures: [] });
  expect((await get('FLOUR-1KG')).body).toMatchObject({ onHand: 98, available: 98, reserved: 0, shipped: 2 });

  expect(await postStockCount(fixture('post-stock-count'), lambdaContext())).toMatchObject({ statusCode: 200 });
  expect((await get('FLOUR-1KG')).body).toMatchObject({ onHand: 97, available: 97 });
});
