import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  DeleteCommand,
  documentClient,
  GetCommand,
  httpTransport,
  processTransport,
  type Transport,
} from '@millrace/aws';
import { DynamoDbEventStore, inboxKey } from '@millrace/event-store';
import type { EmittableEvent } from '@millrace/events';
import { timeLeft } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import { consumerVariables, envelopeText, eventually, lambdaContext, sampleEvent, sqsEvent } from '@millrace/testing';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { type Deadlines, GRACE_MS } from '@millrace/timers';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import {
  exampleOrder,
  OrderCancelled,
  OrderConfirmed,
  OrderPlaced,
  OrderTimeLimitReached,
} from '../../events/index.ts';
import { openOrdersIn } from '../adapters/open-orders.ts';
import { Orders } from '../adapters/orders.ts';
import type { OrderCommand } from '../domain/order.ts';

type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;
interface ScheduleRequest {
  method: string;
  name: string;
  body?: { ScheduleExpression: string; Target: { Input: string } };
}

let dynamoDb: TestDynamoDb;
let orders: Orders;
let openOrders: Deadlines;
let setTimeLimit: Consumer;
let onTimeLimitReached: Consumer;
let sweepTimeLimits: (event: unknown, context: Context) => Promise<{ cancelled: number }>;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('orders');
  Object.assign(process.env, {
    MILLRACE_TABLE: 'orders',
    MILLRACE_SCHEDULE_GROUP: 'group',
    MILLRACE_SCHEDULE_ROLE_ARN: 'role',
    MILLRACE_SCHEDULE_BUS_ARN: 'bus',
    MILLRACE_SCHEDULE_DLQ_ARN: 'dlq',
    ...consumerVariables('orders.test'),
  });
  // Handlers read their environment when they are imported, as in Lambda's init phase.
  setTimeLimit = (await import('./set-time-limit.ts')).handler;
  onTimeLimitReached = (await import('./on-time-limit-reached.ts')).handler;
  sweepTimeLimits = (await import('./sweep-time-limits.ts')).handler;
  const table = { client: documentClient(), name: 'orders' };
  openOrders = openOrdersIn(table);
  orders = new Orders(new DynamoDbEventStore(table.client, table.name), openOrders);
});
afterEach(() => {
  jest.restoreAllMocks();
  Object.assign(globalThis, { [processTransport]: undefined });
});
afterAll(() => dynamoDb.stop());

/** Delivers events in one batch and returns how many records failed. */
async function deliver(handler: Consumer, ...events: EmittableEvent[]): Promise<number> {
  return (await handler(sqsEvent(...events.map(envelopeText)), lambdaContext())).batchItemFailures.length;
}

/** @returns what the Scheduler is asked from now on; `failing` names a schedule that it does not answer for */
function askedOfScheduler({ failing }: { failing?: string } = {}): ScheduleRequest[] {
  const asked: ScheduleRequest[] = [];
  const transport: Transport = async (request, limits) => {
    const { pathname } = new URL(request.path, 'https://scheduler');
    if (!pathname.startsWith('/schedules/')) return httpTransport(request, limits);
    const [name = '', body = String(request.body)] = [pathname.split('/').at(-1)];
    if (name === failing) return { statusCode: 400, headers: {}, body: '{"__type":"ValidationException"}' };
    asked.push({ method: request.method, name, ...(body && { body: JSON.parse(body) }) });
    return { statusCode: 200, headers: {}, body: '{}' };
  };
  Object.assign(globalThis, { [processTransport]: transport });
  return asked;
}

const cause = { correlationId: 'correlation-1' };
const shipped: OrderCommand = { type: 'RecordProgress', progress: { type: 'ShipmentCreated', trackingNumber: 'MR1' } };
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

/** An order whose deadline was some time ago. */
async function placedOrder(deadline = ago(1)): Promise<string> {
  const orderId = randomUUID();
  await orders.execute(orderId, { type: 'PlaceOrder', order: { ...exampleOrder, orderId }, deadline }, cause);
  return orderId;
}

const reached = (orderId: string) => sampleEvent(OrderTimeLimitReached, { orderId });

async function stateOf(orderId: string) {
  const { order } = (await orders.find(orderId, exampleOrder.customer.id)) ?? {};
  return { status: order?.status, reason: order?.cancellation?.reason };
}

async function overdue(): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of openOrders.overdue(new Date('9999-01-01'))) ids.push(...page.map(({ id }) => id));
  return ids;
}

