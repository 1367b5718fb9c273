import { defineProjection } from '@millrace/projections';
import {
  SlotAssigned,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotClosed,
  SlotCreated,
  SlotReopened,
  SlotReserved,
  SlotUnattended,
} from '@millrace/reservations/events';

/** A slot in the list of a day. Who has it is not in it. */
export interface ListedSlot {
  slotId: string;
  startsAt: string;
  endsAt: string;
  status: 'FREE' | 'RESERVED' | 'CHECKED_IN' | 'CLOSED';
  /** Of the newest event that it has had. */
  sequence: number;
}

/**
 * A partition for each location and day, in the order of time: `<startsAt>#<slotId>`. Each event has the whole slot, so the newest one counts,
 * in whatever order they come: none waits for another.
 */
export const slotsByDay = defineProjection({
  name: 'slots-by-day',
  events: [
    SlotCreated,
    SlotReserved,
    SlotAssigned,
    SlotCheckedIn,
    SlotCheckedOut,
    SlotCancelled,
    SlotUnattended,
    SlotClosed,
    SlotReopened,
  ],
  late: 'apply',
  keyOf: ({ data }) => ({
    partition: dayOf(data.location.id, data.date),
    sort: `${data.startsAt}#${data.slotId}`,
  }),
  evolve: (row: ListedSlot | undefined, { data, metadata: { sequence = 0 } }): ListedSlot => {
    if (row && row.sequence > sequence) return row;
    const { slotId, startsAt, endsAt, status } = data;
    return { slotId, startsAt, endsAt, status, sequence };
  },
});

/** The partition of a day. */
export function dayOf(locationId: string, date: string): string {
  return `${locationId}#${date}`;
}
