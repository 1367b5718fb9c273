import { randomUUID } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LineageNode } from '@millrace/lineage';
import { eventually } from '@millrace/testing';
import { Aws, type Tap } from './aws.ts';
import { Operator } from './operator.ts';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;
let aws: Aws;
let operator: Operator;
let tap: Tap;
/** An order whose payment provider is down: its attempts go on while the first tests run. */
let unpaid: string;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
  aws = new Aws(system);
  operator = new Operator(system);
  tap = await aws.tap();
  unpaid = await shop.place(orderOf(await shop.stocked(5), 1, { paymentToken: 'tok_outage' }));
});

afterAll(async () => {
  await tap?.close();
  await system?.stop();
});

/** Waits until the log knows this many events of an id. */
const lineageOf = (id: string, count: number) =>
  eventually(
    async () => {
      const { status, body } = await shop.request('GET', `/lineage/${id}`);
      expect([status, body.trees?.flatMap(({ events }) => everyNode(events)).length]).toEqual([200, count]);
      return body;
    },
    { intervalMs: 100 },
  );
const everyNode = (nodes: LineageNode[]): LineageNode[] => nodes.flatMap((node) => [node, ...everyNode(node.events)]);

type Outline = [string, ...Outline[]];
const outlineOf = ({ detailType, events }: LineageNode): Outline => [detailType, ...events.map(outlineOf)];

/** What is dead of an id once something of it is, in this queue: by the consumers of its events. */
async function deadOf(id: string, queue: string) {
  // A look hides letters from others for a moment: it begins once something is there.
  await aws.depthOfAtLeast(queue, 1);
  return eventually(
    async () => {
      const { lineage, followed } = await operator.follow(id);
      const types = new Map(
        everyNode(lineage.trees.flatMap(({ events }) => events)).map((each) => [each.id, each.detailType]),
      );
      const dead = [...followed.whereabouts].flatMap(([event, all]) =>
        all.filter(({ state }) => state === 'dead').map((whereabouts) => ({ event: types.get(event), ...whereabouts })),
      );
      if (dead.length === 0) throw new Error(`Nothing of ${id} is dead: ${JSON.stringify([...followed.whereabouts])}`);
      // A message that came to its consumer twice left two letters, of which one is enough here.
      return [...new Map(dead.map((each) => [`${each.event} ${each.consumer} ${each.queue}`, each])).values()];
    },
    { intervalMs: 500 },
  );
}

describe('a good order', () => {
  test('is a tree from the API call to the last event, with the delay of each hop', async () => {
    const answer = await shop.request('POST', '/orders', orderOf(await shop.stocked(5)));
    const { orderId } = answer.body;
    const call = answer.headers.get('x-correlation-id') ?? '';
    await shop.orderWith(orderId, 'OrderConfirmed');

    const { trees } = await lineageOf(orderId, 5);

    expect(trees).toMatchObject([{ correlationId: call, durationMs: expect.any(Number) }]);
    expect(trees[0]?.events.map(outlineOf)).toEqual([
      ['OrderPlaced.v1', ['StockReserved.v1', ['PaymentProcessed.v1', ['ShipmentCreated.v1', ['OrderConfirmed.v1']]]]],
    ]);
    const nodes = everyNode(trees[0]?.events ?? []);
    expect(nodes.map(({ service }) => service)).toEqual(['orders', 'inventory', 'payments', 'fulfillment', 'orders']);
    for (const { delayMs } of nodes.slice(1)) expect(delayMs).toBeGreaterThanOrEqual(0);
    for (const id of [call, nodes[3]?.id]) {
      expect((await shop.request('GET', `/lineage/${id}`)).body.trees).toEqual(trees);
    }
  });

  test("is not to be found in another customer's lineage, whatever correlation id that customer sends", async () => {
    const victim = await shop.place(orderOf(await shop.stocked(5)));
    const { trees } = await lineageOf(victim, 5);
    const other = await new Shop(system).place(orderOf(await shop.stocked(5)), { 'x-correlation-id': victim });
    await lineageOf(other, 5);

    expect((await shop.request('GET', `/lineage/${victim}`)).body.trees).toEqual(trees);
  });

  test('stands in the log without personal data, and can be found by time', async () => {
    const from = new Date(Date.now() - 5_000).toISOString();
    const orderId = await shop.place(orderOf(await shop.stocked(5)));
    const { trees } = await lineageOf(orderId, 5);
    const [placed] = trees[0]?.events ?? [];

    const { status, body } = await shop.request('GET', `/events/${placed?.id}`);
    expect([status, body.data]).toEqual([
      200,
      expect.objectContaining({ orderId, customer: { id: shop.customerId }, shippingAddress: {} }),
    ]);
    expect(JSON.stringify(body)).not.toMatch(/Ada|@example|Berlin|tok_/);

    const range = `from=${from}&to=${new Date(Date.now() + 60_000).toISOString()}&type=OrderPlaced.v1`;
    const listed = await shop.request('GET', `/events?${range}`);
    expect(listed.body.events.filter(({ subject }) => subject === orderId).map(({ id }) => id)).toEqual([placed?.id]);
  });
});

