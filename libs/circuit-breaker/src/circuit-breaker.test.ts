import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentClient } from '@millrace/aws';
import { isUnavailable } from '@millrace/errors';
import { startTestDynamoDb, type TestDynamoDb } from '@millrace/testing/dynamodb';
import { CircuitBreaker, type CircuitStore, DynamoDbCircuitStore, InMemoryCircuitStore } from './index.ts';

const settings = { failureRate: 0.5, minimumCalls: 4, windowMs: 60_000, openMs: 30_000, leaseMs: 20_000 };
const rejected = { code: 'CIRCUIT_OPEN' };

let dynamoDb: TestDynamoDb;
beforeAll(async () => {
  dynamoDb = await startTestDynamoDb();
  await dynamoDb.createTable('circuits');
});
afterAll(() => dynamoDb.stop());

class DownError extends Error {}

/** A store that counts what is asked of it, and that can be down. */
class CountingStore implements CircuitStore {
  loads = 0;
  saves = 0;
  error: Error | undefined;
  readonly #store: CircuitStore;

  constructor(store: CircuitStore) {
    this.#store = store;
  }

  async load() {
    this.loads += 1;
    if (this.error) throw this.error;
    return this.#store.load();
  }

  async save(...change: Parameters<CircuitStore['save']>) {
    this.saves += 1;
    if (this.error) throw this.error;
    return this.#store.save(...change);
  }
}

/** A provider that is up or down, and as many containers as a test asks for. */
function setUp(shared: CircuitStore = new InMemoryCircuitStore()) {
  const store = new CountingStore(shared);
  const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
  const provider = { isDown: false, calls: 0 };
  const ask = async () => {
    provider.calls += 1;
    if (provider.isDown) throw new DownError('503');
    return 'answer';
  };
  const container = ({ ahead = 0 } = {}) => {
    const now = () => clock.now + ahead;
    return new CircuitBreaker('provider', {
      store,
      settings,
      isFailure: (error) => error instanceof DownError,
      now,
    });
  };
  const fail = async (breaker: CircuitBreaker, times: number) => {
    provider.isDown = true;
    for (let call = 1; call <= times; call += 1) await breaker.run(ask).catch(() => undefined);
  };
  const status = async () => (await shared.load()).circuit.status;
  const pass = (ms: number) => {
    clock.now += ms;
  };
  return { store, provider, ask, container, fail, status, pass };
}

/** A call that ends when it is told to. */
function openCall() {
  const { promise, reject } = Promise.withResolvers<string>();
  const started = Promise.withResolvers<void>();
  const call = () => {
    started.resolve();
    return promise;
  };
  return { call, started: started.promise, fail: () => reject(new DownError('503')) };
}

const stores: [string, () => CircuitStore][] = [
  ['in memory', () => new InMemoryCircuitStore()],
  [
    'in DynamoDB',
    () => new DynamoDbCircuitStore({ client: documentClient(), name: 'circuits' }, { pk: randomUUID(), sk: 'CIRCUIT' }),
  ],
];

