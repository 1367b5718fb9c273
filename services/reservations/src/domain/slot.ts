import { ReservationNotDueError, SlotRefusedError } from './slot-errors.ts';

/** How long a holder may be late. */
export const CHECK_IN_MS = 10 * 60_000;

/** A slot as it is planned. Times are ISO 8601 in UTC with milliseconds, so that texts compare as times do. */
export interface NewSlot {
  slotId: string;
  location: { id: string; name: string; timeZone: string };
  /** The day on which it starts, on the clocks of the location. */
  date: string;
  startsAt: string;
  endsAt: string;
}

/** Who has a slot. */
export interface Reservation {
  reservationId: string;
  holder: string;
  /** Of the code that the holder checks in with. The code itself is nowhere. */
  codeHash: string;
  reservedAt: string;
  /** When the slot is free again unless the holder has checked in. */
  checkInBy: string;
  /** The order that the holder picks up there: one at most. */
  orderId?: string;
}

export type SlotStatus = 'FREE' | 'RESERVED' | 'CHECKED_IN' | 'CLOSED';

/** The three ways in which a reservation ends. */
export type ReservationOutcome = 'CHECKED_OUT' | 'CANCELLED' | 'UNATTENDED';

export interface Slot extends NewSlot {
  status: SlotStatus;
  /** Of a slot that is RESERVED or CHECKED_IN. */
  reservation?: Reservation;
  /** The reservation before that: a command that comes again is recognised by it. */
  ended?: { reservation: Reservation; outcome: ReservationOutcome };
}

export type SlotEvent =
  | { type: 'SlotCreated'; slot: NewSlot }
  | { type: 'SlotReserved'; reservation: Reservation }
  /** The holder did not get the answer with the code, and has asked for another one. It stays inside the service. */
  | { type: 'CheckInCodeReplaced'; codeHash: string }
  /** An order of the holder is picked up in the slot. */
  | { type: 'SlotAssigned'; orderId: string }
  | { type: 'SlotCheckedIn' }
  | { type: 'SlotCheckedOut'; reason: 'HOLDER' | 'SLOT_ENDED' | 'ORDER_CANCELLED' }
  | { type: 'SlotCancelled'; reason: 'HOLDER' | 'CLOSED' | 'ORDER_CANCELLED' }
  | { type: 'SlotUnattended' }
  | { type: 'SlotClosed' }
  | { type: 'SlotReopened' };

/** Every command says when it is: the time limits that have passed by then come before it. */
export type SlotCommand = { now: string } & (
  | { type: 'CreateSlot'; slot: NewSlot }
  | { type: 'ReserveSlot'; reservationId: string; holder: string; codeHash: string }
  | { type: 'CancelReservation'; holder: string }
  /** An order of the holder names the slot. */
  | { type: 'AssignSlot'; orderId: string; holder: string }
  /** The order that has the slot is cancelled. */
  | { type: 'ReleaseSlot'; orderId: string }
  /** An order is cancelled before it was assigned the slot: it gets the slot and loses it at once, as if both had come in turn. */
  | { type: 'ReleaseUnassigned'; orderId: string; holder: string }
  | { type: 'CheckIn'; holder: string; codeHash: string }
  | { type: 'CheckOut'; holder: string }
  | { type: 'CloseSlot' }
  | { type: 'ReopenSlot' }
  /** A time limit has passed, as a schedule says. It may come late, early, twice, or for a reservation that has ended. */
  | { type: 'ReachTimeLimit'; deadline: string }
);

/**
 * What follows from a command. A reservation whose time is over ends before anything else, so that the answer is right even when its
 * schedule is late.
 * @throws SlotRefusedError, ReservationNotDueError
 */
export function decide(command: SlotCommand, slot: Slot | undefined): readonly SlotEvent[] {
  if (command.type === 'CreateSlot') return slot ? [] : [{ type: 'SlotCreated', slot: command.slot }];
  if (!slot) throw new SlotRefusedError('SLOT_NOT_FOUND');
  const ended = overdue(slot, command.now);
  return [...ended, ...decideNow(command, ended.reduce(evolve, slot))];
}

/**
 * The slot at a time: without a reservation whose time is over by then, also when that is not on record yet.
 * @example slotAt(slot, new Date().toISOString()).status
 */