describe('what is asked for', () => {
  test.each([
    ['/lineage/no%20id', 400, 'id'],
    [`/lineage/${'x'.repeat(129)}`, 400, 'id'],
    [`/lineage/${randomUUID()}`, 404, 'id'],
    [`/events/${randomUUID()}`, 404, 'eventId'],
    ['/events?from=2026-01-01T00:00:00Z&to=2026-02-02T00:00:00Z', 400, 'to'],
    ['/events?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 400, 'to'],
    ['/events?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&cursor=x', 400, 'cursor'],
    ['/events', 400, 'from'],
  ])('%s is answered with %d and the name of what is wrong', async (path, status, field) => {
    const answer = await shop.request('GET', path);

    expect([answer.status, answer.body.errors[0]?.field]).toEqual([status, field]);
  });

  test.each([
    [[randomUUID()], 1, 'no event with the id, subject or correlation'],
    [['no id'], 2, '<id> must be'],
    [[], 2, 'lineage wants one <id>'],
    [['a', '--stage', 'nowhere'], 2, 'There are no queues of stage nowhere'],
  ])('on the command line %j ends with %d', async (args, exitCode, message) => {
    const result = await operator.lineage(...args);

    expect([result.exitCode, result.stderr]).toEqual([exitCode, expect.stringContaining(message)]);
  });
});

describe('an order that went wrong is shown with who failed and why:', () => {
  /** Places an order, and puts a broken copy of one of its events in place of that event into a consumer's queue. */
  async function breakAt(service: string, functionName: string, queue: string, detailType: string): Promise<string> {
    const resume = await aws.pause(service, functionName);
    const QueueUrl = await aws.queueUrl(service, queue);
    const orderId = await shop.place(orderOf(await shop.stocked(5)));
    const kept: string[] = [];
    await eventually(async () => {
      kept.push(...(await aws.takeAll(QueueUrl)).map(({ Body = '' }) => Body));
      expect(kept.some((body) => body.includes(orderId) && JSON.parse(body)['detail-type'] === detailType)).toBe(true);
    });
    for (const body of kept) {
      const event = JSON.parse(body);
      if (body.includes(orderId) && event['detail-type'] === detailType) event.detail.data.orderId = 17;
      await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(event) }));
    }
    await resume();
    return orderId;
  }

  test.each([
    ['stock', 'inventory', 'onOrderPlaced', 'on-order-placed', 'OrderPlaced.v1'],
    ['shipment', 'fulfillment', 'onPaymentProcessed', 'on-payment-processed', 'PaymentProcessed.v1'],
    ['confirmation', 'orders', 'onOrderProgress', 'on-order-progress', 'ShipmentCreated.v1'],
    ['mail', 'notifications', 'onOrderOutcome', 'on-order-outcome', 'OrderConfirmed.v1'],
  ])('its %s', async (_, service, functionName, queue, detailType) => {
    const orderId = await breakAt(service, functionName, queue, detailType);

    const name = `millrace-${service}-dev-${queue}-dlq`;

    const dead = await deadOf(orderId, name);

    expect(dead).toEqual([
      {
        state: 'dead',
        event: detailType,
        consumer: `${service}.${functionName}`,
        queue: name,
        reason: expect.objectContaining({
          code: 'SCHEMA_VIOLATION',
          message: expect.stringContaining('data.orderId'),
        }),
      },
    ]);
    const { exitCode, stdout, stderr } = await operator.lineage(orderId);
    expect(stdout).toContain(`✗ ${service}.${functionName}: dead in ${name}: SCHEMA_VIOLATION after 1 attempt: `);
    expect(stderr).toContain(`It stopped at ${service}.${functionName}`);
    expect(exitCode).toBe(1);
  });

  test('its payment, whose letter is still there afterwards', async () => {
    const queue = 'millrace-payments-dev-on-stock-reserved-dlq';

    const dead = await deadOf(unpaid, queue);

    expect(dead).toEqual([
      {
        state: 'dead',
        event: 'StockReserved.v1',
        consumer: 'payments.onStockReserved',
        queue,
        reason: expect.objectContaining({ code: 'PROVIDER_UNAVAILABLE' }),
      },
    ]);
    const shown = await operator.lineage(unpaid);
    expect(shown.stdout).toMatch(
      /✗ payments\.onStockReserved: dead in .*-dlq: PROVIDER_UNAVAILABLE after 5 attempts: /,
    );
    expect(shown.stderr).toContain('It stopped at payments.onStockReserved');
    expect(shown.exitCode).toBe(1);
    const { consumers } = JSON.parse((await operator.lineage(unpaid, '--json')).stdout);
    expect(Object.values(consumers).flat()).toContainEqual(
      expect.objectContaining({ state: 'dead', consumer: 'payments.onStockReserved', queue }),
    );

    const { stdout } = await operator.redrive('redrive', 'payments.onStockReserved');
    expect(stdout).toMatch(/\b[12] +redriven/);
    await shop.orderWith(unpaid, 'OrderConfirmed');
    await eventually(
      async () => {
        const { exitCode } = await operator.lineage(unpaid);
        // SQS may deliver the deleted letter once more.
        if (exitCode !== 0) await operator.redrive('redrive', 'payments.onStockReserved');
        expect(exitCode).toBe(0);
      },
      { intervalMs: 500 },
    );
  });
});