describe.each(stores)('containers that share a circuit %s', (_, newStore) => {
  test('count their failures together, and do not call the provider while the circuit is open', async () => {
    const { container, fail, status, provider, ask } = setUp(newStore());
    const [first, second, third] = [container(), container(), container()];
    await fail(first, 2);
    await fail(second, 1);
    expect(await status()).toBe('closed');
    await fail(second, 1);
    expect(await status()).toBe('open');

    await expect(third.run(ask)).rejects.toMatchObject({
      ...rejected,
      wait: { afterSeconds: 30, spreadSeconds: 30 },
    });
    expect(provider.calls).toBe(4);
  });

  test('send one probe, however many of them and of their calls try at once', async () => {
    const { container, fail, pass, provider, ask, status } = setUp(newStore());
    await fail(container(), 4);
    const containers = [container(), container(), container()];
    pass(30_000);
    const results = await Promise.allSettled(containers.flatMap((each) => [each.run(ask), each.run(ask)]));
    expect(provider.calls).toBe(5);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(await status()).toBe('open');

    provider.isDown = false;
    pass(30_000);
    await Promise.allSettled(containers.flatMap((each) => [each.run(ask), each.run(ask)]));
    expect(await status()).toBe('closed');
    pass(1_000);
    for (const each of containers) expect(await each.run(ask)).toBe('answer');
  });

  test('open it once when all their calls fail at the same time', async () => {
    const { container, fail, status, ask } = setUp(newStore());
    const containers = [container(), container(), container(), container()];
    const [one = container()] = containers;
    await fail(one, 0);
    const results = await Promise.allSettled(
      containers.flatMap((each) => Array.from({ length: 25 }, () => each.run(ask))),
    );
    expect(await status()).toBe('open');
    // Almost all of them learn that the circuit is open: their messages are deferred, and no attempt is counted.
    const counted = results.filter((result) => result.status === 'rejected' && !isUnavailable(result.reason));
    expect(counted.length).toBeLessThanOrEqual(4 * 4);
  });

  test('take over a probe whose owner died, when its lease is over', async () => {
    const { container, fail, pass, provider, ask, status } = setUp(newStore());
    await fail(container(), 4);
    pass(30_000);
    const { call, started } = openCall();
    void container().run(call);
    await started;
    const other = container();
    await expect(other.run(ask)).rejects.toMatchObject(rejected);
    provider.isDown = false;
    pass(19_000);
    await expect(other.run(ask)).rejects.toMatchObject(rejected);
    expect(provider.calls).toBe(4);
    pass(1_000);
    expect(await other.run(ask)).toBe('answer');
    expect(await status()).toBe('closed');
  });

  test('ignore the outcome of a probe that comes after its lease', async () => {
    const { container, fail, pass, provider, ask, status } = setUp(newStore());
    await fail(container(), 4);
    pass(30_000);
    const late = openCall();
    const running = container().run(late.call);
    await late.started;
    await expect(container().run(ask)).rejects.toMatchObject(rejected);
    pass(20_000);
    provider.isDown = false;
    await container().run(ask);
    late.fail();
    await expect(running).rejects.toMatchObject(rejected);
    expect(await status()).toBe('closed');
  });
});

describe('clocks that differ', () => {
  test.each([
    ['ahead', 15_000],
    ['behind', -15_000],
  ])('by less than a lease do not make two probes (%s)', async (_, ahead) => {
    const { container, fail, pass, ask, provider } = setUp();
    await fail(container(), 4);
    pass(30_000);
    const { call, started } = openCall();
    void container().run(call);
    await started;
    await expect(container({ ahead }).run(ask)).rejects.toMatchObject(rejected);
    expect(provider.calls).toBe(4);
  });

  test.each([5 * 60_000, -5 * 60_000])('by minutes do not keep the circuit open (%i ms)', async (ahead) => {
    const { container, fail, pass, ask, provider, status } = setUp();
    await fail(container({ ahead }), 4);
    pass(30_000);
    provider.isDown = false;
    expect(await container().run(ask)).toBe('answer');
    expect(await status()).toBe('closed');
  });
});

