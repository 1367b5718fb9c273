import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient, GetCommand } from '@millrace/aws';
import { inboxKey } from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';
import { exampleOrder, OrderCancelled } from '@millrace/orders/events';
import { PaymentProcessed } from '@millrace/payments/events';
import { consumerVariables, envelopeText, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { storedEvents } from '@millrace/testing/stored-events';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { Shipments } from '../adapters/shipments.ts';

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let dynamoDb: TestDynamoDb;
let shipments: Shipments;
let onPaymentProcessed: Handler;
let onOrderCancelled: Handler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('fulfillment');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'fulfillment',
    ...consumerVariables('fulfillment.test'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  onPaymentProcessed = (await import('./on-payment-processed.ts')).handler;
  onOrderCancelled = (await import('./on-order-cancelled.ts')).handler;
  shipments = new Shipments({ client: documentClient(), name: 'fulfillment' });
});
afterAll(() => dynamoDb.stop());

const paid = (orderId: string) => sampleEvent(PaymentProcessed, { orderId }, { correlationId: 'correlation-1' });
const cancelled = (orderId: string) => sampleEvent(OrderCancelled, { orderId });

/** Delivers events in one batch and returns how many records failed. */
async function deliver(handler: Handler, ...events: EmittableEvent[]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

/** What the relay would emit about an order. */
const emitted = (orderId: string) => storedEvents('fulfillment', orderId);

describe('onPaymentProcessed', () => {
  test('writes what nobody has heard of before without a read, and reads when it was wrong', async () => {
    const operations: string[] = [];
    const client = documentClient();
    const send: typeof client.send = (command) => {
      operations.push(command.operation);
      return client.send(command);
    };
    const counted = new Shipments({ client: { send }, name: 'fulfillment' });
    const [first, second] = [randomUUID(), randomUUID()];
    const order = (orderId: string) => ({ ...PaymentProcessed.example, orderId });
    const inbox = () => ({ consumer: 'fulfillment.test', eventId: randomUUID() });
    const cause = { correlationId: 'c', causationId: 'e' };

    await counted.ship(order(first), cause, inbox());
    expect(operations).toEqual(['TransactWriteItems']);

    await counted.recall(second, cause, inbox());
    operations.length = 0;
    await counted.ship(order(second), cause, inbox());
    expect(operations).toEqual(['TransactWriteItems', 'GetItem', 'PutItem']);
    expect(await counted.find(second)).toEqual({ status: 'CANCELLED' });
  });

  test('creates the shipment and tells of it', async () => {
    const orderId = randomUUID();
    const payment = paid(orderId);

    expect(await deliver(onPaymentProcessed, payment)).toBe(0);

    const shipment = await shipments.find(orderId);
    expect(shipment).toMatchObject({
      status: 'CREATED',
      parcel: { shippingAddress: exampleOrder.shippingAddress, lines: exampleOrder.lines },
    });
    expect(await emitted(orderId)).toMatchObject([
      {
        detailType: 'ShipmentCreated.v1',
        metadata: {
          subject: orderId,
          sequence: 1,
          correlationId: 'correlation-1',
          causationId: payment.event.metadata.id,
        },
        data: { orderId, ...(shipment as { parcel: object }).parcel },
      },
    ]);
  });

  test('the same event twice, even at once, makes one shipment', async () => {
    const orderId = randomUUID();
    const payment = paid(orderId);

    expect(await deliver(onPaymentProcessed, payment, payment)).toBe(0);
    expect(await deliver(onPaymentProcessed, payment)).toBe(0);

    expect(await emitted(orderId)).toHaveLength(1);
  });

  test('two events about one order make one shipment', async () => {
    const orderId = randomUUID();

    expect(await deliver(onPaymentProcessed, paid(orderId), paid(orderId))).toBe(0);

    expect(await emitted(orderId)).toHaveLength(1);
  });
});

describe('onOrderCancelled', () => {
  test('recalls a shipment', async () => {
    const orderId = randomUUID();
    await deliver(onPaymentProcessed, paid(orderId));

    expect(await deliver(onOrderCancelled, cancelled(orderId), cancelled(orderId))).toBe(0);

    expect(await shipments.find(orderId)).toMatchObject({ status: 'CANCELLED', parcel: expect.any(Object) });
  });

  test('before the payment it forestalls the shipment', async () => {
    const orderId = randomUUID();

    expect(await deliver(onOrderCancelled, cancelled(orderId))).toBe(0);
    expect(await deliver(onPaymentProcessed, paid(orderId))).toBe(0);

    expect(await shipments.find(orderId)).toEqual({ status: 'CANCELLED' });
    expect(await emitted(orderId)).toEqual([]);
  });

  test('leaves a mark even where nothing is left to do', async () => {
    const orderId = randomUUID();
    const again = cancelled(orderId);
    await deliver(onOrderCancelled, cancelled(orderId));
    await deliver(onOrderCancelled, again);

    const key = inboxKey({ consumer: 'fulfillment.test', eventId: again.event.metadata.id });
    const { Item } = await documentClient().send(new GetCommand({ TableName: 'fulfillment', Key: key }));
    expect(Item).toMatchObject(key);
  });

  test('at the same moment as the payment it always wins', async () => {
    const orderIds = Array.from({ length: 20 }, () => randomUUID());

    const failed = await Promise.all(
      orderIds.flatMap((orderId) => [
        deliver(onPaymentProcessed, paid(orderId)),
        deliver(onOrderCancelled, cancelled(orderId)),
      ]),
    );

    expect(failed).toEqual(failed.map(() => 0));
    const found = await Promise.all(orderIds.map((orderId) => shipments.find(orderId)));
    expect(found.map((shipment) => shipment?.status)).toEqual(found.map(() => 'CANCELLED'));
  });
});

test('the fixture creates a shipment', async () => {
  const file = new URL('../../fixtures/on-payment-processed.json', import.meta.url);

  expect(await onPaymentProcessed(JSON.parse(readFileSync(file, 'utf8')), lambdaContext())).toEqual({
    batchItemFailures: [],
  });

  expect(await shipments.find(exampleOrder.orderId)).toMatchObject({ status: 'CREATED' });
});
