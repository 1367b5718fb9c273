import { expect, test } from '@jest/globals';
import { sampleEvent } from '@millrace/testing';
import { type Counted, CounterMoved, counted, eventStoreConformance } from '../fixtures/event-store-conformance.ts';
import { InMemoryEventStore } from './index.ts';

eventStoreConformance((options) => new InMemoryEventStore<Counted>(options));

test('shows what a relay would emit', async () => {
  const store = new InMemoryEventStore<Counted>();
  const emit = sampleEvent(CounterMoved);

  await store.append('stream', 0, [counted(1, { emit }), counted(2)]);
  await expect(store.append('stream', 0, [counted(1, { emit })])).rejects.toThrow();

  expect(store.outbox).toEqual([emit]);
});

test('takes no write that it cannot do', async () => {
  const store = new InMemoryEventStore<Counted>();
  const write = { Put: { TableName: 'table', Item: { pk: 'a', sk: 'STATE' } } };

  await expect(store.append('stream', 0, [counted(1)], [{ write }])).rejects.toThrow(TypeError);
  expect((await store.load('stream')).version).toBe(0);
});
