import { randomUUID } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, sampleEvent } from '@millrace/testing';
import { ProbeApplied } from '../fixtures/probe/events/index.ts';
import { Aws } from './aws.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;
let startedAt: string;

beforeAll(async () => {
  // EventBridge gives events their time in whole seconds.
  startedAt = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  operator = new Operator(system);
});
afterAll(() => system?.stop());

const replay = async (...args: string[]) => {
  const name = `replay-${randomUUID()}`;
  const result = await operator.replay('--from', startedAt, '--name', name, ...args);
  if (result.exitCode !== 0) throw new Error(`replay ended with ${result.exitCode}: ${result.stdout}${result.stderr}`);
  await aws.quiet();
  return { name, ...result };
};

const probesIn = async (version: string, group: string) => {
  const Key = { pk: `projection#${version}#${group}` };
  const { Item } = await aws.dynamodb.send(
    new GetCommand({ TableName: 'millrace-probe-dev', Key, ConsistentRead: true }),
  );
  return Item?.probes;
};

test('a replay of everything to everybody changes nothing: no charge, no mail, no event', async () => {
  const sku = await shop.stocked(10, 10);
  const orders = ['tok_approved', 'tok_declined'].map((paymentToken) => orderOf(sku, 2, { paymentToken }));
  const [paid = '', refused = ''] = [await shop.place(orders[0]), await shop.place(orders[1])];
  await shop.orderWith(paid, 'OrderConfirmed');
  await shop.orderWith(refused, 'OrderCancelled');
  await aws.quiet();
  const payment = async (orderId: string) => {
    const Key = { pk: `PAYMENT#${orderId}`, sk: 'PAYMENT' };
    return (await aws.dynamodb.send(new GetCommand({ TableName: 'millrace-payments-dev', Key }))).Item;
  };
  const state = async () => ({
    orders: [await shop.order(paid), await shop.order(refused)],
    payments: [await payment(paid), await payment(refused)],
    stock: await shop.stock(sku),
    mails: await Promise.all(orders.map(({ customer }) => shop.messagesTo(customer.email))),
    warnings: (await shop.messagesTo('operations@millrace.example')).length,
  });
  const before = await state();
  expect(before.mails.map((mails) => mails.length)).toEqual([1, 1]);
  const tap = await aws.tap();

  const { name, stdout } = await replay();

  // Once before it starts, and once at its end.
  expect(stdout.match(/By the event log: \d+ events \(.*OrderPlaced\.v1 ×\d+/g)).toHaveLength(2);
  const heard: string[] = [];
  for (let texts = await tap.nextTexts(); texts.length > 0; texts = await tap.nextTexts()) heard.push(...texts);
  await tap.close();
  const events = heard.map((text) => JSON.parse(text));
  expect(events.map((event) => event['detail-type'])).toEqual(
    expect.arrayContaining(['OrderPlaced.v1', 'StockReserved.v1', 'PaymentProcessed.v1', 'OrderConfirmed.v1']),
  );
  // Whatever came over the bus meanwhile belongs to the replay: nobody answered it with an event of their own.
  expect(events.filter((event) => event['replay-name'] !== name)).toEqual([]);
  expect(await state()).toEqual(before);
});

test('a projection is rebuilt beside the live one, by its rule alone, and as often as wanted', async () => {
  const group = randomUUID();
  const probes = Array.from({ length: 20 }, () => sampleEvent(ProbeApplied, { probeId: randomUUID(), group }));
  for (const event of probes) await aws.put(event);
  await eventually(async () => expect(await probesIn('live', group)).toBe(20));
  await aws.quiet();
  const tap = await aws.tap();

  const first = await replay('--rules', 'probe.projectProbes');
  const second = await replay('--rules', 'millrace-probe-dev-project-probes');

  expect(await tap.nextTexts(0)).toEqual([]);
  await tap.close();
  expect(await probesIn(first.name, group)).toBe(20);
  expect(await probesIn(second.name, group)).toBe(20);
  expect(await probesIn('live', group)).toBe(20);
  for (const { event } of probes) {
    const { data } = event;
    const { Item } = await aws.dynamodb.send(
      new GetCommand({ TableName: 'millrace-probe-dev', Key: { pk: `probe#${data.probeId}` } }),
    );
    expect(Item?.effects).toBe(1);
  }
});

test('a replay of chosen events goes to the consumers of these events', async () => {
  const { stdout } = await operator.replay('--from', startedAt, '--events', 'PaymentProcessed.v1', '--dry-run');
  expect(stdout).toContain('millrace-fulfillment-dev-on-payment-processed');
  expect(stdout).toContain('millrace-orders-dev-on-order-progress');
  expect(stdout).not.toContain('millrace-inventory');
});
