import { describe, expect, test } from '@jest/globals';
import { CircuitBreaker, InMemoryCircuitStore, type ProviderCalls } from './index.ts';

const settings = { failureRate: 0.5, minimumCalls: 4, windowMs: 60_000, openMs: 30_000, leaseMs: 20_000 };
const rejected = { code: 'CIRCUIT_OPEN' };

class DownError extends Error {}

/** A provider whose work and whose lookups are up or down, and as many containers as a test asks for. */
function setUp() {
  const store = new InMemoryCircuitStore();
  const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
  const provider = { takesWork: true, answersLookups: true, calls: [] as string[] };
  const answer = (name: string, isUp: boolean) => async () => {
    provider.calls.push(name);
    if (!isUp) throw new DownError('503');
    return name;
  };
  const work = () => answer('work', provider.takesWork)();
  const find = () => answer('find', provider.answersLookups)();
  const container = () =>
    new CircuitBreaker('provider', {
      ...{ store, settings, isFailure: (error) => error instanceof DownError, now: () => clock.now },
    });
  const open = async () => {
    provider.takesWork = false;
    for (let call = 0; call < settings.minimumCalls; call += 1)
      await container()
        .run(work)
        .catch(() => undefined);
    provider.calls.length = 0;
  };
  const status = async () => (await store.load()).circuit.status;
  const pass = (ms: number) => {
    clock.now += ms;
  };
  /** A message that was asked for before: first what became of that. */
  const repeat = async ({ enter, lookUp, run }: ProviderCalls) => {
    await enter();
    await lookUp(find);
    return run(work);
  };
  return { provider, work, find, container, open, status, pass, repeat };
}

describe('while the circuit is closed', () => {
  test('the failure of a lookup counts, and its answer does not', async () => {
    const { provider, find, work, container, status } = setUp();
    const look = () => container().handle(({ lookUp }) => lookUp(find));
    provider.takesWork = false;
    for (let call = 1; call <= 3; call += 1) {
      await look();
      await expect(container().run(work)).rejects.toThrow(DownError);
    }
    for (let call = 1; call <= 20; call += 1) await look();
    provider.answersLookups = false;
    await expect(look()).rejects.toMatchObject(rejected);
    expect(await status()).toBe('open');
  });

  test('the messages of a provider that answers lookups and does no work are not at fault from the fourth failure on', async () => {
    const { provider, container, repeat } = setUp();
    provider.takesWork = false;
    const results = [];
    for (let count = 0; count < 9; count += 1) {
      results.push(
        await container()
          .handle(repeat)
          .catch((error: Error & { code?: string }) => error.code),
      );
    }
    expect(results.filter((code) => code !== 'CIRCUIT_OPEN')).toHaveLength(settings.minimumCalls - 1);
  });
});

describe('while the circuit is open, the message that is the probe', () => {
  test('looks up and does its work under one lease, and its work closes the circuit', async () => {
    const { provider, container, open, pass, repeat, status, work } = setUp();
    await open();
    provider.takesWork = true;
    pass(30_000);
    await container().handle(async (calls) => {
      await calls.enter();
      expect(await status()).toBe('half-open');
      await expect(container().handle(({ enter }) => enter())).rejects.toMatchObject(rejected);
      await repeat(calls);
      expect(await status()).toBe('closed');
      await calls.run(work);
    });
    expect(provider.calls).toEqual(['find', 'work', 'work']);
  });

  test('keeps the circuit open for another interval when its lookup is answered and its work is not done', async () => {
    const { provider, container, open, pass, repeat, status } = setUp();
    await open();
    pass(30_000);
    await expect(container().handle(repeat)).rejects.toMatchObject(rejected);
    expect(await status()).toBe('open');
    pass(29_999);
    await expect(container().handle(repeat)).rejects.toMatchObject(rejected);
    expect(provider.calls).toEqual(['find', 'work']);
  });

  test('keeps it open for another interval when its lookup fails', async () => {
    const { provider, container, open, pass, repeat } = setUp();
    await open();
    provider.answersLookups = false;
    pass(30_000);
    for (let count = 0; count < 3; count += 1) await expect(container().handle(repeat)).rejects.toMatchObject(rejected);
    expect(provider.calls).toEqual(['find']);
  });

  test.each([
    ['only needs a lookup', false],
    ['fails by itself after a lookup', true],
  ])('leaves the circuit open if it %s, and the next message is the probe at once', async (_, fails) => {
    const { provider, container, open, pass, repeat, status, find } = setUp();
    await open();
    provider.takesWork = true;
    pass(30_000);
    const handled = container().handle(async ({ lookUp }) => {
      await lookUp(find);
      if (fails) throw new Error('a bug');
    });
    await (fails ? expect(handled).rejects.toThrow('a bug') : handled);
    expect(await status()).toBe('open');

    await container().handle(repeat);
    expect(await status()).toBe('closed');
  });

  test('that calls nothing takes no turn, and that has not entered neither', async () => {
    const { container, open, pass, repeat, provider, status } = setUp();
    await open();
    provider.takesWork = true;
    expect(await container().handle(async () => 'nothing to ask')).toBe('nothing to ask');
    pass(30_000);
    await container().handle(({ enter }) => enter());
    await container().handle(repeat);
    expect(await status()).toBe('closed');
  });
});