export function slotAt(slot: Slot, now: string): Slot {
  return overdue(slot, now).reduce(evolve, slot);
}

/** When the slot's reservation ends by itself; undefined without one. */
export function deadlineOf({ status, reservation, endsAt }: Slot): string | undefined {
  return status === 'CHECKED_IN' ? endsAt : reservation?.checkInBy;
}

function overdue(slot: Slot, now: string): readonly SlotEvent[] {
  const deadline = deadlineOf(slot);
  if (deadline === undefined || now < deadline) return [];
  return [slot.status === 'CHECKED_IN' ? { type: 'SlotCheckedOut', reason: 'SLOT_ENDED' } : { type: 'SlotUnattended' }];
}

/** On a slot whose time limits have not passed. */
function decideNow(command: Exclude<SlotCommand, { type: 'CreateSlot' }>, slot: Slot): readonly SlotEvent[] {
  switch (command.type) {
    case 'ReserveSlot':
      return reserve(command, slot);
    case 'CancelReservation':
      return cancel(command.holder, slot);
    case 'AssignSlot':
      return assign(command, slot);
    case 'ReleaseSlot':
      return release(command.orderId, slot);
    case 'ReleaseUnassigned': {
      const assigned = assign(command, slot);
      return [...assigned, ...release(command.orderId, assigned.reduce(evolve, slot))];
    }
    case 'CheckIn':
      return checkIn(command, slot);
    case 'CheckOut':
      return checkOut(command.holder, slot);
    case 'CloseSlot':
      return close(command.now, slot);
    case 'ReopenSlot':
      if (slot.status !== 'CLOSED') return [];
      if (command.now >= slot.endsAt) throw new SlotRefusedError('SLOT_ENDED');
      return [{ type: 'SlotReopened' }];
    case 'ReachTimeLimit':
      if (command.now < command.deadline) throw new ReservationNotDueError();
      return [];
  }
}

function reserve(
  { reservationId, holder, codeHash, now }: Extract<SlotCommand, { type: 'ReserveSlot' }>,
  slot: Slot,
): readonly SlotEvent[] {
  const { status, startsAt, endsAt } = slot;
  if (status === 'CLOSED') throw new SlotRefusedError('SLOT_CLOSED');
  if (now >= endsAt) throw new SlotRefusedError('SLOT_ENDED');
  if (status === 'FREE') {
    // Who reserves a slot that has started gets as long to come, as far as the slot goes.
    const start = Math.max(Date.parse(startsAt), Date.parse(now));
    const checkInBy = new Date(Math.min(start + CHECK_IN_MS, Date.parse(endsAt))).toISOString();
    return [{ type: 'SlotReserved', reservation: { reservationId, holder, codeHash, reservedAt: now, checkInBy } }];
  }
  if (!isHeldBy(slot, holder)) throw new SlotRefusedError('SLOT_TAKEN');
  if (status === 'CHECKED_IN') throw new SlotRefusedError('SLOT_CHECKED_IN');
  return [{ type: 'CheckInCodeReplaced', codeHash }];
}

function cancel(holder: string, slot: Slot): readonly SlotEvent[] {
  if (isHeldBy(slot, holder)) {
    if (slot.status === 'CHECKED_IN') throw new SlotRefusedError('SLOT_CHECKED_IN');
    return [{ type: 'SlotCancelled', reason: 'HOLDER' }];
  }
  if (hasEnded(slot, holder, 'CANCELLED')) return [];
  throw new SlotRefusedError('RESERVATION_NOT_FOUND');
}

/** Of two orders that name one slot the first one gets it. A holder who is there already can still order. */
function assign({ orderId, holder }: { orderId: string; holder: string }, slot: Slot): readonly SlotEvent[] {
  if (!isHeldBy(slot, holder)) {
    throw new SlotRefusedError(
      hasEnded(slot, holder, 'UNATTENDED') ? 'RESERVATION_UNATTENDED' : 'RESERVATION_NOT_FOUND',
    );
  }
  if (slot.reservation?.orderId === orderId) return [];
  if (slot.reservation?.orderId !== undefined) throw new SlotRefusedError('SLOT_HAS_ORDER');
  return [{ type: 'SlotAssigned', orderId }];
}

