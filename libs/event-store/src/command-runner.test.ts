import { randomUUID } from 'node:crypto';
import { describe, expect, jest, test } from '@jest/globals';
import { DuplicateEventError, PermanentError } from '@millrace/errors';
import { defineEvent } from '@millrace/events';
import * as z from 'zod';
import {
  type Aggregate,
  type CommandContext,
  CommandRunner,
  InMemoryEventStore,
  type SnapshotPolicy,
  StreamConflictError,
} from './index.ts';

type BookingEvent = { type: 'SeatTaken'; seat: string } | { type: 'SoldOut' };

interface Booking {
  seats: ReadonlySet<string>;
  soldOut: boolean;
}

const SoldOut = defineEvent({
  name: 'SoldOut',
  version: 1,
  service: 'booking',
  category: 'domain',
  type: 'data',
  summary: 'A show has no seat left.',
  data: z.object({ seats: z.array(z.string()) }),
  example: { seats: ['A1'] },
});

class SeatTakenError extends PermanentError {
  constructor() {
    super('SEAT_TAKEN', 'Somebody has the seat');
  }
}

/** A show with three seats. A command names a seat; a sold-out show takes no more. */
const booking: Aggregate<Booking, string, BookingEvent> = {
  initialState: { seats: new Set(), soldOut: false },
  streamOf: (id) => `SHOW#${id}`,
  decide: (seat, { seats, soldOut }) => {
    if (soldOut) return [];
    if (seats.has(seat)) throw new SeatTakenError();
    const taken = { type: 'SeatTaken', seat } as const;
    return seats.size === 2 ? [taken, { type: 'SoldOut' }] : [taken];
  },
  evolve: (state, event) =>
    event.type === 'SoldOut' ? { ...state, soldOut: true } : { ...state, seats: new Set([...state.seats, event.seat]) },
  publish: (event, { seats }, context) =>
    event.type === 'SoldOut' ? SoldOut.create({ seats: [...seats] }, context) : undefined,
};

const snapshots: SnapshotPolicy<Booking> = {
  every: 2,
  stateVersion: 1,
  toSnapshot: (state) => ({ ...state, seats: [...state.seats] }),
  fromSnapshot: (stored) => {
    const state = stored as { seats: string[]; soldOut: boolean };
    return { ...state, seats: new Set(state.seats) };
  },
};

const context: CommandContext = { correlationId: 'correlation-1' };
const now = new Date('2026-03-01T10:00:00.000Z');

function setUp(aggregate = booking) {
  const store = new InMemoryEventStore<BookingEvent>();
  const pauses: number[] = [];
  const sleep = async (ms: number) => {
    pauses.push(ms);
  };
  const runner = new CommandRunner(store, aggregate, { now: () => now, sleep, random: () => 1 });
  const show = randomUUID();
  const take = (seat: string, rest: Partial<CommandContext> = {}) =>
    runner.execute(show, seat, { ...context, ...rest });
  const events = async () => (await store.load(`SHOW#${show}`)).events;
  return { store, runner, show, take, events, pauses, read: jest.spyOn(store, 'read') };
}

/** Makes somebody else append before the runner's next appends do. */
function competeWith({ store, show }: ReturnType<typeof setUp>, ...seats: string[]) {
  const append = store.append.bind(store);
  jest.spyOn(store, 'append').mockImplementation(async (stream, version, ...rest) => {
    const seat = seats.shift();
    if (seat) {
      const { version: current } = await store.load(`SHOW#${show}`);
      const event = { type: 'SeatTaken', seat } as const;
      await append(`SHOW#${show}`, current, [{ id: randomUUID(), event, time: now, correlationId: 'other' }]);
    }
    await append(stream, version, ...rest);
  });
}

