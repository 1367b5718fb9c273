import { consume } from '@millrace/consumer';
import { commit, inboxMark, tableFromEnvironment } from '@millrace/event-store';
import type { EventOf } from '@millrace/events';
import {
  SlotAssigned,
  SlotCancelled,
  SlotCheckedIn,
  SlotCheckedOut,
  SlotUnattended,
} from '@millrace/reservations/events';
import { Shipments } from '../adapters/shipments.ts';
import type { PickUpFailure } from '../domain/shipment.ts';

const contracts = [SlotAssigned, SlotCheckedIn, SlotCheckedOut, SlotCancelled, SlotUnattended] as const;

const table = tableFromEnvironment();
const shipments = new Shipments(table);

/** Hands the goods of an order over when its customer has checked in, and sends them when its slot is lost. */
export const handler = consume(contracts, async (event, { cause, inbox }) => {
  const { slotId, reservation } = event.data;
  const { orderId } = reservation;
  const news = newsOf(event);
  // A cancelled order is recalled by its own event.
  if (orderId === undefined || news === undefined)
    await commit(table.client, [inboxMark(table.name, inbox, new Date())]);
  else if (news === 'CHECKED_IN') await shipments.checkIn(orderId, cause, inbox);
  else await shipments.endReservation({ orderId, slotId, reason: news }, cause, inbox);
});

/** What an event of the slot means for the goods: nothing when it tells only what the order has told. */
function newsOf(event: EventOf<(typeof contracts)[number]>): 'CHECKED_IN' | PickUpFailure | undefined {
  switch (event.detailType) {
    case 'SlotAssigned.v1': // to an order whose customer was there before
      return event.data.status === 'CHECKED_IN' ? 'CHECKED_IN' : undefined;
    case 'SlotCheckedIn.v1':
      return 'CHECKED_IN';
    case 'SlotCheckedOut.v1':
      return event.data.reason === 'ORDER_CANCELLED' ? undefined : 'CHECKED_OUT';
    case 'SlotUnattended.v1':
      return 'UNATTENDED';
    case 'SlotCancelled.v1':
      if (event.data.reason === 'ORDER_CANCELLED') return undefined;
      return event.data.reason === 'CLOSED' ? 'CLOSED' : 'CANCELLED';
  }
}