describe('setTimeLimit', () => {
  test('makes a schedule of each placed order, with an event that says whose time is over and why it came', async () => {
    const asked = askedOfScheduler();
    const deadline = new Date(Date.now() + 900_000).toISOString();
    const orderId = randomUUID();
    const placed = sampleEvent(OrderPlaced, { orderId, deadline }, { correlationId: 'correlation-1' });

    expect(await deliver(setTimeLimit, placed)).toBe(0);

    const at = expect.stringMatching(/^at\(\d{4}-\d\d-\d\dT[\d:]{8}\)$/);
    expect(asked).toMatchObject([{ method: 'POST', name: orderId, body: { ScheduleExpression: at } }]);
    expect(JSON.parse(asked[0]?.body?.Target.Input ?? '')).toMatchObject({
      metadata: {
        name: 'OrderTimeLimitReached',
        timestamp: deadline,
        subject: orderId,
        correlationId: 'correlation-1',
        causationId: placed.event.metadata.id,
      },
      data: { orderId, deadline },
    });
  });

  test('deletes it with the end of the order', async () => {
    const asked = askedOfScheduler();
    const ends = [
      sampleEvent(OrderConfirmed, { orderId: 'order-1' }),
      sampleEvent(OrderCancelled, { orderId: 'order-2' }),
    ];

    expect(await deliver(setTimeLimit, ...ends)).toBe(0);

    const names = asked.map(({ method, name }) => [method, name]);
    expect(names.sort()).toEqual([
      ['DELETE', 'order-1'],
      ['DELETE', 'order-2'],
    ]);
  });

  test('makes no schedule for an order whose end is in the same batch, whatever the order of the two', async () => {
    const asked = askedOfScheduler();
    const events = [
      sampleEvent(OrderConfirmed, { orderId: 'order-1' }),
      sampleEvent(OrderPlaced, { orderId: 'order-1' }),
      sampleEvent(OrderPlaced, { orderId: 'order-2' }),
    ];

    expect(await deliver(setTimeLimit, ...events)).toBe(0);

    const names = asked.map(({ method, name }) => [method, name]);
    expect(names.sort()).toEqual([
      ['DELETE', 'order-1'],
      ['POST', 'order-2'],
    ]);
  });

  test('marks an event when its schedule is made, and makes the same schedule again after a crash in between', async () => {
    const asked = askedOfScheduler();
    const placed = sampleEvent(OrderPlaced, { orderId: 'order-3' });
    const mark = { TableName: 'orders', Key: inboxKey({ consumer: 'orders.test', eventId: placed.event.metadata.id }) };
    expect(await deliver(setTimeLimit, placed)).toBe(0);
    expect((await documentClient().send(new GetCommand(mark))).Item).toBeDefined();

    // As a crash before the mark leaves it.
    await documentClient().send(new DeleteCommand(mark));
    expect(await deliver(setTimeLimit, placed)).toBe(0);

    expect(asked.map(({ name }) => name)).toEqual(['order-3', 'order-3']);
    expect((await documentClient().send(new GetCommand(mark))).Item).toBeDefined();
  });

  test('makes no schedule for an order that was placed before there were time limits', async () => {
    const asked = askedOfScheduler();
    expect(await deliver(setTimeLimit, sampleEvent(OrderPlaced, { deadline: undefined }))).toBe(0);
    expect(asked).toEqual([]);
  });

  test('an unavailable scheduler fails its own record alone, whose schedule is made when it comes again', async () => {
    askedOfScheduler({ failing: 'order-1' });
    const [bad, good] = [
      sampleEvent(OrderPlaced, { orderId: 'order-1' }),
      sampleEvent(OrderPlaced, { orderId: 'order-2' }),
    ];
    expect(await deliver(setTimeLimit, bad, good)).toBe(1);

    const asked = askedOfScheduler();
    expect(await deliver(setTimeLimit, bad)).toBe(0);
    expect(asked.map(({ name }) => name)).toEqual(['order-1']);
  });
});

describe('onTimeLimitReached', () => {
  test('cancels an order that has not ended, once, however often it comes', async () => {
    const orderId = await placedOrder();
    const event = reached(orderId);
    expect(await deliver(onTimeLimitReached, event, event)).toBe(0);
    expect(await deliver(onTimeLimitReached, reached(orderId))).toBe(0);
    expect(await stateOf(orderId)).toEqual({ status: 'CANCELLED', reason: 'TIMED_OUT' });
  });

  test('comes again while the deadline that the order knows has not passed, whatever the event says', async () => {
    const orderId = await placedOrder(new Date(Date.now() + 200).toISOString());
    const early = reached(orderId);
    expect(await deliver(onTimeLimitReached, early)).toBe(1);
    expect(await stateOf(orderId)).toEqual({ status: 'PLACED', reason: undefined });
    // The same event, and not a duplicate: it has left no mark.
    await eventually(async () => expect(await deliver(onTimeLimitReached, early)).toBe(0));
    expect(await stateOf(orderId)).toEqual({ status: 'CANCELLED', reason: 'TIMED_OUT' });
  });

  test('does nothing after the end', async () => {
    const orderId = await placedOrder();
    await orders.execute(orderId, shipped, cause);
    expect(await deliver(onTimeLimitReached, reached(orderId))).toBe(0);
    expect(await stateOf(orderId)).toEqual({ status: 'CONFIRMED', reason: undefined });
  });

  test('at the moment of the shipment the order is confirmed or cancelled, never both', async () => {
    const orderIds = await Promise.all(Array.from({ length: 10 }, () => placedOrder()));
    await Promise.all(
      orderIds.flatMap((id) => [deliver(onTimeLimitReached, reached(id)), orders.execute(id, shipped, cause)]),
    );
    for (const orderId of orderIds) {
      const { events } = (await orders.find(orderId, exampleOrder.customer.id)) ?? { events: [] };
      const ends = events.filter(({ event }) => event.type === 'OrderConfirmed' || event.type === 'OrderCancelled');
      expect(ends).toHaveLength(1);
    }
  });

  test('the fixture is handled', async () => {
    const text = readFileSync(new URL('../../fixtures/on-time-limit-reached.json', import.meta.url), 'utf8');
    const orderId = JSON.parse(JSON.parse(text).Records[0].body).detail.data.orderId;
    const deadline = ago(1);
    await orders.execute(orderId, { type: 'PlaceOrder', order: { ...exampleOrder, orderId }, deadline }, cause);
    expect(await onTimeLimitReached(JSON.parse(text), lambdaContext())).toEqual({ batchItemFailures: [] });
  });
});

