import { defineEvent } from '@millrace/events';
import { personId } from '@millrace/privacy/personal';
import * as z from 'zod';

/** The place of a slot, as people know it. */
export const slotLocation = z.object({
  id: z.string().min(1).max(64),
  name: z.string().min(1).max(100),
  /** IANA, e.g. `Europe/Vienna`. */
  timeZone: z.string().min(1),
});

export const slotStatus = z.enum(['FREE', 'RESERVED', 'CHECKED_IN', 'CLOSED']);

/** A slot as it is right after the event. */
export const slotSnapshot = z.object({
  slotId: z.guid(),
  location: slotLocation,
  /** The day on which it starts, on the clocks of the location. */
  date: z.iso.date(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  status: slotStatus,
});

/** Who has a slot. Does not contain the check-in code. */
export const slotReservation = z.object({
  reservationId: z.guid(),
  /** The subject of the holder's token. */
  holder: personId(z.string().min(1).max(255)),
  reservedAt: z.iso.datetime(),
  /** When the slot is free again unless the holder has checked in. */
  checkInBy: z.iso.datetime(),
  /** The order that the holder picks up there. */
  orderId: z.string().min(1).optional(),
});

/** A slot with a reservation: the one it has, or the one that has just ended. */
const reservedSlot = slotSnapshot.extend({ reservation: slotReservation });

const slot = {
  slotId: '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01',
  location: { id: 'harbour-east', name: 'Harbour East', timeZone: 'Europe/Vienna' },
  date: '2026-01-15',
  startsAt: '2026-01-15T09:00:00.000Z',
  endsAt: '2026-01-15T09:30:00.000Z',
} as const;

const orderId = '0b9f6c1e-5a43-4c0e-9a51-6f4d4c1c2a11';

const reservation = {
  reservationId: '7f0c2f5e-6a55-4d0b-8f4e-2b1f5d9b3c77',
  holder: 'customer-1',
  reservedAt: '2026-01-14T18:20:00.000Z',
  checkInBy: '2026-01-15T09:10:00.000Z',
};

/** What analytics may have of every slot: its place and time. Neither who has it, nor its status, which follows from the events. */
const placeAndTime = ['slotId', 'location.id', 'date', 'startsAt', 'endsAt'] as const;
const ofReservation = [
  ...placeAndTime,
  'reservation.reservationId',
  'reservation.reservedAt',
  'reservation.orderId',
] as const;

const common = { version: 1, service: 'reservations', category: 'domain', type: 'data' } as const;

export const SlotCreated = defineEvent({
  ...common,
  name: 'SlotCreated',
  summary: 'A slot of a location can be reserved from now on.',
  data: slotSnapshot,
  example: { ...slot, status: 'FREE' },
  analytics: { fields: placeAndTime },
});

export const SlotReserved = defineEvent({
  ...common,
  name: 'SlotReserved',
  summary: 'A customer has the slot.',
  data: reservedSlot,
  example: { ...slot, status: 'RESERVED', reservation },
  analytics: { fields: ofReservation },
});

export const SlotAssigned = defineEvent({
  ...common,
  name: 'SlotAssigned',
  summary: 'An order of its holder is picked up in the slot.',
  data: reservedSlot.extend({ orderId: z.string().min(1) }),
  example: { ...slot, status: 'RESERVED', reservation: { ...reservation, orderId }, orderId },
  analytics: { fields: [...ofReservation, 'orderId'] },
});

/** Why an order does not get the slot that it names. */
export const slotAssignmentRefusal = z.enum([
  'SLOT_NOT_FOUND',
  'RESERVATION_NOT_FOUND',
  'RESERVATION_UNATTENDED',
  'SLOT_HAS_ORDER',
]);

export const SlotAssignmentRefused = defineEvent({
  ...common,
  name: 'SlotAssignmentRefused',
  summary:
    'An order cannot be picked up in the slot that it names: its customer does not have it, or picks up another order there.',
  data: z.object({ orderId: z.string().min(1), slotId: z.guid(), reason: slotAssignmentRefusal }),
  example: { orderId, slotId: slot.slotId, reason: 'RESERVATION_NOT_FOUND' },
  analytics: { fields: ['orderId', 'slotId', 'reason'] },
});

export const SlotCheckedIn = defineEvent({
  ...common,
  name: 'SlotCheckedIn',
  summary: 'The holder of the slot is there.',
  data: reservedSlot,
  example: { ...slot, status: 'CHECKED_IN', reservation },
  analytics: { fields: ofReservation },
});

export const SlotCheckedOut = defineEvent({
  ...common,
  name: 'SlotCheckedOut',
  summary:
    'The holder has left, the time of the slot is over, or its order is cancelled. The slot is free for what is left of it.',
  data: reservedSlot.extend({ reason: z.enum(['HOLDER', 'SLOT_ENDED', 'ORDER_CANCELLED']) }),
  example: { ...slot, status: 'FREE', reservation, reason: 'HOLDER' },
  analytics: { fields: [...ofReservation, 'reason'] },
});

export const SlotCancelled = defineEvent({
  ...common,
  name: 'SlotCancelled',
  summary: 'The reservation is cancelled: by its holder, with its order, or because the slot is closed.',
  data: reservedSlot.extend({ reason: z.enum(['HOLDER', 'CLOSED', 'ORDER_CANCELLED']) }),
  example: { ...slot, status: 'FREE', reservation, reason: 'HOLDER' },
  analytics: { fields: [...ofReservation, 'reason'] },
});

export const SlotUnattended = defineEvent({
  ...common,
  name: 'SlotUnattended',
  summary: 'The holder did not check in in time, so the slot is free again.',
  data: reservedSlot,
  example: { ...slot, status: 'FREE', reservation },
  analytics: { fields: ofReservation },
});

export const SlotClosed = defineEvent({
  ...common,
  name: 'SlotClosed',
  summary: 'Staff has closed the slot: customers cannot reserve it.',
  data: slotSnapshot,
  example: { ...slot, status: 'CLOSED' },
  analytics: { fields: placeAndTime },
});

export const SlotReopened = defineEvent({
  ...common,
  name: 'SlotReopened',
  summary: 'Staff has opened a closed slot again.',
  data: slotSnapshot,
  example: { ...slot, status: 'FREE' },
  analytics: { fields: placeAndTime },
});

export const ReservationTimeLimitReached = defineEvent({
  ...common,
  name: 'ReservationTimeLimitReached',
  summary: 'A time limit of a reservation has passed, whatever became of it. Its schedule says so.',
  data: z.object({ slotId: z.guid(), reservationId: z.guid(), deadline: z.iso.datetime() }),
  example: { slotId: slot.slotId, reservationId: reservation.reservationId, deadline: reservation.checkInBy },
});
