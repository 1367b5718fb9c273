import { describe, expect, test } from '@jest/globals';
import type { Event } from '@millrace/events';
import fc from 'fast-check';
import { parcelEvents, tracks } from '../fixtures/sample-projections.ts';
import { nothingApplied } from './applied.ts';
import { pendingEvents } from './pending-events.ts';

const subject = 'parcel-1';
const events = parcelEvents(['Potsdam', 'Erfurt', 'Jena'], 'Berlin', subject).map(({ event }) => event);
const places = (all: readonly Event[]) => all.reduce(tracks.evolve.bind(tracks), undefined as never);

/** Delivers events one by one, again and again until all are in, and returns in which order they were applied. */
function deliver(late: 'drop' | 'apply', deliveries: readonly Event[]): { order: Event[]; rounds: number } {
  let applied = nothingApplied;
  const order: Event[] = [];
  let waiting = [...deliveries];
  let rounds = 0;
  while (waiting.length > 0 && rounds <= deliveries.length) {
    rounds += 1;
    waiting = waiting.filter((event) => {
      try {
        const pending = pendingEvents({ name: 'tracks', late }, applied, { subject, events: [event] });
        order.push(...pending.events);
        applied = pending.applied;
        return false;
      } catch {
        return true;
      }
    });
  }
  expect(applied).toEqual({ upTo: events.length, beyond: [] });
  return { order, rounds };
}

/** All events, in any order, some of them several times. */
const deliveries = fc.array(fc.nat(events.length - 1), { maxLength: 10 }).chain((again) => {
  const all = [...events, ...again.map((index) => events[index] as Event)];
  return fc.shuffledSubarray(all, { minLength: all.length });
});

describe('when the order counts', () => {
  test('events are applied once and in order, whatever order they come in and however often', () => {
    fc.assert(
      fc.property(deliveries, (delivered) => {
        const { order } = deliver('drop', delivered);

        expect(order).toEqual(events);
        expect(places(order)).toEqual(places(events));
      }),
    );
  });

  test('one that comes too early waits, and says for which', () => {
    const [first, , third] = events;
    const { applied } = pendingEvents(tracks, nothingApplied, { subject, events: [first as Event] });

    expect(() => pendingEvents(tracks, applied, { subject, events: [third as Event] })).toThrow(
      expect.objectContaining({
        code: 'SEQUENCE_GAP',
        message: expect.stringContaining('has not had event 2 of parcel-1, and event 3 has to wait'),
      }),
    );
  });

  test('one that is in already is left out', () => {
    const all = pendingEvents(tracks, nothingApplied, { subject, events });

    expect(pendingEvents(tracks, all.applied, { subject, events: events.slice(1, 3) }).events).toEqual([]);
  });
});

describe('when the order does not count', () => {
  test('every event is applied once, at its first delivery', () => {
    fc.assert(
      fc.property(deliveries, (delivered) => {
        const { order, rounds } = deliver('apply', delivered);

        expect(rounds).toBe(1);
        expect(order).toEqual([...new Set(delivered)]);
      }),
    );
  });
});

test('an event without a sequence belongs nowhere', () => {
  const [{ metadata, ...event } = events[0] as Event] = events;
  const { sequence: _, ...without } = metadata;

  expect(() => pendingEvents(tracks, nothingApplied, { subject, events: [{ ...event, metadata: without }] })).toThrow(
    expect.objectContaining({ code: 'SEQUENCE_MISSING' }),
  );
});