// Last, because they wait until nothing is in a queue any more: not while the attempts at the payment go on.
describe('a good order, when all is quiet,', () => {
  test('is shown as complete on the command line', async () => {
    const orderId = await shop.place(orderOf(await shop.stocked(5)));
    await shop.orderWith(orderId, 'OrderConfirmed');
    await lineageOf(orderId, 5);
    await aws.quiet();

    const { exitCode, stdout, stderr } = await operator.lineage(orderId);

    expect(stdout.split('\n').map((line) => line.replace(/ {2}.*/, '').trim())).toEqual(
      expect.arrayContaining([expect.stringMatching(/^└─ OrderPlaced.v1/)]),
    );
    expect(stdout).toMatch(/✓ notifications\.onOrderOutcome: handled/);
    expect(stdout).not.toMatch(/[✗?]/);
    expect(stderr).toContain('5 event(s), handled by all their consumers');
    expect(exitCode).toBe(0);
  });

  test('is in the log once, though its events come again', async () => {
    const orderId = await shop.place(orderOf(await shop.stocked(5)));
    await lineageOf(orderId, 5);
    const [placed] = await tap.waitFor(orderId, 'OrderConfirmed.v1');
    const before = await shop.request('GET', `/events/${placed?.event.metadata.id}`);

    if (placed) await aws.put(placed);
    await aws.quiet();

    expect((await shop.request('GET', `/events/${placed?.event.metadata.id}`)).body).toEqual({
      ...before.body,
      requestId: before.body.requestId,
    });
    await lineageOf(orderId, 5);
  });
});

describe('an event, when all is quiet,', () => {
  test('that got lost on its way is not called handled', async () => {
    const resume = await aws.pause('inventory', 'onOrderPlaced');
    const QueueUrl = await aws.queueUrl('inventory', 'on-order-placed');
    const orderId = await shop.place(orderOf(await shop.stocked(5)));
    // As it is when somebody purges a queue, or disables a rule.
    await eventually(async () => {
      const bodies = (await aws.takeAll(QueueUrl)).map(({ Body = '' }) => Body);
      const others = bodies.filter((body) => !body.includes(orderId));
      for (const MessageBody of others) await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      expect(others.length).toBeLessThan(bodies.length);
    });
    await resume();
    await lineageOf(orderId, 1);
    await aws.quiet();

    const { exitCode, stdout, stderr } = await operator.lineage(orderId);

    expect(stdout).toContain('? inventory.onOrderPlaced: no trace');
    expect(stdout).toContain('✓ orders.projectOrders: handled');
    expect(stderr).toContain('No trace at inventory.onOrderPlaced');
    expect(exitCode).toBe(1);
  });
});
