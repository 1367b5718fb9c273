import { randomUUID } from 'node:crypto';
import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EmittableEvent } from '@millrace/events';
import { StockReserved } from '@millrace/inventory/events';
import { OrderPlaced } from '@millrace/orders/events';
import { envelopeText, eventually, sampleEvent } from '@millrace/testing';
import { ProbeRequested, ProbeStalled } from '../fixtures/probe/events/index.ts';
import { Aws, type Tap } from './aws.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let tap: Tap;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  tap = await aws.tap();
});

afterAll(async () => {
  await tap?.close();
  await system?.stop();
});

const detailTypes = (events: { detailType: string }[]) => events.map(({ detailType }) => detailType).sort();

describe('duplicates', () => {
  test.each([
    ['tok_approved', 'OrderConfirmed'],
    ['tok_declined', 'OrderCancelled'],
  ])('every event of an order with %s, put on the bus twice more, changes nothing', async (paymentToken, outcome) => {
    const sku = await shop.stocked(10, 10);
    const order = orderOf(sku, 2, { paymentToken });
    const orderId = await shop.place(order);
    await shop.orderWith(orderId, outcome);
    await aws.quiet();
    const events = [...(await tap.about(orderId)), ...(await tap.about(sku))];
    const before = {
      order: await shop.order(orderId),
      stock: await shop.stock(sku),
      messages: await shop.messagesTo(order.customer.email),
      events: detailTypes(events),
    };
    expect(before.events).toContain('StockRanLow.v1');
    expect(before.messages).toHaveLength(1);

    for (const event of events) await aws.put(event, event);
    await aws.quiet();

    const all = [...(await tap.about(orderId)), ...(await tap.about(sku))];
    expect({
      order: await shop.order(orderId),
      stock: await shop.stock(sku),
      messages: await shop.messagesTo(order.customer.email),
      // The copies were heard as well; the services added none of their own.
      events: detailTypes(all.filter((event) => events.includes(event))),
    }).toEqual(before);
    expect(all).toHaveLength(events.length * 3);
  });
});

describe('events out of order', () => {
  test('the latest report first: the order ends as if they had come in order', async () => {
    const resume = await aws.pause('orders', 'onOrderProgress');
    const sku = await shop.stocked(5);
    const orderId = await shop.place(orderOf(sku));
    const events = await tap.waitFor(orderId, 'StockReserved.v1', 'PaymentProcessed.v1', 'ShipmentCreated.v1');
    await aws.empty(await aws.queueUrl('orders', 'on-order-progress'));
    await resume();

    const put = async (detailType: string) => aws.put(...events.filter((event) => event.detailType === detailType));
    await put('ShipmentCreated.v1');
    expect((await shop.orderWith(orderId, 'OrderConfirmed')).status).toBe('CONFIRMED');
    await put('PaymentProcessed.v1');
    await shop.orderWith(orderId, 'PaymentProcessed');
    await put('StockReserved.v1');
    const view = await shop.orderWith(orderId, 'StockReserved');

    expect(view.status).toBe('CONFIRMED');
    expect(view.timeline.map(({ event }) => event).slice(0, 4)).toEqual([
      'OrderPlaced',
      'StockReserved',
      'PaymentProcessed',
      'ShipmentCreated',
    ]);
  });

  test('a cancellation that overtakes the order: nothing is reserved or charged', async () => {
    const resume = await aws.pause('inventory', 'onOrderPlaced');
    const sku = await shop.stocked(5);
    const orderId = await shop.place(orderOf(sku, 2));
    await shop.request('POST', `/orders/${orderId}/cancellation`);
    await tap.waitFor(orderId, 'OrderCancelled.v1');
    await eventually(async () => {
      expect(await aws.depth(await aws.queueUrl('inventory', 'on-order-ended'))).toBe(0);
    });
    await resume();
    await aws.quiet();
    expect(await shop.stock(sku)).toEqual({ available: 5, reserved: 0, shipped: 0 });
    expect((await shop.order(orderId)).status).toBe('CANCELLED');
    expect(detailTypes(await tap.about(orderId))).toEqual(['OrderCancelled.v1', 'OrderPlaced.v1']);
  });

  test('a cancellation that overtakes the stock reservation on its way to payments: nothing is charged', async () => {
    const resume = await aws.pause('payments', 'onStockReserved');
    const sku = await shop.stocked(5);
    const orderId = await shop.place(orderOf(sku, 2));
    await tap.waitFor(orderId, 'StockReserved.v1');
    await shop.request('POST', `/orders/${orderId}/cancellation`);
    await tap.waitFor(orderId, 'StockReleased.v1');
    await eventually(async () => {
      expect(await aws.depth(await aws.queueUrl('payments', 'on-order-cancelled'))).toBe(0);
    });
    await resume();
    await aws.quiet();
    expect(await shop.stock(sku)).toEqual({ available: 5, reserved: 0, shipped: 0 });
    expect(detailTypes(await tap.about(orderId))).not.toContain('PaymentProcessed.v1');
  });
});