describe('a container', () => {
  test('asks the store for nothing more than the state every five seconds while calls succeed', async () => {
    const { container, ask, store, pass } = setUp();
    const breaker = container();
    for (let second = 0; second < 60; second += 1) {
      for (let call = 0; call < 10; call += 1) await breaker.run(ask);
      pass(1_000);
    }
    expect(store.loads).toBe(12);
    expect(store.saves).toBe(0);
  });

  test('writes once to start a probe, and once to report a burst of failures, however many calls it has under way', async () => {
    const { container, ask, fail, store, pass, provider } = setUp();
    const breaker = container();
    await fail(breaker, 3);
    const { saves } = store;
    await Promise.allSettled(Array.from({ length: 50 }, () => breaker.run(ask)));
    expect(store.saves).toBe(saves + 1);
    pass(30_000);
    provider.isDown = false;
    await Promise.allSettled(Array.from({ length: 50 }, () => breaker.run(ask)));
    expect(store.saves).toBe(saves + 3);
  });

  test('learns by its own failing call that another one has opened the circuit', async () => {
    const { container, ask, fail, provider } = setUp();
    const [one, other] = [container(), container()];
    await other.run(ask);
    await fail(one, 9);
    await expect(other.run(ask)).rejects.toMatchObject({ ...rejected, cause: expect.any(DownError) });
    await expect(other.run(ask)).rejects.toMatchObject(rejected);
    expect(provider.calls).toBe(6);
  });

  test('reports calls that succeed when others fail, so that a few failures of many calls open nothing', async () => {
    const { container, ask, fail, pass, status, provider } = setUp();
    const [healthy, failing] = [container(), container()];
    for (let call = 0; call < 20; call += 1) await healthy.run(ask);
    await fail(failing, 3);
    provider.isDown = false;
    for (const _ of [1, 2]) {
      pass(5_000);
      await healthy.run(ask);
    }
    await fail(failing, 9);
    expect(await status()).toBe('closed');
  });

  test('does not count a failure as an attempt when the provider is suspect, although calls before have succeeded', async () => {
    const { container, ask, provider, status } = setUp();
    const breaker = container();
    for (let call = 0; call < 90; call += 1) await breaker.run(ask);
    provider.isDown = true;
    for (let call = 1; call <= 3; call += 1) await expect(breaker.run(ask)).rejects.toThrow(DownError);
    await expect(breaker.run(ask)).rejects.toMatchObject({ ...rejected, cause: expect.any(DownError) });
    expect(await status()).toBe('closed');
  });

  test('counts an error that says nothing about the provider as an answer', async () => {
    const { container, fail, pass, status } = setUp();
    const breaker = container();
    const declined = () => Promise.reject(new Error('declined'));
    for (let call = 0; call < 9; call += 1) await expect(breaker.run(declined)).rejects.toThrow('declined');
    expect(await status()).toBe('closed');
    await fail(container(), 9);
    pass(30_000);
    await expect(container().run(declined)).rejects.toThrow('declined');
    expect(await status()).toBe('closed');
  });

  test('passes failures on while the circuit is closed', async () => {
    const { container, ask, provider } = setUp();
    provider.isDown = true;
    await expect(container().run(ask)).rejects.toThrow(DownError);
  });

  test('refuses work early while the circuit is open, until a probe is due', async () => {
    const { container, fail, pass } = setUp();
    const breaker = container();
    await breaker.check();
    await fail(breaker, 4);
    await expect(breaker.check()).rejects.toMatchObject(rejected);
    pass(30_000);
    await breaker.check();
  });

  test('lets calls through while the store is unavailable, and asks it now and then', async () => {
    const { container, ask, fail, store, provider, pass } = setUp();
    const breaker = container();
    await fail(breaker, 4);
    store.error = Object.assign(new Error('throttled'), { name: 'ThrottlingException' });
    provider.isDown = false;
    pass(5_000);
    const { loads } = store;
    for (let call = 0; call < 9; call += 1) expect(await breaker.run(ask)).toBe('answer');
    expect(store.loads).toBe(loads + 1);
    provider.isDown = true;
    await expect(breaker.run(ask)).rejects.toThrow(DownError);
    store.error = undefined;
    pass(5_000);
    await expect(breaker.run(ask)).rejects.toMatchObject(rejected);
  });

  test('reports failures that it could not write when the store is back', async () => {
    const { container, ask, fail, store } = setUp();
    const breaker = container();
    store.error = Object.assign(new Error('throttled'), { name: 'ThrottlingException' });
    await fail(breaker, 3);
    store.error = undefined;
    await fail(breaker, 1);
    await expect(breaker.run(ask)).rejects.toMatchObject(rejected);
  });

  test('does not hide that it may not read the circuit', async () => {
    const { container, ask, store } = setUp();
    store.error = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    await expect(container().run(ask)).rejects.toThrow('no');
  });
});