describe('a command', () => {
  test('appends what it decides, and tells the bus what is public', async () => {
    const { take, events, store, show, runner } = setUp();
    const occurredAt = new Date('2026-03-01T09:00:00.000Z');
    const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
    await take('A1');
    await take('A2');

    const outcome = await take('A3', { occurredAt, causationId: 'cause-1', traceparent });

    const decided = [{ type: 'SeatTaken', seat: 'A3' }, { type: 'SoldOut' }];
    const state = { seats: new Set(['A1', 'A2', 'A3']), soldOut: true };
    expect(outcome).toEqual({ state, version: 4, events: decided });
    expect(await runner.load(show)).toEqual({ state, version: 4 });
    expect((await events()).slice(2)).toMatchObject([
      { event: decided[0], time: occurredAt.toISOString(), correlationId: 'correlation-1', causationId: 'cause-1' },
      { event: decided[1], time: now.toISOString(), emitted: true },
    ]);
    expect(store.outbox.map(({ event }) => event)).toMatchObject([
      {
        detailType: 'SoldOut.v1',
        data: { seats: ['A1', 'A2', 'A3'] },
        metadata: {
          id: (await events())[3]?.id,
          subject: show,
          sequence: 1,
          timestamp: now.toISOString(),
          correlationId: 'correlation-1',
          causationId: 'cause-1',
          traceparent,
        },
      },
    ]);
  });

  test('writes what its aggregate has alongside each event in the same append', async () => {
    const appended: unknown[][] = [];
    class Recording extends InMemoryEventStore<BookingEvent> {
      override append(
        ...[stream, version, events, alongside = []]: Parameters<InMemoryEventStore<BookingEvent>['append']>
      ) {
        appended.push(alongside.map(({ write }) => write.Delete?.Key ?? write.Put?.Item?.sk));
        return super.append(stream, version, events);
      }
    }
    const runner = new CommandRunner(new Recording(), {
      ...booking,
      alongside: (event, { seats }, { subject }) =>
        event.type === 'SoldOut'
          ? [{ write: { Delete: { TableName: 'shows', Key: { subject, seats: seats.size } } } }]
          : [],
    });
    for (const seat of ['A1', 'A2', 'A3']) {
      await runner.execute('show-1', seat, { correlationId: 'c', inbox: { consumer: 'box-office', eventId: seat } });
    }
    expect(appended).toEqual([['INBOX'], ['INBOX'], [{ subject: 'show-1', seats: 3 }, 'INBOX']]);
  });

  test('writes an item once where several of its events have it alongside: as the last one leaves it', async () => {
    const written: unknown[] = [];
    class Recording extends InMemoryEventStore<BookingEvent> {
      override append(
        ...[stream, version, events, alongside = []]: Parameters<InMemoryEventStore<BookingEvent>['append']>
      ) {
        written.push(alongside.map(({ write }) => write.Put?.Item ?? write.Delete?.Key));
        return super.append(stream, version, events);
      }
    }
    const row = (sk: string) => ({ pk: 'OPEN', sk });
    const runner = new CommandRunner(new Recording(), {
      ...booking,
      alongside: (event, { seats }, { subject }) =>
        event.type === 'SoldOut'
          ? [{ write: { Delete: { TableName: 'shows', Key: row(subject) } } }]
          : [{ write: { Put: { TableName: 'shows', Item: { ...row(subject), taken: seats.size } } } }],
    });
    for (const seat of ['A1', 'A2', 'A3']) await runner.execute('show-1', seat, { correlationId: 'c' });
    expect(written).toEqual([[{ ...row('show-1'), taken: 1 }], [{ ...row('show-1'), taken: 2 }], [row('show-1')]]);
  });

  test('that is done already appends nothing, marks its event and gives the state', async () => {
    const { take, events, runner, show } = setUp();
    for (const seat of ['A1', 'A2', 'A3']) await take(seat);
    const inbox = { consumer: 'booking.test', eventId: randomUUID() };

    const { state } = await runner.load(show);
    expect(await take('A4', { inbox })).toEqual({ state, version: 4, events: [] });
    await expect(take('A4', { inbox })).rejects.toThrow(DuplicateEventError);
    expect(await events()).toHaveLength(4);
  });

  test('that is refused says so', async () => {
    const { take, events } = setUp();
    await take('A1');

    await expect(take('A1')).rejects.toThrow(SeatTakenError);
    expect(await events()).toHaveLength(1);
  });

  test('of an event that was handled before is a duplicate', async () => {
    const { take, events } = setUp();
    const inbox = { consumer: 'booking.test', eventId: randomUUID() };
    await take('A1', { inbox });

    await expect(take('A2', { inbox })).rejects.toThrow(DuplicateEventError);
    expect(await events()).toHaveLength(1);
  });

  test('on an aggregate that is assumed to be new reads nothing, and its stream when it is there', async () => {
    const { take, read, events } = setUp();
    await take('A1', { assumeNew: true });
    expect(read).not.toHaveBeenCalled();

    await expect(take('A1', { assumeNew: true })).rejects.toThrow(SeatTakenError);
    expect(read).toHaveBeenCalledTimes(1);
    expect(await events()).toHaveLength(1);
  });
});

