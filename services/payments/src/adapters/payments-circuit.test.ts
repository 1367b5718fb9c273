import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { CircuitBreaker, DynamoDbCircuitStore } from '@millrace/circuit-breaker';
import type { Table } from '@millrace/event-store';
import { exampleOrder, type OrderSnapshot } from '@millrace/orders/events';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { ProviderUnavailableError } from '../domain/payment-provider.ts';
import { Payments } from './payments.ts';
import { SandboxProvider, testTokens } from './sandbox-provider.ts';

let dynamoDb: TestDynamoDb;
let table: Table;

beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('payments');
  table = { client: documentClient(), name: 'payments' };
});
afterAll(() => dynamoDb.stop());

const settings = { failureRate: 0.5, minimumCalls: 4, windowMs: 60_000, openMs: 30_000, leaseMs: 30_000 };
const cause = {
  correlationId: 'correlation-1',
  causationId: 'event-1',
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
};
const inbox = () => ({ consumer: 'payments.test', eventId: randomUUID() });
const newOrder = (): OrderSnapshot => ({
  ...exampleOrder,
  orderId: randomUUID(),
  paymentToken: testTokens.approved,
});
const rejected = { code: 'CIRCUIT_OPEN' };

/** A provider that can be down, with a circuit of its own. */
function setUp() {
  const clock = { now: Date.now() };
  const provider = { isDown: false, answersLookups: false, losesAnswers: false, calls: 0 };
  const sandbox = new SandboxProvider(table.client, table.name);
  const reached = new Proxy(sandbox, {
    get: (target, method: 'charge' | 'find' | 'refund' | 'findRefund') => async (request: never, signal: never) => {
      provider.calls += 1;
      if (provider.isDown && !(provider.answersLookups && method.startsWith('find')))
        throw new ProviderUnavailableError('503 Service Unavailable');
      const answer = await target[method](request, signal);
      if (provider.losesAnswers && method === 'charge') throw new ProviderUnavailableError('connection reset');
      return answer;
    },
  });
  const circuit = randomUUID();
  const container = () =>
    new Payments(table, reached, {
      circuit: new CircuitBreaker(circuit, {
        store: new DynamoDbCircuitStore(table, { pk: circuit, sk: 'CIRCUIT' }),
        settings,
        isFailure: (error) => error instanceof ProviderUnavailableError,
        now: () => clock.now,
      }),
    });
  const pass = (ms: number) => {
    clock.now += ms;
  };
  return { provider, container, pass };
}

test('an open circuit leaves orders alone: no request on record, and no call', async () => {
  const { provider, container } = setUp();
  provider.isDown = true;
  for (let call = 1; call <= 3; call += 1) {
    await expect(container().charge(newOrder(), cause, inbox())).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
  }
  await expect(container().charge(newOrder(), cause, inbox())).rejects.toMatchObject(rejected);
  const order = newOrder();
  await expect(container().charge(order, cause, inbox())).rejects.toMatchObject(rejected);
  expect(provider.calls).toBe(4);
  expect(await container().find(order.orderId)).toBeUndefined();
});

test('the probe is a charge that waits, and is made once when the provider answers again', async () => {
  const { provider, container, pass } = setUp();
  provider.isDown = true;
  const waiting = Array.from({ length: 5 }, () => ({ order: newOrder(), event: inbox() }));
  const chargeAll = () =>
    Promise.allSettled(waiting.map(({ order, event }) => container().charge(order, cause, event)));
  await chargeAll();
  pass(30_000);
  const { calls } = provider;
  await chargeAll();
  expect(provider.calls).toBe(calls + 1);

  provider.isDown = false;
  pass(30_000);
  await chargeAll();
  pass(1_000);
  await chargeAll();
  for (const { order } of waiting) {
    expect(await container().find(order.orderId)).toMatchObject({ status: 'CAPTURED' });
  }
});

test('a provider that answers lookups and takes no money fails no message more often than it takes to open the circuit', async () => {
  const { provider, container, pass } = setUp();
  provider.isDown = true;
  provider.answersLookups = true;
  const waiting = Array.from({ length: 4 }, () => ({ order: newOrder(), event: inbox() }));
  const codes: unknown[] = [];
  const chargeAll = async () => {
    for (const { order, event } of waiting) {
      await container()
        .charge(order, cause, event)
        .catch(({ code }) => codes.push(code));
    }
  };
  for (let interval = 1; interval <= 20; interval += 1) {
    await chargeAll();
    pass(30_000);
  }
  expect(codes.filter((code) => code !== 'CIRCUIT_OPEN')).toHaveLength(settings.minimumCalls - 1);
  expect(codes).toHaveLength(80);

  provider.isDown = false;
  await chargeAll();
  for (const { order } of waiting) {
    expect(await container().find(order.orderId)).toMatchObject({ status: 'CAPTURED' });
  }
});

test('a probe that finds its charge done leaves the circuit to the next message, at once', async () => {
  const { provider, container, pass } = setUp();
  const [done, waiting] = [
    { order: newOrder(), event: inbox() },
    { order: newOrder(), event: inbox() },
  ];
  provider.losesAnswers = true;
  await expect(container().charge(done.order, cause, done.event)).rejects.toMatchObject({
    code: 'PROVIDER_UNAVAILABLE',
  });
  provider.isDown = true;
  for (let call = 1; call <= 5; call += 1) {
    await container()
      .charge(newOrder(), cause, inbox())
      .catch(() => undefined);
  }
  provider.answersLookups = true;
  pass(30_000);
  await container().charge(done.order, cause, done.event);
  expect(await container().find(done.order.orderId)).toMatchObject({ status: 'CAPTURED' });

  await expect(container().charge(waiting.order, cause, waiting.event)).rejects.toMatchObject(rejected);
  const charge = () => container().charge(waiting.order, cause, waiting.event);
  Object.assign(provider, { isDown: false, losesAnswers: false });
  const { calls } = provider;
  await expect(charge()).rejects.toMatchObject(rejected);
  expect(provider.calls).toBe(calls);
  pass(30_000);
  await charge();
  expect(await container().find(waiting.order.orderId)).toMatchObject({ status: 'CAPTURED' });
});

test('a cancellation waits for the circuit, too, and refunds once', async () => {
  const { provider, container, pass } = setUp();
  const order = newOrder();
  await container().charge(order, cause, inbox());
  provider.isDown = true;
  for (let call = 1; call <= 5; call += 1) {
    await container()
      .charge(newOrder(), cause, inbox())
      .catch(() => undefined);
  }
  const cancelled = inbox();
  await expect(container().cancel(order, cause, cancelled)).rejects.toMatchObject(rejected);
  provider.isDown = false;
  pass(30_000);
  await container().cancel(order, cause, cancelled);
  expect(await container().find(order.orderId)).toMatchObject({ status: 'REFUNDED' });
});
