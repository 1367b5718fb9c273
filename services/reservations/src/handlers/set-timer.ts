import { randomUUID } from 'node:crypto';
import { consumeBatch } from '@millrace/consumer';
import { commit, inboxMark, tableFromEnvironment } from '@millrace/event-store';
import type { Cause, EventOf } from '@millrace/events';
import { timersFromEnvironment } from '@millrace/timers';
import {
  ReservationTimeLimitReached,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotReserved,
  SlotUnattended,
} from '../../events/index.ts';

const contracts = [SlotReserved, SlotCheckedIn, SlotCheckedOut, SlotCancelled, SlotUnattended] as const;

const timers = timersFromEnvironment();
const table = tableFromEnvironment();

type ReservationEvent = EventOf<(typeof contracts)[number]>;

/**
 * Keeps one schedule for each open reservation: until check-in the one that frees an unattended slot, afterwards the one that checks out
 * at the end of the slot. Their names follow from the reservation, so that to create or delete one again changes nothing. Events may come
 * in any order: the schedule of a reservation that has ended runs, changes nothing, and is gone.
 */
export const handler = consumeBatch(contracts, async (records) => {
  const later = new Set(records.flatMap(({ event }) => passed(event)));
  const settled = await Promise.allSettled(
    records.map(async ({ event, context: { cause, inbox } }) => {
      for (const name of passed(event)) await timers.cancel(name);
      const next = nextOf(event);
      // What ends within the batch must not get a schedule after its deletion.
      if (next && !later.has(next.name)) await schedule(event, next, cause);
      await commit(table.client, [inboxMark(table.name, inbox, new Date())]);
    }),
  );
  return settled.map((result) => (result.status === 'rejected' ? result.reason : undefined));
});

/** The schedules that an event leaves without a purpose. */
function passed({ detailType, data: { reservation } }: ReservationEvent): string[] {
  const { checkIn, checkOut } = namesOf(reservation);
  switch (detailType) {
    case 'SlotReserved.v1':
      return [];
    case 'SlotCheckedIn.v1':
    case 'SlotCancelled.v1':
    case 'SlotUnattended.v1':
      return [checkIn];
    case 'SlotCheckedOut.v1':
      return [checkOut];
  }
}

/** The schedule that an event asks for. */
function nextOf({ detailType, data: { reservation, endsAt } }: ReservationEvent) {
  const { checkIn, checkOut } = namesOf(reservation);
  if (detailType === 'SlotReserved.v1') return { name: checkIn, deadline: reservation.checkInBy };
  if (detailType === 'SlotCheckedIn.v1') return { name: checkOut, deadline: endsAt };
  return undefined;
}

function namesOf({ reservationId }: { reservationId: string }) {
  return { checkIn: `${reservationId}.check-in`, checkOut: `${reservationId}.check-out` };
}

async function schedule(
  { data: { slotId, reservation } }: ReservationEvent,
  { name, deadline }: { name: string; deadline: string },
  cause: Cause,
): Promise<void> {
  const time = new Date(deadline);
  const data = { slotId, reservationId: reservation.reservationId, deadline };
  const context = { ...cause, id: randomUUID(), time, subject: slotId };
  await timers.set(name, time, ReservationTimeLimitReached.create(data, context));
}
