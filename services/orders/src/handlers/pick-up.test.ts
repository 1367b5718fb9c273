import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EmittableEvent } from '@millrace/events';
import { PickUpFailed, PickUpHandedOver, PickUpReady, ShipmentCreated } from '@millrace/fulfillment/events';
import type { HttpApiEvent } from '@millrace/http';
import { SlotAssigned, SlotAssignmentRefused } from '@millrace/reservations/events';
import { consumerVariables, envelopeText, httpRequest, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { APIGatewayProxyStructuredResultV2, Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { exampleOrder } from '../../events/index.ts';

type Endpoint = (event: HttpApiEvent, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

let dynamoDb: TestDynamoDb;
let postOrder: Endpoint;
let getOrder: Endpoint;
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
  onOrderProgress = (await import('./on-order-progress.ts')).handler;
});
afterAll(() => dynamoDb.stop());

const { slotId, location, startsAt, endsAt } = SlotAssigned.example;
const {
  customer: { id: sub, ...customer },
  ...exampleBody
} = exampleOrder;

async function placed(): Promise<string> {
  const { shippingAddress, lines, paymentToken } = exampleBody;
  const body = { customer, shippingAddress, currency: 'EUR', lines, paymentToken, slotId };
  const answer = await postOrder(httpRequest('POST /orders', { body, claims: { sub } }), lambdaContext());
  expect(answer.statusCode).toBe(202);
  return JSON.parse(answer.body ?? '').orderId;
}

/** Delivers reports about an order one after the other, each twice. */
async function report(...events: EmittableEvent[]): Promise<void> {
  for (const event of events.flatMap((each) => [each, each])) {
    expect(await onOrderProgress(sqsEvent(envelopeText(event)), lambdaContext())).toEqual({ batchItemFailures: [] });
  }
}

async function view(orderId: string) {
  const request = httpRequest('GET /orders/{orderId}', { path: { orderId }, claims: { sub } });
  return JSON.parse((await getOrder(request, lambdaContext())).body ?? '');
}

/** What the relay would emit about an order. */
async function told(orderId: string) {
  const events = await storedEvents('orders', orderId);
  return events.map(({ detailType, data }) => ({ detailType, data: data as Record<string, unknown> }));
}

test('an order with a slot tells where and when it is picked up, and that it was', async () => {
  const orderId = await placed();
  const pickUp = { slotId, location, startsAt, endsAt };

  await report(sampleEvent(PickUpReady, { orderId }), sampleEvent(SlotAssigned, { orderId }));
  expect(await view(orderId)).toMatchObject({ status: 'CONFIRMED', pickUp: { ...pickUp, status: 'READY' } });
  await report(sampleEvent(PickUpHandedOver, { orderId }));

  const events = await told(orderId);
  expect(events.map(({ detailType }) => detailType)).toEqual([
    ...['OrderPlaced.v1', 'OrderConfirmed.v1', 'OrderHandedOver.v1'],
  ]);
  expect(events[0]?.data).toMatchObject({ slotId });
  for (const { data } of events.slice(1)) expect(data).toMatchObject({ orderId, slotId, pickUp });
  expect(events[1]?.data).not.toHaveProperty('trackingNumber');
  expect((await view(orderId)).pickUp.status).toBe('HANDED_OVER');
});

test('an order whose slot is lost tells why it is sent, to the contact that it names', async () => {
  const orderId = await placed();

  await report(
    sampleEvent(SlotAssigned, { orderId }),
    sampleEvent(PickUpReady, { orderId }),
    sampleEvent(ShipmentCreated, { orderId, trackingNumber: 'MR1' }),
    sampleEvent(PickUpFailed, { orderId, reason: 'UNATTENDED' }),
  );

  const last = (await told(orderId)).at(-1);
  expect(last).toMatchObject({
    detailType: 'OrderSwitchedToDelivery.v1',
    data: { customer: { ...customer, id: sub }, reason: 'UNATTENDED', trackingNumber: 'MR1', pickUp: { location } },
  });
  expect(await view(orderId)).toMatchObject({
    status: 'CONFIRMED',
    trackingNumber: 'MR1',
    pickUp: { status: 'SWITCHED_TO_DELIVERY', reason: 'UNATTENDED' },
  });
});

test('an order whose slot is refused is cancelled with the reason', async () => {
  const orderId = await placed();

  await report(sampleEvent(SlotAssignmentRefused, { orderId, slotId, reason: 'SLOT_HAS_ORDER' }));

  expect((await told(orderId)).at(-1)).toMatchObject({
    detailType: 'OrderCancelled.v1',
    data: { slotId, reason: 'SLOT_REFUSED', detail: 'You pick up another order in this slot' },
  });
  expect(await view(orderId)).not.toHaveProperty('pickUp');
});
