import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { type CheckoutOrder, exampleOrder } from '@millrace/orders/events';
import { callStep, type StepHandler } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { Shipments } from '../adapters/shipments.ts';

let dynamoDb: TestDynamoDb;
let shipments: Shipments;
let createShipment: StepHandler;
let recallShipment: StepHandler;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('fulfillment');
  process.env.MILLRACE_TABLE = 'fulfillment';
  shipments = new Shipments({ client: documentClient(), name: 'fulfillment' });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  createShipment = (await import('./create-shipment-for-checkout.ts')).handler;
  recallShipment = (await import('./recall-shipment-for-checkout.ts')).handler;
});
afterAll(() => dynamoDb.stop());

const newOrder = () => ({ ...exampleOrder, process: 'checkout' as const, orderId: randomUUID() });

const create = (order: CheckoutOrder) => callStep(createShipment, 'CreateShipment', order);
const recall = (order: CheckoutOrder) => callStep(recallShipment, 'RecallShipment', order);

describe('a checkout', () => {
  test('is shipped once, with the same tracking number however often it asks', async () => {
    const order = newOrder();

    const first = await create(order);

    expect(first).toEqual({
      shipmentId: expect.any(String),
      trackingNumber: expect.stringMatching(/^MR[0-9A-F]{16}$/),
    });
    expect(await create(order)).toEqual(first);
  });

  test('has its parcel recalled once, however often it asks', async () => {
    const order = newOrder();
    await create(order);

    await recall(order);
    await recall(order);

    expect(await shipments.find(order.orderId)).toMatchObject({ status: 'CANCELLED', parcel: {} });
  });

  test('is not shipped when a late shipment comes after it was undone', async () => {
    const order = newOrder();

    await recall(order);

    await expect(create(order)).rejects.toMatchObject({ name: 'ShipmentEnded' });
    expect(await shipments.find(order.orderId)).toEqual({ status: 'CANCELLED' });
  });
});