describe('a lost race', () => {
  test('is decided again on the new state', async () => {
    const fixture = setUp();
    competeWith(fixture, 'B1', 'B2');

    const { events, version } = await fixture.take('A1');

    expect(events).toEqual([{ type: 'SeatTaken', seat: 'A1' }, { type: 'SoldOut' }]);
    expect(version).toBe(4);
    expect(fixture.pauses).toEqual([40, 80]);
  });

  test('is lost when the decision no longer holds', async () => {
    const fixture = setUp();
    competeWith(fixture, 'A1');

    await expect(fixture.take('A1')).rejects.toThrow(SeatTakenError);
    expect(fixture.pauses).toHaveLength(1);
    expect(await fixture.events()).toHaveLength(1);
  });

  test('ends when nothing is left to do', async () => {
    const fixture = setUp({
      ...booking,
      decide: (seat, { seats }) => (seats.size ? [] : [{ type: 'SeatTaken', seat }]),
    });
    competeWith(fixture, 'B1');

    expect(await fixture.take('A1')).toMatchObject({ version: 1, events: [] });
  });

  test('is tried again until the time is up, and then given up', async () => {
    const fixture = setUp({ ...booking, decide: (seat) => [{ type: 'SeatTaken', seat }] });
    competeWith(fixture, ...Array.from({ length: 50 }, (_, index) => `B${index}`));

    const error = await fixture.take('A1').catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(StreamConflictError);
    const attempts = fixture.pauses.length + 1;
    expect(error).toMatchObject({ expectedVersion: attempts - 1, actualVersion: attempts });
    expect(fixture.pauses.slice(0, 4)).toEqual([40, 80, 160, 320]);
    expect(attempts).toBeGreaterThan(5);
  });
});