describe('failures', () => {
  const probe = (behaviour: 'succeed' | 'fail-once' | 'be-busy-twice' | 'refuse') => {
    const probeId = `probe-${randomUUID()}`;
    return { probeId, event: sampleEvent(ProbeRequested, { probeId, behaviour }) };
  };
  const counts = async (probeId: string) => {
    const { Item } = await aws.dynamodb.send(
      new GetCommand({ TableName: 'millrace-probe-dev', Key: { pk: probeId }, ConsistentRead: true }),
    );
    const count = (name: string) => Number(Item?.[name] ?? 0);
    // `attempts` is that of the success: an event that comes again afterwards changes neither.
    return { deliveries: count('deliveries'), attempts: count('attempts'), successes: count('successes') };
  };

  test('a batch of ten with two bad records fails those two alone', async () => {
    const probes = Array.from({ length: 10 }, (_, index) =>
      probe(index === 3 || index === 7 ? 'fail-once' : 'succeed'),
    );
    const resume = await aws.pause('probe', 'onProbeRequested');
    await aws.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: await aws.queueUrl('probe', 'on-probe-requested'),
        Entries: probes.map(({ event }, index) => ({ Id: String(index), MessageBody: envelopeText(event) })),
      }),
    );
    await resume();
    await eventually(async () => {
      const all = await Promise.all(probes.map(({ probeId }) => counts(probeId)));
      expect(all.map(({ successes }) => successes)).toEqual(Array(10).fill(1));
    });
    const all = await Promise.all(probes.map(({ probeId }) => counts(probeId)));
    expect(all.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 2, 1, 1, 1, 2, 1, 1]);
  });

  test('a record whose dependency is busy is deferred, and that is not a failed attempt', async () => {
    const { probeId, event } = probe('be-busy-twice');
    await aws.put(event);
    await eventually(async () => expect(await counts(probeId)).toMatchObject({ attempts: 1, successes: 1 }));
    expect((await counts(probeId)).deliveries).toBeGreaterThanOrEqual(3);
    const queueUrl = await aws.queueUrl('probe', 'on-probe-requested');
    await eventually(async () => expect(await aws.depth(queueUrl)).toBe(0));
  });

  test('a function that times out is retried', async () => {
    const probeId = `probe-${randomUUID()}`;
    await aws.put(sampleEvent(ProbeStalled, { probeId }));
    await eventually(async () => expect((await counts(probeId)).successes).toBe(1), { intervalMs: 100 });
    expect((await counts(probeId)).attempts).toBeGreaterThanOrEqual(2);
  });

  test.each([
    ['malformed JSON', 'MALFORMED_EVENT', () => '{"detail-type":'],
    ['a message that is no event', 'MALFORMED_EVENT', () => '{"hello":"world"}'],
    [
      'an event that breaks its schema',
      'SCHEMA_VIOLATION',
      () => envelopeText(sampleEvent(StockReserved)).replace('"quantity":2', '"quantity":-2'),
    ],
    ['an event nobody subscribed to', 'UNEXPECTED_EVENT', () => envelopeText(sampleEvent(OrderPlaced))],
    [
      'an event from a source that does not own it',
      'UNEXPECTED_EVENT',
      () => envelopeText(sampleEvent(StockReserved)).replace('"millrace.inventory"', '"millrace.orders"'),
    ],
  ])('%s stands in the dead-letter queue with its reason', async (_, code, body) => {
    const text = body();
    const queueUrl = await aws.queueUrl('orders', 'on-order-progress');
    const deadLetterQueueUrl = await aws.queueUrl('orders', 'on-order-progress-dlq');
    await aws.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: text }));
    await eventually(async () => {
      const message = (await aws.take(deadLetterQueueUrl)).find(({ Body }) => Body === text);
      expect(message).toBeDefined();
      const reasons = Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
        name,
        StringValue,
      ]);
      expect(Object.fromEntries(reasons)).toMatchObject({
        ErrorCode: code,
        ErrorMessage: expect.any(String),
        FailureKind: 'permanent',
        Consumer: 'orders.onOrderProgress',
        Attempts: '1',
      });
    });
    // The original is deleted once its copy stands there, a moment later.
    await eventually(async () => expect(await aws.depth(queueUrl)).toBe(0));
  });

  /** The letter of a probe. Others may have left some: a message that comes twice can fail twice. */
  const letterOf = async (probeId: string) => {
    const letters = await aws.take(await aws.queueUrl('probe', 'on-probe-requested-dlq'));
    return letters.find(({ Body }) => Body?.includes(probeId))?.MessageAttributes ?? {};
  };

  test('a schema violation that comes over the bus stands in the dead-letter queue', async () => {
    const { probeId, event } = probe('succeed');
    const broken = new EmittableEvent({ ...event.entry, detail: event.detail.replace('"succeed"', '"explode"') });
    await aws.put(broken);
    await eventually(async () => {
      const { ErrorCode, ErrorMessage } = await letterOf(probeId);
      expect(ErrorCode?.StringValue).toBe('SCHEMA_VIOLATION');
      expect(ErrorMessage?.StringValue).toContain('data.behaviour');
    });
  });

  test('a permanent error goes to the dead-letter queue at the first attempt', async () => {
    const { probeId, event } = probe('refuse');
    await aws.put(event);
    await eventually(async () => {
      const { ErrorCode, Attempts } = await letterOf(probeId);
      expect([ErrorCode?.StringValue, Attempts?.StringValue]).toEqual(['PROBE_REFUSED', '1']);
    });
    expect(await counts(probeId)).toMatchObject({ successes: 0 });
  });
});
