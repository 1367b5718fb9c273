import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decide, evolve, type NewSlot, type Slot, type SlotCommand, type SlotEvent } from './slot.ts';

const startMs = Date.parse('2026-01-15T09:00:00.000Z');
const endMs = startMs + 30 * 60_000;
const slot: NewSlot = {
  slotId: 'slot-1',
  location: { id: 'berlin-mitte', name: 'Berlin Mitte', timeZone: 'Europe/Berlin' },
  date: '2026-01-15',
  startsAt: new Date(startMs).toISOString(),
  endsAt: new Date(endMs).toISOString(),
};

/** A command by one of three people, with the code of one of them, after some minutes. */
const step = fc.record({
  type: fc.constantFrom(
    'ReserveSlot',
    'CancelReservation',
    'CheckIn',
    'CheckOut',
    'CloseSlot',
    'ReopenSlot',
    'ReachTimeLimit',
    'AssignSlot',
    'ReleaseSlot',
    'ReleaseUnassigned',
  ),
  holder: fc.constantFrom('ada', 'grace', 'alan'),
  code: fc.constantFrom('ada', 'grace', 'alan'),
  /** Of two orders of each. */
  order: fc.constantFrom(1, 2),
  /** Clocks of containers differ, so time may also go back a little. */
  minutes: fc.integer({ min: -1, max: 12 }),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function commandOf(
  { type, holder, code, order }: Step,
  now: string,
  reservationId: string,
  deadline: string,
): SlotCommand {
  const fields = { holder, codeHash: code, reservationId, deadline, now, orderId: `${holder}-${order}` };
  return { type, ...fields } as SlotCommand;
}

/** Every holder at once, as somebody would count who reads the events alone. */
class Ledger {
  readonly open = new Map<string, string>();
  readonly outcomes = new Map<string, string>();
  #last = '';

  record(event: SlotEvent): void {
    if (event.type === 'SlotReserved') {
      this.#last = event.reservation.reservationId;
      this.open.set(this.#last, event.reservation.holder);
    } else if (['SlotCheckedOut', 'SlotCancelled', 'SlotUnattended'].includes(event.type)) {
      expect(this.open.delete(this.#last)).toBe(true);
      expect(this.outcomes.has(this.#last)).toBe(false);
      this.outcomes.set(this.#last, event.type);
    }
  }
}

test('any commands at any times leave at most one holder, whose orders alone get the slot, and every reservation ends in one of three ways', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state: Slot | undefined = [...decide({ type: 'CreateSlot', slot, now: slot.startsAt }, undefined)].reduce<
        Slot | undefined
      >(evolve, undefined);
      const ledger = new Ledger();
      let clock = startMs - 20 * 60_000;
      let reservations = 0;
      const run = (command: SlotCommand): void => {
        let events: readonly SlotEvent[] = [];
        try {
          events = decide(command, state);
        } catch (error) {
          expect(error).toHaveProperty('code');
        }
        for (const event of events) {
          if (event.type === 'SlotReserved') reservations += 1;
          ledger.record(event);
          state = evolve(state, event);
          expect(ledger.open.size).toBeLessThanOrEqual(1);
          expect([...ledger.open.values()]).toEqual(state?.reservation ? [state.reservation.holder] : []);
          const { orderId = `${state?.reservation?.holder}-` } = state?.reservation ?? {};
          expect(orderId.startsWith(`${state?.reservation?.holder}-`)).toBe(true);
          expect(state?.reservation !== undefined).toBe(state?.status === 'RESERVED' || state?.status === 'CHECKED_IN');
        }
      };
      steps.forEach((each, index) => {
        clock += each.minutes * 60_000;
        const now = new Date(clock).toISOString();
        const deadline = state?.reservation?.checkInBy ?? now;
        run(commandOf(each, now, `reservation-${index}`, deadline));
      });

      // The sweep, when the slot is over.
      const now = new Date(Math.max(clock, endMs)).toISOString();
      run({ type: 'ReachTimeLimit', deadline: slot.endsAt, now });
      expect(ledger.open.size).toBe(0);
      expect(ledger.outcomes.size).toBe(reservations);
    }),
    { numRuns: 2_000 },
  );
});