describe('snapshots', () => {
  const counting = {
    ...booking,
    decide: (seat: string) => [{ type: 'SeatTaken', seat } as const, { type: 'SoldOut' } as const],
  };
  const versionsOf = async ({ store, show }: ReturnType<typeof setUp>, stateVersion = 1) =>
    (await store.readSnapshot(`SHOW#${show}`, stateVersion))?.version;

  test('are written when the last one is old enough, and spare the reading of older events', async () => {
    const fixture = setUp({ ...booking, snapshots });
    const { take, read, runner, show } = fixture;
    await take('A1');
    expect(await versionsOf(fixture)).toBeUndefined();
    await take('A2');
    expect(await versionsOf(fixture)).toBe(2);

    read.mockClear();
    expect(await runner.load(show)).toEqual({ state: { seats: new Set(['A1', 'A2']), soldOut: false }, version: 2 });
    expect(read.mock.calls).toEqual([[`SHOW#${show}`, { direction: 'backward', limit: 2 }]]);
    await take('A3');
    expect(await versionsOf(fixture)).toBe(4);
  });

  test('of a stream that is too young for one are not looked for', async () => {
    const { store, take, read, runner, show } = setUp({ ...booking, snapshots: { ...snapshots, every: 3 } });
    await take('A1');
    await take('A2');
    const readSnapshot = jest.spyOn(store, 'readSnapshot');
    read.mockClear();

    expect(await runner.load(show)).toMatchObject({ state: { seats: new Set(['A1', 'A2']) }, version: 2 });
    expect(await runner.load('unknown')).toMatchObject({ version: 0 });
    expect(read).toHaveBeenCalledTimes(2);
    expect(readSnapshot).not.toHaveBeenCalled();
  });

  test('that could not be written in time are used although newer events hide them', async () => {
    const { store, take, read, runner, show } = setUp({ ...booking, snapshots: { ...snapshots, every: 2 } });
    for (const seat of ['A1', 'A2']) await take(seat);
    const failing = jest.spyOn(store, 'writeSnapshot').mockRejectedValue(new Error('ThrottlingException'));
    await take('A3');
    failing.mockRestore();
    read.mockClear();

    expect((await runner.load(show)).state.seats).toEqual(new Set(['A1', 'A2', 'A3']));
    expect(read.mock.calls).toEqual([
      [`SHOW#${show}`, { direction: 'backward', limit: 2 }],
      [`SHOW#${show}`, { fromVersion: 2 }],
    ]);
  });

  test('keep the sequence of what the bus is told', async () => {
    const fixture = setUp({ ...counting, snapshots });
    for (const seat of ['A1', 'A2', 'A3']) await fixture.take(seat);

    const sequences = fixture.store.outbox.map(({ event }) => (event as { metadata: object }).metadata);
    expect(sequences).toMatchObject([{ sequence: 1 }, { sequence: 2 }, { sequence: 3 }]);
    expect(await versionsOf(fixture)).toBe(6);
  });

  test('of another shape are ignored, and left alone', async () => {
    const fixture = setUp({ ...booking, snapshots });
    const { store, show, read } = fixture;
    await fixture.take('A1');
    await fixture.take('A2');
    const changed = { ...booking, snapshots: { ...snapshots, stateVersion: 2 } };
    read.mockClear();

    expect((await new CommandRunner(store, changed).load(show)).state.seats.size).toBe(2);
    expect(read.mock.calls).toEqual([[`SHOW#${show}`, { direction: 'backward', limit: 2 }], [`SHOW#${show}`]]);
    await new CommandRunner(store, changed).execute(show, 'A3', context);

    expect(await versionsOf(fixture, 1)).toBe(2);
    expect(await versionsOf(fixture, 2)).toBe(4);
  });

  test.each([
    ['is no JSON', 'garbage'],
    ['has another checksum', '{"checksum":"0","content":"{}"}'],
    ['is null', 'null'],
  ])('that cannot be read are ignored: one that %s', async (_, body) => {
    const { store, runner, show, take } = setUp({ ...booking, snapshots });
    await take('A1');
    await take('A2');
    await store.writeSnapshot(`SHOW#${show}`, { stateVersion: 1, version: 3, body });

    expect(await runner.load(show)).toMatchObject({ state: { seats: new Set(['A1', 'A2']) }, version: 2 });
  });

  test('that do not become a state are ignored, and so are those that cannot be had', async () => {
    const fail = () => {
      throw new Error('Unknown shape');
    };
    const { store, runner, show, take } = setUp({ ...booking, snapshots: { ...snapshots, fromSnapshot: fail } });
    await take('A1');
    await take('A2');
    expect(await runner.load(show)).toMatchObject({ version: 2 });

    jest.spyOn(store, 'readSnapshot').mockRejectedValue(new Error('AccessDeniedException'));
    expect(await runner.load(show)).toMatchObject({ version: 2 });
  });

  test('that were edited are ignored', async () => {
    const { store, runner, show, take } = setUp({ ...booking, snapshots });
    await take('A1');
    await take('A2');
    const snapshot = await store.readSnapshot(`SHOW#${show}`, 1);
    if (!snapshot) throw new Error('Expected a snapshot');
    const edited = { ...snapshot, body: snapshot.body.replace('A2', 'A3') };
    jest.spyOn(store, 'readSnapshot').mockResolvedValue(edited);

    expect(edited).not.toEqual(snapshot);
    expect((await runner.load(show)).state.seats).toEqual(new Set(['A1', 'A2']));
  });

  test('of another history of the stream are ignored: of a longer one, and of one with other events', async () => {
    const { store, show, take } = setUp({ ...booking, snapshots });
    await take('A1');
    await take('A2');
    const snapshot = await store.readSnapshot(`SHOW#${show}`, 1);
    const restored = new InMemoryEventStore<BookingEvent>();
    jest.spyOn(restored, 'readSnapshot').mockResolvedValue(snapshot);
    const runner = new CommandRunner(restored, { ...booking, snapshots });

    expect(await runner.load(show)).toMatchObject({ version: 0 });
    for (const seat of ['B1', 'B2', 'B3']) await runner.execute(show, seat, context);
    expect((await runner.load(show)).state.seats).toEqual(new Set(['B1', 'B2', 'B3']));
  });

  test('of another stream are ignored', async () => {
    const { store, runner, show, take } = setUp({ ...booking, snapshots });
    const other = setUp({ ...booking, snapshots });
    for (const seat of ['B1', 'B2']) await other.take(seat);
    for (const seat of ['A1', 'A2']) await take(seat);
    const foreign = await other.store.readSnapshot(`SHOW#${other.show}`, 1);
    jest.spyOn(store, 'readSnapshot').mockResolvedValue(foreign);

    expect((await runner.load(show)).state.seats).toEqual(new Set(['A1', 'A2']));
  });

  test('that cannot be written do not fail the command', async () => {
    const { toSnapshot: _, ...identity } = snapshots;
    const fixture = setUp({ ...booking, snapshots: identity });
    await fixture.take('A1');

    // The state holds a Set, which JSON cannot hold.
    expect(await fixture.take('A2')).toMatchObject({ version: 2 });
    expect(await versionsOf(fixture)).toBeUndefined();

    jest.spyOn(fixture.store, 'writeSnapshot').mockRejectedValue(new Error('ThrottlingException'));
    expect(await fixture.take('A3')).toMatchObject({ version: 4 });
  });
});