describe('sweepTimeLimits', () => {
  test('cancels what is overdue for longer than a schedule may be late, and leaves the rest', async () => {
    const late = await Promise.all(Array.from({ length: 25 }, () => placedOrder(ago(GRACE_MS + 1_000))));
    const [due, ended] = [await placedOrder(ago(1)), await placedOrder(ago(GRACE_MS + 1_000))];
    await orders.execute(ended, shipped, cause);

    expect(await sweepTimeLimits({}, lambdaContext(60_000))).toEqual({ cancelled: 25 });

    for (const orderId of late) expect(await stateOf(orderId)).toEqual({ status: 'CANCELLED', reason: 'TIMED_OUT' });
    expect([await stateOf(due), await stateOf(ended)]).toMatchObject([{ status: 'PLACED' }, { status: 'CONFIRMED' }]);
    expect(await sweepTimeLimits({}, lambdaContext(60_000))).toEqual({ cancelled: 0 });
  });

  test("the cancellation's cause is that the order was placed", async () => {
    const orderId = await placedOrder(ago(GRACE_MS + 1_000));
    await sweepTimeLimits({}, lambdaContext(60_000));
    const [placed, cancelled] = (await orders.find(orderId, exampleOrder.customer.id))?.events ?? [];
    expect(cancelled).toMatchObject({ correlationId: 'correlation-1', causationId: placed?.id });
  });

  test('ends before its time is up, and the next one goes on', async () => {
    const orderId = await placedOrder(ago(GRACE_MS + 1_000));
    expect(await sweepTimeLimits({}, lambdaContext(1_000))).toEqual({ cancelled: 0 });
    expect(await sweepTimeLimits({}, lambdaContext(60_000))).toEqual({ cancelled: 1 });
    expect(await stateOf(orderId)).toMatchObject({ status: 'CANCELLED' });
  });

  test('stops to retry a busy table while there is time left to log which orders are still overdue', async () => {
    await placedOrder(ago(GRACE_MS + 1_000));
    const left: unknown[] = [];
    jest.spyOn(Orders.prototype, 'execute').mockImplementation(async () => {
      left.push(timeLeft());
      throw new Error('busy');
    });
    jest.spyOn(logger, 'error').mockImplementation(() => {});
    await expect(sweepTimeLimits({}, lambdaContext(2_500))).rejects.toThrow('could not be cancelled');
    expect(new Set(left)).toEqual(new Set([2_000]));
    jest.restoreAllMocks();
    await sweepTimeLimits({}, lambdaContext(60_000));
  });

  test('an order that cannot be cancelled does not keep the others, is named in the log, and fails the sweep', async () => {
    const [bad, good] = [await placedOrder(ago(GRACE_MS + 1_000)), await placedOrder(ago(GRACE_MS + 1_000))];
    const execute = Orders.prototype.execute;
    jest.spyOn(Orders.prototype, 'execute').mockImplementation(function (this: Orders, orderId, ...rest) {
      return orderId === bad ? Promise.reject(new Error('broken')) : execute.call(this, orderId, ...rest);
    });
    const logged = jest.spyOn(logger, 'error').mockImplementation(() => {});
    await expect(sweepTimeLimits({}, lambdaContext(60_000))).rejects.toThrow('1 overdue orders could not be cancelled');
    expect(logged).toHaveBeenCalledTimes(1);
    expect(logged).toHaveBeenCalledWith(expect.any(String), { subject: bad, error: new Error('broken') });
    expect(await stateOf(good)).toMatchObject({ status: 'CANCELLED' });
  });
});

test('an order is among the open ones from its first event to its last', async () => {
  const orderId = await placedOrder();
  expect(await overdue()).toContain(orderId);
  await orders.execute(orderId, { type: 'RecordProgress', progress: { type: 'StockReserved' } }, cause);
  expect(await overdue()).toContain(orderId);
  await orders.execute(orderId, { type: 'CancelOrder', customerId: exampleOrder.customer.id }, cause);
  expect(await overdue()).not.toContain(orderId);
});
