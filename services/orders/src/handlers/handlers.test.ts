import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { EmittableEvent } from '@millrace/events';
import { ShipmentCreated } from '@millrace/fulfillment/events';
import type { HttpApiEvent } from '@millrace/http';
import { StockReservationFailed, StockReserved } from '@millrace/inventory/events';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '@millrace/payments/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { exampleOrder } from '../../events/index.ts';

type Endpoint = (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

const {
  customer: { id: customerId, ...customer },
  shippingAddress,
  lines,
  paymentToken,
} = exampleOrder;
const request = { customer, shippingAddress, currency: 'EUR', lines, paymentToken };

let dynamoDb: TestDynamoDb;
let postOrder: Endpoint;
let getOrder: Endpoint;
let postCancellation: Endpoint;
let onOrderProgress: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('orders');
  await dynamoDb.createTable('orders-idempotency', ['id']);
  Object.assign(process.env, {
    MILLRACE_TABLE: 'orders',
    MILLRACE_IDEMPOTENCY_TABLE: 'orders-idempotency',
    MILLRACE_ORDERS_PER_HOUR: '30',
    MILLRACE_FAILED_PAYMENTS_PER_HOUR: '2',
    MILLRACE_VERIFIED_CONTACTS: 'optional',
    MILLRACE_SMS_PREFIXES: '+49',
    MILLRACE_ORDER_TIME_LIMIT_SECONDS: '900',
    ...consumerVariables('orders.onOrderProgress'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  postOrder = (await import('./post-order.ts')).handler;
  getOrder = (await import('./get-order.ts')).handler;
  postCancellation = (await import('./post-cancellation.ts')).handler;
  onOrderProgress = (await import('./on-order-progress.ts')).handler;
});
afterAll(() => dynamoDb.stop());

async function post(
  body: unknown,
  headers: Record<string, string> = {},
  sub = customerId,
  claims: Record<string, string> = {},
) {
  const event = httpRequest('POST /orders', { body, headers, claims: { sub, ...claims } });
  const { statusCode, headers: answered, body: text = '' } = await postOrder(event, lambdaContext());
  return { statusCode, headers: answered, body: JSON.parse(text) };
}

async function placedOrder(): Promise<string> {
  return (await post(request)).body.orderId;
}

async function view(orderId: string, sub = customerId) {
  const event = httpRequest('GET /orders/{orderId}', { path: { orderId }, claims: { sub } });
  const { statusCode, body = '' } = await getOrder(event, lambdaContext());
  return { statusCode, body: JSON.parse(body) };
}

async function cancel(orderId: string, sub = customerId) {
  const event = httpRequest('POST /orders/{orderId}/cancellation', { path: { orderId }, claims: { sub } });
  const { statusCode, body = '' } = await postCancellation(event, lambdaContext());
  return { statusCode, body: JSON.parse(body) };
}

/** An answer without what is different in every answer: the id of its request. */
function withoutIds({ headers = {}, ...answer }: APIGatewayProxyStructuredResultV2) {
  const { 'x-request-id': requestId, 'x-correlation-id': _, ...others } = headers;
  return { ...answer, headers: others, body: answer.body?.replace(String(requestId), 'request-id') };
}

/** Delivers events in one batch and returns how many records failed. */
async function deliver(...events: EmittableEvent[]): Promise<number> {
  return (await onOrderProgress(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8'));

describe('POST /orders', () => {
  test('accepts an order and says where it is', async () => {
    const { statusCode, headers, body } = await post(request);

    expect(statusCode).toBe(202);
    expect(headers?.location).toBe(`/orders/${body.orderId}`);
    expect(await view(body.orderId)).toMatchObject({
      statusCode: 200,
      body: { orderId: body.orderId, status: 'PLACED', lines, total: { amount: 698, currency: 'EUR' } },
    });
  });

  test('the same Idempotency-Key gets the same order, at once and later', async () => {
    const headers = { 'idempotency-key': randomUUID() };

    const first = await post(request, headers);
    const second = await post(request, headers);

    expect(second.statusCode).toBe(202);
    expect(second.body).toEqual(first.body);
  });

  test('the same Idempotency-Key with another body is refused', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    await post(request, headers);

    expect(await post({ ...request, paymentToken: 'tok_slow' }, headers)).toMatchObject({
      statusCode: 422,
      body: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
  });

  test("is the caller's order", async () => {
    const { body } = await post(request, {}, 'auth0|ada');

    expect(await storedEvents('orders', body.orderId)).toMatchObject([
      { detailType: 'OrderPlaced.v1', data: { customer: { id: 'auth0|ada', ...customer } } },
    ]);
  });

  test('the same Idempotency-Key of two customers places two orders', async () => {
    const headers = { 'idempotency-key': randomUUID() };

    const [first, second] = [await post(request, headers), await post(request, headers, 'customer-2')];

    expect(second.statusCode).toBe(202);
    expect(second.body.orderId).not.toBe(first.body.orderId);
    expect((await view(second.body.orderId, 'customer-2')).statusCode).toBe(200);
    expect((await view(first.body.orderId, 'customer-2')).statusCode).toBe(404);
  });

  test.each([
    ['a customer id of its own', { ...request, customer: { id: 'customer-2', ...customer } }, '/customer/id'],
    ['bad JSON', '{', 'body'],
    ['no body', undefined, 'body'],
    ['a fractional quantity', { ...request, lines: [{ ...lines[0], quantity: 0.5 }] }, '/lines/0/quantity'],
    ['an unknown field', { ...request, discount: 5 }, '/discount'],
  ])('%s is a 400 that names the field', async (_what, body, field) => {
    const answer = await post(body);

    expect(answer).toMatchObject({ statusCode: 400, body: { status: 400, errors: [{ field }] } });
    expect(answer.headers?.['content-type']).toBe('application/problem+json');
  });
});

describe('what one customer may do in an hour', () => {
  const another = () => `customer-${randomUUID()}`;

  test('ends with 429 and Retry-After, and not for others', async () => {
    const ada = another();
    const key = { 'idempotency-key': randomUUID() };
    for (let count = 0; count < 29; count += 1) expect((await post(request, {}, ada)).statusCode).toBe(202);
    const last = await post(request, key, ada);

    const refused = await post(request, {}, ada);

    expect(refused).toMatchObject({ statusCode: 429, body: { status: 429, code: 'QUOTA_EXCEEDED' } });
    expect(Number(refused.headers?.['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers?.['retry-after'])).toBeLessThanOrEqual(3600);
    // What is remembered is no other order.
    expect(await post(request, key, ada)).toMatchObject({ statusCode: 202, body: last.body });
    expect((await post(request, {}, another())).statusCode).toBe(202);
  });

  test('is not used up by requests that are refused', async () => {
    const ada = another();
    for (let count = 0; count < 40; count += 1) await post({ ...request, lines: [] }, {}, ada);

    expect((await post(request, {}, ada)).statusCode).toBe(202);
  });

  test('ends early when payments fail, each of which counts once', async () => {
    const ada = another();
    const [first, second] = [(await post(request, {}, ada)).body, (await post(request, {}, ada)).body];
    const failed = sampleEvent(PaymentFailed, { orderId: first.orderId });

    expect(await deliver(failed)).toBe(0);
    expect(await deliver(failed, sampleEvent(PaymentFailed, { orderId: first.orderId }))).toBe(0);
    expect((await post(request, {}, ada)).statusCode).toBe(202);
    expect(await deliver(sampleEvent(PaymentFailed, { orderId: second.orderId }))).toBe(0);

    expect(await post(request, {}, ada)).toMatchObject({ statusCode: 429, body: { code: 'QUOTA_EXCEEDED' } });
    expect((await view(second.orderId, ada)).body).toMatchObject({ status: 'CANCELLED' });
  });
});

test.each([
  ['another address than the token names', { email: 'eve@example.com', email_verified: 'true' }, ['/customer/email']],
  [
    'another number than the token names',
    { phone_number: '+4915187654321', phone_number_verified: 'true' },
    ['/customer/phone'],
  ],
])('an order with %s is a 403 that names the field', async (_, claims, fields) => {
  const { statusCode, body } = await post(request, {}, customerId, claims);

  expect([statusCode, body.code]).toEqual([403, 'CONTACT_NOT_ALLOWED']);
  expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
});

describe('GET /orders/{orderId}', () => {
  test.each([
    ['an unknown order', randomUUID(), 404],
    ['an id that is no UUID', 'x', 400],
  ])('%s is a problem that names the field', async (_what, orderId, statusCode) => {
    expect(await view(orderId)).toMatchObject({ statusCode, body: { errors: [{ field: 'orderId' }] } });
  });
});

describe('POST /orders/{orderId}/cancellation', () => {
  test('cancels an open order; to cancel twice is to cancel once', async () => {
    const orderId = await placedOrder();

    expect(await cancel(orderId)).toMatchObject({ statusCode: 202, body: { orderId, status: 'CANCELLED' } });
    expect(await cancel(orderId)).toMatchObject({ statusCode: 202, body: { orderId, status: 'CANCELLED' } });

    expect((await view(orderId)).body.timeline.map(({ event }: { event: string }) => event)).toEqual([
      'OrderPlaced',
      'OrderCancelled',
    ]);
  });

  test('comes too late once the order has a shipment', async () => {
    const orderId = await placedOrder();
    await deliver(sampleEvent(ShipmentCreated, { orderId }));

    expect(await cancel(orderId)).toMatchObject({ statusCode: 409, body: { code: 'ORDER_ALREADY_SHIPPED' } });
  });

  test('of an unknown order is a 404', async () => {
    expect(await cancel(randomUUID())).toMatchObject({ statusCode: 404, body: { code: 'ORDER_NOT_FOUND' } });
  });
});

describe("another customer's order is answered exactly as an unknown one", () => {
  const path = '/orders/{orderId}';

  test.each([
    ['GET', `GET ${path}`, () => getOrder],
    ['cancellation', `POST ${path}/cancellation`, () => postCancellation],
  ] as const)('%s', async (_, route, handler) => {
    const claims = { sub: 'customer-2' };
    const answerAbout = async (orderId: string) =>
      withoutIds(await handler()(httpRequest(route, { path: { orderId }, claims }), lambdaContext()));
    const orderId = await placedOrder();

    const answer = await answerAbout(orderId);

    expect(answer.statusCode).toBe(404);
    expect(answer).toEqual(await answerAbout(randomUUID()));
    expect((await view(orderId)).body).toMatchObject({ status: 'PLACED' });
  });
});

describe('onOrderProgress', () => {
  test('puts every report on record and confirms, whatever the order, and whatever comes twice', async () => {
    const orderId = await placedOrder();
    const shipped = sampleEvent(ShipmentCreated, { orderId });
    const paid = sampleEvent(PaymentProcessed, { orderId });
    const reserved = sampleEvent(StockReserved, { orderId });

    expect(await deliver(shipped, paid, reserved)).toBe(0);
    expect(await deliver(reserved, shipped, paid)).toBe(0);

    const { body } = await view(orderId);
    expect(body).toMatchObject({ status: 'CONFIRMED', trackingNumber: ShipmentCreated.example.trackingNumber });
    expect(body.timeline).toHaveLength(5);
  });

  test.each([
    ['OUT_OF_STOCK', (orderId: string) => sampleEvent(StockReservationFailed, { orderId })],
    ['PAYMENT_FAILED', (orderId: string) => sampleEvent(PaymentFailed, { orderId })],
  ])('cancels for %s', async (reason, event) => {
    const orderId = await placedOrder();

    expect(await deliver(event(orderId))).toBe(0);

    expect((await view(orderId)).body).toMatchObject({ status: 'CANCELLED', cancellation: { reason } });
  });

  test('shows the refund of a cancelled order', async () => {
    const orderId = await placedOrder();
    await cancel(orderId);

    expect(await deliver(sampleEvent(PaymentRefunded, { orderId }))).toBe(0);

    expect((await view(orderId)).body.timeline.at(-1)).toMatchObject({ event: 'PaymentRefunded' });
  });
});

test('the fixtures place an order and record its progress', async () => {
  const { statusCode, body = '' } = await postOrder(fixture('post-order'), lambdaContext());
  expect(statusCode).toBe(202);

  expect(await onOrderProgress(fixture('on-order-progress'), lambdaContext())).toEqual({ batchItemFailures: [] });

  const { timeline } = (await view(JSON.parse(body).orderId)).body;
  expect(timeline.map(({ event }: { event: string }) => event).toSorted()).toEqual(['OrderPlaced', 'StockReserved']);
});