describe('an aggregate that the runner has just changed', () => {
  test('is not read again for what follows', async () => {
    const { take, read, events } = setUp();
    await take('A1', { assumeNew: true });

    await take('A2');
    await take('A3');

    expect(read).not.toHaveBeenCalled();
    expect(await events()).toHaveLength(4);
  });

  test('is read when another writer was faster, and decided on as it is', async () => {
    const fixture = setUp();
    const { take, read, events } = fixture;
    await take('A1', { assumeNew: true });
    competeWith(fixture, 'B1');

    expect(await take('A2')).toMatchObject({ version: 4, events: [{ seat: 'A2' }, { type: 'SoldOut' }] });

    expect(read).toHaveBeenCalledTimes(2); // one of them by the other writer
    expect((await events()).map(({ event }) => event.type)).toEqual(['SeatTaken', 'SeatTaken', 'SeatTaken', 'SoldOut']);
  });

  test('is read before a command on it does nothing', async () => {
    const { take, read } = setUp();
    for (const seat of ['A1', 'A2', 'A3']) await take(seat, { assumeNew: true });
    expect(read).not.toHaveBeenCalled();

    expect(await take('A4')).toMatchObject({ state: { soldOut: true }, events: [] });

    expect(read).toHaveBeenCalledTimes(1);
  });

  test('is read before a command on it is refused', async () => {
    const { take, read, store, show } = setUp();
    await take('A1', { assumeNew: true });
    await expect(take('A1')).rejects.toThrow(SeatTakenError);
    expect(read).toHaveBeenCalledTimes(1);

    // Another runner ends the show meanwhile: the seat is no longer what the command fails of.
    const other = new CommandRunner(store, booking);
    for (const seat of ['A2', 'A3']) await other.execute(show, seat, context);

    expect(await take('A1')).toMatchObject({ state: { soldOut: true }, events: [] });
  });

  test('gets one snapshot in so many events', async () => {
    const { take, store } = setUp({ ...booking, snapshots });
    const written = jest.spyOn(store, 'writeSnapshot');

    for (const seat of ['A1', 'A2', 'A3']) await take(seat);

    expect(written.mock.calls.map(([, { version }]) => version)).toEqual([2, 4]);
  });

  test('is one of five hundred', async () => {
    const { runner, read } = setUp();
    const take = (show: number, seat: string) => runner.execute(String(show), seat, { ...context, assumeNew: true });
    for (let show = 0; show <= 500; show += 1) await take(show, 'A1');

    await take(1, 'A2');
    expect(read).not.toHaveBeenCalled();
    await take(0, 'A2');
    expect(read).toHaveBeenCalledTimes(1);
  });
});

describe('an event that is recognised by what it caused', () => {
  const byCause: typeof booking = {
    ...booking,
    marksByCause: true,
    decide: (seat, state) => (state.seats.has(seat) ? [] : booking.decide(seat, state)),
  };
  const caused = () => {
    const eventId = randomUUID();
    return { causationId: eventId, inbox: { consumer: 'booking.test', eventId } };
  };

  test('has no mark of its own', async () => {
    const { take, store } = setUp(byCause);
    const mark = jest.spyOn(store, 'inboxMark');

    await take('A1', caused());

    expect(mark).not.toHaveBeenCalled();
  });

  test('has its effect once, by another container and at once as well', async () => {
    const { store, show, events } = setUp(byCause);
    const event = caused();
    const deliver = () => new CommandRunner(store, byCause).execute(show, 'A1', { ...context, ...event });

    const results = await Promise.allSettled([deliver(), deliver(), deliver()]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(deliver()).rejects.toThrow(DuplicateEventError);

    expect(await events()).toHaveLength(1);
  });

  test('has its effect once when the function dies after the append', async () => {
    const { take, store, events } = setUp(byCause);
    const event = caused();
    const append = store.append.bind(store);
    jest.spyOn(store, 'append').mockImplementationOnce(async (...args) => {
      await append(...args);
      throw new Error('died');
    });
    await expect(take('A1', event)).rejects.toThrow('died');

    await expect(take('A1', event)).rejects.toThrow(DuplicateEventError);
    expect(await events()).toHaveLength(1);
  });

  test('is marked when it changes nothing', async () => {
    const { take, events } = setUp(byCause);
    await take('A1', caused());
    const event = caused();

    await take('A1', event);

    await expect(take('A1', event)).rejects.toThrow(DuplicateEventError);
    expect(await events()).toHaveLength(1);
  });

  test('is recognised by the state when what it caused was long ago', async () => {
    const { take, store, show, events } = setUp({ ...byCause, snapshots });
    const event = caused();
    await take('A1', event);
    await take('A2', caused());
    await take('A3', caused());

    const other = new CommandRunner(store, { ...byCause, snapshots });
    expect(await other.execute(show, 'A1', { ...context, ...event })).toMatchObject({ events: [] });
    expect(await events()).toHaveLength(4);
  });
});
