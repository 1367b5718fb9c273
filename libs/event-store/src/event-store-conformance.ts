import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { DuplicateEventError } from '@millrace/errors';
import { defineEvent } from '@millrace/events';
import { sampleEvent } from '@millrace/testing';
import * as z from 'zod';
import {
  ConcurrencyConflictError,
  type DomainEvent,
  type EventStore,
  EventTooLargeError,
  type NewEvent,
  type ReadOptions,
  retryOnConflict,
  StreamConflictError,
  UnreadableEventError,
  type Upcasters,
} from './index.ts';

export interface Counted {
  type: 'Counted';
  by: number;
  note?: string | undefined;
}

export const CounterMoved = defineEvent({
  name: 'CounterMoved',
  version: 1,
  service: 'counter',
  category: 'domain',
  type: 'data',
  summary: 'A counter has another value.',
  data: z.object({ by: z.number(), note: z.string().optional() }),
  example: { by: 1 },
});

export const time = new Date('2026-03-01T10:20:30.456Z');

export const counted = (by: number, rest: Partial<NewEvent<Counted>> = {}): NewEvent<Counted> => ({
  id: randomUUID(),
  event: { type: 'Counted', by },
  time,
  correlationId: 'correlation-1',
  ...rest,
});

/** What every event store has to do. `make` gives one, whose streams may be those of another one's. */
export function eventStoreConformance(
  make: (options?: { upcasters?: Upcasters; now?: () => Date }) => EventStore<Counted>,
): void {
  const amounts = async (store: EventStore<Counted>, stream: string) =>
    (await store.load(stream)).events.map(({ event }) => event.by);
  const inbox = (eventId: string = randomUUID()) => ({ consumer: 'counter.onTick', eventId });

  /** A stream of these amounts, one append each. */
  async function streamOf(store: EventStore<Counted>, ...amounts: number[]): Promise<string> {
    const stream = randomUUID();
    for (const [version, by] of amounts.entries()) await store.append(stream, version, [counted(by)]);
    return stream;
  }

  describe('a stream', () => {
    test('that does not exist is empty', async () => {
      expect(await make().load(randomUUID())).toEqual({ events: [], version: 0 });
    });

    test('gives back what was appended, in order', async () => {
      const store = make({ now: () => new Date('2026-03-01T11:00:00.000Z') });
      const stream = randomUUID();
      const event = { type: 'Counted', by: 1, note: undefined } as const;
      const first = counted(1, { event, causationId: 'cause-1', emit: sampleEvent(CounterMoved) });
      const rest = [counted(2), counted(3)];

      await store.append(stream, 0, [first]);
      await store.append(stream, 1, rest);

      const { events, version } = await store.load(stream);
      expect(version).toBe(3);
      expect(events).toEqual([
        {
          id: first.id,
          event: { type: 'Counted', by: 1 },
          time: '2026-03-01T10:20:30.456Z',
          recordedAt: '2026-03-01T11:00:00.000Z',
          version: 1,
          correlationId: 'correlation-1',
          causationId: 'cause-1',
          emitted: true,
        },
        expect.objectContaining({ id: rest[0]?.id, version: 2 }),
        expect.objectContaining({ id: rest[1]?.id, version: 3 }),
      ]);
      expect(events[1]).not.toHaveProperty('causationId');
      expect(events[1]).not.toHaveProperty('emitted');
    });

    test('keeps what it was given, whatever becomes of the object', async () => {
      const store = make();
      const event = { type: 'Counted' as const, by: 1 };
      const stream = randomUUID();
      await store.append(stream, 0, [counted(1, { event })]);
      event.by = 2;
      const [stored] = (await store.load(stream)).events;
      if (stored) stored.event.by = 3;

      expect(await amounts(store, stream)).toEqual([1]);
    });

    test('keeps its order beyond nine events, and large ones', async () => {
      const store = make();
      const stream = randomUUID();
      const note = 'straße 😀 '.repeat(3_000);
      for (let version = 0; version < 60; version += 20) {
        const events = Array.from({ length: 20 }, (_, index) =>
          counted(0, { event: { type: 'Counted', by: version + index, note } }),
        );
        await store.append(stream, version, events);
      }

      const { events } = await store.load(stream);
      expect(events.map(({ event }) => event.by)).toEqual(Array.from({ length: 60 }, (_, index) => index));
      for (const { event } of events) expect(event.note).toBe(note);
    });

    test('takes as many events at once as fit into a transaction, and says when there are more', async () => {
      const store = make();
      const stream = await streamOf(store, 0);
      const many = Array.from({ length: 99 }, (_, index) => counted(index));

      await store.append(stream, 1, many, [store.inboxMark(inbox(), time)]);

      expect((await store.load(stream)).version).toBe(100);
      await expect(store.append(stream, 100, [...many, counted(1)])).rejects.toThrow(RangeError);
      await expect(store.append(stream, 100, [])).rejects.toThrow(RangeError);
    });

    test.each([
      ['a Date', new Date()],
      ['a Set', new Set(['x'])],
      ['a number that is none', Number.NaN],
      ['a number that a double cannot count to', 2 ** 60],
      ['a function', () => 1],
      ['undefined in a list', [undefined]],
    ])('refuses what cannot be stored without loss: %s', async (_, note) => {
      const store = make();
      const stream = randomUUID();
      const event = { type: 'Counted', by: 1, note: note as unknown as string } as const;

      await expect(store.append(stream, 0, [counted(1, { event })])).rejects.toThrow(
        /^Counted\.note.* JSON and DynamoDB cannot hold$/,
      );
      expect(await amounts(store, stream)).toEqual([]);
    });
  });

  describe('optimistic concurrency', () => {
    test('a writer who is behind changes nothing, and is told how far', async () => {
      const store = make();
      const stream = await streamOf(store, 1, 2, 3);

      const error = await store.append(stream, 1, [counted(9), counted(9)]).catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(StreamConflictError);
      expect(error).toBeInstanceOf(ConcurrencyConflictError);
      expect(error).toMatchObject({
        code: 'CONCURRENCY_CONFLICT',
        streamId: stream,
        expectedVersion: 1,
        actualVersion: 3,
        message: `Stream ${stream} is no longer at version 1: it is at 3`,
      });
      await expect(store.append(stream, 0, [counted(9)])).rejects.toMatchObject({ actualVersion: 3 });
      expect(await amounts(store, stream)).toEqual([1, 2, 3]);
    });

    test('of writers with the same version exactly one wins', async () => {
      const store = make();
      const stream = randomUUID();

      const outcomes = await Promise.allSettled(
        Array.from({ length: 12 }, (_, index) => store.append(stream, 0, [counted(index)])),
      );

      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await amounts(store, stream)).toHaveLength(1);
    });

    test('many writers who try again lose nothing and leave no gap', async () => {
      const store = make();
      const stream = randomUUID();
      const writers = Array.from({ length: 12 }, (_, index) => index);

      await Promise.all(
        writers.map((writer) =>
          retryOnConflict(
            async () => {
              const { version } = await store.load(stream);
              await store.append(stream, version, [counted(writer)]);
            },
            { maxAttempts: 200 },
          ),
        ),
      );

      const { events, version } = await store.load(stream);
      expect(version).toBe(12);
      expect(events.map((event) => event.version)).toEqual(writers.map((writer) => writer + 1));
      expect(events.map(({ event }) => event.by).sort((a, b) => a - b)).toEqual(writers);
    });

    test('an append whose answer was lost can be sent again', async () => {
      const store = make();
      const stream = randomUUID();
      const events = [counted(1), counted(2)];
      await store.append(stream, 0, events);
      await store.append(stream, 2, [counted(3)]);

      await store.append(stream, 0, events);

      expect(await amounts(store, stream)).toEqual([1, 2, 3]);
    });
  });

  describe('one transaction', () => {
    test('holds the inbox mark: the second delivery is a duplicate and writes nothing', async () => {
      const store = make();
      const stream = randomUUID();
      const key = inbox();
      await store.append(stream, 0, [counted(1)], [store.inboxMark(key, time)]);

      for (const version of [1, 0]) {
        await expect(store.append(stream, version, [counted(2)], [store.inboxMark(key, time)])).rejects.toThrow(
          DuplicateEventError,
        );
      }

      expect(await amounts(store, stream)).toEqual([1]);
    });

    test('of two deliveries at once has one effect', async () => {
      const store = make();
      const key = inbox();
      const streams = Array.from({ length: 8 }, () => randomUUID());

      const outcomes = await Promise.allSettled(
        streams.map((stream) => store.append(stream, 0, [counted(1)], [store.inboxMark(key, time)])),
      );

      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(7);
      for (const { reason } of lost) expect(reason).toBeInstanceOf(DuplicateEventError);
      expect((await Promise.all(streams.map((stream) => amounts(store, stream)))).flat()).toEqual([1]);
    });

    test('is not needed for the mark of an event that changes nothing', async () => {
      const store = make();
      const stream = randomUUID();
      const key = inbox();

      await store.recordHandled(key, time);

      await expect(store.recordHandled(key, time)).rejects.toThrow(DuplicateEventError);
      await expect(store.append(stream, 0, [counted(1)], [store.inboxMark(key, time)])).rejects.toThrow(
        DuplicateEventError,
      );
      expect(await amounts(store, stream)).toEqual([]);
    });

    test('a lost race leaves no mark', async () => {
      const store = make();
      const stream = await streamOf(store, 1);
      const key = inbox();

      await expect(store.append(stream, 0, [counted(2)], [store.inboxMark(key, time)])).rejects.toThrow(
        StreamConflictError,
      );

      await expect(store.append(stream, 1, [counted(2)], [store.inboxMark(key, time)])).resolves.toBeUndefined();
    });
  });

  describe('reading', () => {
    const versions = async (store: EventStore<Counted>, stream: string, options?: ReadOptions) => {
      const read: number[] = [];
      for await (const { version } of store.read(stream, options)) read.push(version);
      return read;
    };

    test.each<[ReadOptions, number[]]>([
      [{}, [1, 2, 3, 4, 5]],
      [{ direction: 'backward' }, [5, 4, 3, 2, 1]],
      [{ fromVersion: 3 }, [3, 4, 5]],
      [{ toVersion: 2 }, [1, 2]],
      [{ fromVersion: 2, toVersion: 4, direction: 'backward' }, [4, 3, 2]],
      [{ fromVersion: 4, toVersion: 2 }, []],
      [{ fromVersion: 6 }, []],
      [{ limit: 2 }, [1, 2]],
      [{ limit: 2, direction: 'backward' }, [5, 4]],
      [{ limit: 0 }, []],
      [{ limit: 9, fromVersion: 4 }, [4, 5]],
    ])('with %j gives versions %j', async (options, expected) => {
      const store = make();

      expect(await versions(store, await streamOf(store, 1, 2, 3, 4, 5), options)).toEqual(expected);
    });

    test('as of a time gives what was recorded by then, whenever it had happened', async () => {
      const clock = [10, 20, 20, 30].map((second) => new Date(Date.UTC(2026, 2, 2, 0, 0, second)));
      const at = (second: number) => new Date(Date.UTC(2026, 2, 2, 0, 0, second));
      const store = make({ now: () => clock.shift() ?? at(59) });
      const stream = await streamOf(store, 1, 2, 3, 4);

      expect(await versions(store, stream, { asOf: at(9) })).toEqual([]);
      expect(await versions(store, stream, { asOf: at(10) })).toEqual([1]);
      expect(await versions(store, stream, { asOf: at(29) })).toEqual([1, 2, 3]);
      expect(await versions(store, stream, { asOf: at(29), direction: 'backward', limit: 2 })).toEqual([3, 2]);
      expect(await versions(store, stream, { asOf: at(29), fromVersion: 3 })).toEqual([3]);
      expect(await versions(store, stream, { asOf: at(30), toVersion: 2 })).toEqual([1, 2]);
      expect(await versions(store, stream, { asOf: at(30) })).toEqual([1, 2, 3, 4]);
    });

    test('as of a time never gives a stream with a gap, though clocks differ', async () => {
      const seconds = [10, 40, 20];
      const store = make({ now: () => new Date(Date.UTC(2026, 2, 2, 0, 0, seconds.shift())) });
      const stream = await streamOf(store, 1, 2, 3);
      const asOf = new Date(Date.UTC(2026, 2, 2, 0, 0, 30));

      for (const direction of ['forward', 'backward'] as const) {
        expect(await versions(store, stream, { asOf, direction })).toEqual([1]);
      }
      expect(await versions(store, stream, { asOf, fromVersion: 3 })).toEqual([]);
    });
  });

  describe('an event of an older version', () => {
    /** A store whose code is newer with every step that is added. */
    function evolvingStore() {
      const steps: Record<string, Record<number, (event: DomainEvent) => DomainEvent & Record<string, unknown>>> = {};
      return { store: make({ upcasters: steps as Upcasters }), steps };
    }

    test('is led through the chain of its type wherever it is read', async () => {
      const { store, steps } = evolvingStore();
      const stream = await streamOf(store, 1);
      steps.Counted = { 1: (event) => ({ ...event, note: 'second' }) };
      await store.append(stream, 1, [counted(2)]);
      steps.Counted[2] = (event) => ({ ...event, note: `${(event as Counted).note ?? 'none'}, third` });
      await store.append(stream, 2, [counted(3)]);

      const expected = ['second, third', 'none, third', undefined];
      expect((await store.load(stream)).events.map(({ event }) => event.note)).toEqual(expected);
      const backward: (string | undefined)[] = [];
      for await (const { event } of store.read(stream, { direction: 'backward' })) backward.push(event.note);
      expect(backward).toEqual(expected.toReversed());
    });

    test('is refused when a step is missing', async () => {
      const { store, steps } = evolvingStore();
      const stream = await streamOf(store, 1);
      steps.Counted = { 2: (event) => ({ ...event }) };

      const error = await store.load(stream).catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(UnreadableEventError);
      expect(error).toMatchObject({
        code: 'UPCASTER_MISSING',
        message: `Event 1 of stream ${stream} cannot be read: no upcaster leads Counted from schema version 1 to 2`,
      });
    });

    test('is refused when it is newer than the code', async () => {
      const { store, steps } = evolvingStore();
      steps.Counted = { 1: (event) => ({ ...event }) };
      const stream = await streamOf(store, 1);
      delete steps.Counted;

      await expect(store.load(stream)).rejects.toMatchObject({
        code: 'EVENT_FROM_NEWER_CODE',
        message: expect.stringContaining('has schema version 2, and this code knows it up to 1'),
      });
    });
  });

  describe('an event that is emitted', () => {
    test('is refused when the bus would refuse it, before anything is written', async () => {
      const store = make();
      const stream = randomUUID();
      const emit = sampleEvent(CounterMoved, { by: 1, note: 'x'.repeat(1024 * 1024) });

      const error = await store
        .append(stream, 0, [counted(1), counted(2, { emit })])
        .catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(EventTooLargeError);
      expect(error).toMatchObject({ message: expect.stringMatching(/^CounterMoved\.v1 of .* has 10\d{5} bytes/) });
      expect(await amounts(store, stream)).toEqual([]);
    });
  });

  describe('a snapshot', () => {
    const snapshot = (version: number, body = `state at ${version}`, stateVersion = 1) => ({
      stateVersion,
      version,
      body,
    });

    test('is found again by its shape', async () => {
      const store = make();
      const stream = randomUUID();
      const large = 'state '.repeat(10_000);
      await store.writeSnapshot(stream, snapshot(3));
      await store.writeSnapshot(stream, snapshot(2, large, 2));

      expect(await store.readSnapshot(stream, 1)).toEqual(snapshot(3));
      expect(await store.readSnapshot(stream, 2)).toEqual(snapshot(2, large, 2));
      expect(await store.readSnapshot(stream, 3)).toBeUndefined();
      expect(await store.readSnapshot(randomUUID(), 1)).toBeUndefined();
    });

    test('never replaces a newer one', async () => {
      const store = make();
      const stream = randomUUID();
      await store.writeSnapshot(stream, snapshot(10));

      await store.writeSnapshot(stream, snapshot(9));
      await store.writeSnapshot(stream, snapshot(10, 'another'));
      expect(await store.readSnapshot(stream, 1)).toEqual(snapshot(10));

      await store.writeSnapshot(stream, snapshot(11));
      expect(await store.readSnapshot(stream, 1)).toEqual(snapshot(11));
    });

    test('is no event', async () => {
      const store = make();
      const stream = await streamOf(store, 1);
      await store.writeSnapshot(stream, snapshot(1));

      expect(await amounts(store, stream)).toEqual([1]);
    });
  });
}