/** Without its order there is nothing to pick up. A reservation that has ended, or is for another order, stays as it is. */
function release(orderId: string, { reservation, status }: Slot): readonly SlotEvent[] {
  if (reservation?.orderId !== orderId) return [];
  return [{ type: status === 'CHECKED_IN' ? 'SlotCheckedOut' : 'SlotCancelled', reason: 'ORDER_CANCELLED' }];
}

function checkIn(
  { holder, codeHash, now }: Extract<SlotCommand, { type: 'CheckIn' }>,
  slot: Slot,
): readonly SlotEvent[] {
  if (!isHeldBy(slot, holder)) {
    throw new SlotRefusedError(
      hasEnded(slot, holder, 'UNATTENDED') ? 'RESERVATION_UNATTENDED' : 'RESERVATION_NOT_FOUND',
    );
  }
  // Both are hashes, so how long it takes to compare them tells nothing of the code.
  if (slot.reservation?.codeHash !== codeHash) throw new SlotRefusedError('WRONG_CHECK_IN_CODE');
  if (slot.status === 'CHECKED_IN') return [];
  if (now < slot.startsAt) throw new SlotRefusedError('CHECK_IN_TOO_EARLY');
  return [{ type: 'SlotCheckedIn' }];
}

function checkOut(holder: string, slot: Slot): readonly SlotEvent[] {
  if (isHeldBy(slot, holder)) {
    if (slot.status !== 'CHECKED_IN') throw new SlotRefusedError('NOT_CHECKED_IN');
    return [{ type: 'SlotCheckedOut', reason: 'HOLDER' }];
  }
  if (hasEnded(slot, holder, 'CHECKED_OUT')) return [];
  throw new SlotRefusedError('RESERVATION_NOT_FOUND');
}

/** A reservation gives way; a holder who is there does not. */
function close(now: string, slot: Slot): readonly SlotEvent[] {
  if (slot.status === 'CLOSED') return [];
  if (now >= slot.endsAt) throw new SlotRefusedError('SLOT_ENDED');
  if (slot.status === 'CHECKED_IN') throw new SlotRefusedError('SLOT_CHECKED_IN');
  if (slot.status === 'FREE') return [{ type: 'SlotClosed' }];
  return [{ type: 'SlotCancelled', reason: 'CLOSED' }, { type: 'SlotClosed' }];
}

function isHeldBy({ reservation }: Slot, holder: string): boolean {
  return reservation?.holder === holder;
}

function hasEnded({ ended }: Slot, holder: string, outcome: ReservationOutcome): boolean {
  return ended?.reservation.holder === holder && ended.outcome === outcome;
}

/** The state after one more event. @throws SlotRefusedError SLOT_NOT_FOUND when a stream does not start with SlotCreated */
export function evolve(slot: Slot | undefined, event: SlotEvent): Slot {
  if (event.type === 'SlotCreated') return { ...event.slot, status: 'FREE' };
  if (!slot) throw new SlotRefusedError('SLOT_NOT_FOUND');
  switch (event.type) {
    case 'SlotReserved':
      return { ...slot, status: 'RESERVED', reservation: event.reservation };
    case 'CheckInCodeReplaced':
      return { ...slot, reservation: { ...reservationOf(slot), codeHash: event.codeHash } };
    case 'SlotAssigned':
      return { ...slot, reservation: { ...reservationOf(slot), orderId: event.orderId } };
    case 'SlotCheckedIn':
      return { ...slot, status: 'CHECKED_IN' };
    case 'SlotCheckedOut':
      return freed(slot, 'CHECKED_OUT');
    case 'SlotCancelled':
      return freed(slot, 'CANCELLED');
    case 'SlotUnattended':
      return freed(slot, 'UNATTENDED');
    case 'SlotClosed':
      return { ...slot, status: 'CLOSED' };
    case 'SlotReopened':
      return { ...slot, status: 'FREE' };
  }
}

function freed(slot: Slot, outcome: ReservationOutcome): Slot {
  const { reservation: _, ...free } = slot;
  return { ...free, status: 'FREE', ended: { reservation: reservationOf(slot), outcome } };
}

/** @throws SlotRefusedError RESERVATION_NOT_FOUND */
function reservationOf({ reservation }: Slot): Reservation {
  if (!reservation) throw new SlotRefusedError('RESERVATION_NOT_FOUND');
  return reservation;
}
