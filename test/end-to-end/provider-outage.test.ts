import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { Aws } from './aws.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
});
afterAll(async () => {
  await switchProviderOff(0);
  await system?.stop();
});

const TableName = 'millrace-payments-dev';
const letters = 'millrace-payments-dev-on-stock-reserved-dlq';

/** Switches the sandbox off for so long. */
async function switchProviderOff(ms: number): Promise<void> {
  const Item = { pk: 'SANDBOX#OUTAGE', sk: 'SANDBOX', downUntil: Date.now() + ms };
  await aws.dynamodb.send(new PutCommand({ TableName, Item }));
}

async function circuit(): Promise<string | undefined> {
  const Key = { pk: 'CIRCUIT#payment-provider', sk: 'CIRCUIT' };
  const { Item } = await aws.dynamodb.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  return Item?.circuit.status;
}

test('an outage of the payment provider opens its circuit, and costs no dead letter and no order', async () => {
  const sku = await shop.stocked(150);
  await switchProviderOff(60_000);
  const orders = await Promise.all(Array.from({ length: 120 }, () => shop.place(orderOf(sku))));
  await eventually(async () => expect(await circuit()).toBe('open'), { deadlineMs: 40_000, intervalMs: 100 });

  await switchProviderOff(0);
  const late = await shop.place(orderOf(sku));
  for (const orderId of [late, ...orders]) {
    await eventually(async () => expect((await shop.order(orderId)).status).toBe('CONFIRMED'), {
      deadlineMs: 120_000,
      intervalMs: 250,
    });
  }
  expect(await circuit()).toBe('closed');
  const { QueueUrl = '' } = await aws.sqs.send(new GetQueueUrlCommand({ QueueName: letters }));
  expect(await aws.depth(QueueUrl)).toBe(0);
});
