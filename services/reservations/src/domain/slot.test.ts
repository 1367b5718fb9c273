import { describe, expect, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import {
  decide,
  evolve,
  type NewSlot,
  type Reservation,
  type Slot,
  type SlotCommand,
  type SlotEvent,
  slotAt,
} from './slot.ts';

const { given } = specify<Slot | undefined, SlotCommand, SlotEvent>({ initialState: undefined, decide, evolve });

const slot: NewSlot = {
  slotId: 'slot-1',
  location: { id: 'berlin-mitte', name: 'Berlin Mitte', timeZone: 'Europe/Berlin' },
  date: '2026-01-15',
  startsAt: '2026-01-15T09:00:00.000Z',
  endsAt: '2026-01-15T09:30:00.000Z',
};
const at = (time: string) => `2026-01-15T${time}:00.000Z`;
const [dayBefore, start, inTime, late, lastMinute, end] = [
  '2026-01-14T18:00:00.000Z',
  at('09:00'),
  at('09:09'),
  at('09:10'),
  at('09:29'),
  at('09:30'),
];

const ada: Reservation = {
  reservationId: 'reservation-1',
  holder: 'ada',
  codeHash: 'hash-1',
  reservedAt: dayBefore,
  checkInBy: late,
};
const created: SlotEvent = { type: 'SlotCreated', slot };
const reserved: SlotEvent = { type: 'SlotReserved', reservation: ada };
const checkedIn: SlotEvent = { type: 'SlotCheckedIn' };
const checkedOut: SlotEvent = { type: 'SlotCheckedOut', reason: 'HOLDER' };
const checkedOutByTime: SlotEvent = { type: 'SlotCheckedOut', reason: 'SLOT_ENDED' };
const cancelled: SlotEvent = { type: 'SlotCancelled', reason: 'HOLDER' };
const cancelledByClosure: SlotEvent = { type: 'SlotCancelled', reason: 'CLOSED' };
const unattended: SlotEvent = { type: 'SlotUnattended' };
const closed: SlotEvent = { type: 'SlotClosed' };
const reopened: SlotEvent = { type: 'SlotReopened' };

const create = (now = dayBefore): SlotCommand => ({ type: 'CreateSlot', slot, now });
const reserve = (now = dayBefore, holder = 'ada', n = 1): SlotCommand => ({
  type: 'ReserveSlot',
  reservationId: `reservation-${n}`,
  holder,
  codeHash: `hash-${n}`,
  now,
});
const reservationOf = (holder: string, n: number, reservedAt: string, checkInBy: string): SlotEvent => ({
  type: 'SlotReserved',
  reservation: { reservationId: `reservation-${n}`, holder, codeHash: `hash-${n}`, reservedAt, checkInBy },
});
const cancel = (now = dayBefore, holder = 'ada'): SlotCommand => ({ type: 'CancelReservation', holder, now });
const checkIn = (now = start, codeHash = 'hash-1', holder = 'ada'): SlotCommand => ({
  type: 'CheckIn',
  holder,
  codeHash,
  now,
});
const checkOut = (now = inTime, holder = 'ada'): SlotCommand => ({ type: 'CheckOut', holder, now });
const close = (now = dayBefore): SlotCommand => ({ type: 'CloseSlot', now });
const reopen = (now = dayBefore): SlotCommand => ({ type: 'ReopenSlot', now });
const reach = (deadline: string, now = deadline): SlotCommand => ({ type: 'ReachTimeLimit', deadline, now });

describe('a slot', () => {
  test('is created once', () => {
    given().when(create()).thenEvents(created);
    given(created).when(create()).thenEvents();
    given(created, reserved).when(create()).thenEvents();
  });

  test.each([reserve(), cancel(), checkIn(), checkOut(), close(), reopen(), reach(late)])(
    'that does not exist refuses $type',
    (command) => given().when(command).thenRefused('SLOT_NOT_FOUND'),
  );
});

describe('reserving', () => {
  test('a free slot: the holder has until ten minutes after its start', () => {
    given(created).when(reserve()).thenEvents(reserved);
  });

  test('a slot that has started gives ten minutes from then on, at most to its end', () => {
    given(created)
      .when(reserve(late))
      .thenEvents(reservationOf('ada', 1, late, at('09:20')));
    given(created)
      .when(reserve(lastMinute))
      .thenEvents(reservationOf('ada', 1, lastMinute, end));
  });

  test.each([
    ['cancelled', cancelled],
    ['unattended', unattended],
  ])('a slot again whose reservation was %s', (_, event) => {
    given(created, reserved, event)
      .when(reserve(dayBefore, 'grace', 2))
      .thenEvents(reservationOf('grace', 2, dayBefore, late));
  });

  test('a slot again whose holder has left', () => {
    given(created, reserved, checkedIn, checkedOut)
      .when(reserve(inTime, 'grace', 2))
      .thenEvents(reservationOf('grace', 2, inTime, at('09:19')));
  });

  test('a slot that nobody has attended, before its schedule has run, ends that reservation first', () => {
    given(created, reserved)
      .when(reserve(late, 'grace', 2))
      .thenEvents(unattended, reservationOf('grace', 2, late, at('09:20')));
  });

  test('a slot that another customer has is refused', () => {
    given(created, reserved)
      .when(reserve(dayBefore, 'grace', 2))
      .thenRefused('SLOT_TAKEN');
    given(created, reserved, checkedIn)
      .when(reserve(inTime, 'grace', 2))
      .thenRefused('SLOT_TAKEN');
  });

  test('again by its holder gives another code, until check-in', () => {
    given(created, reserved)
      .when(reserve(dayBefore, 'ada', 2))
      .thenEvents({ type: 'CheckInCodeReplaced', codeHash: 'hash-2' });
    given(created, reserved, checkedIn)
      .when(reserve(inTime, 'ada', 2))
      .thenRefused('SLOT_CHECKED_IN');
  });

  test('a closed slot, or one that is over, is refused', () => {
    given(created, closed).when(reserve()).thenRefused('SLOT_CLOSED');
    given(created).when(reserve(end)).thenRefused('SLOT_ENDED');
    given(created, reserved).when(reserve(end)).thenRefused('SLOT_ENDED');
  });
});

describe('cancelling', () => {
  test('a reservation frees the slot, and to do it again changes nothing', () => {
    given(created, reserved).when(cancel()).thenEvents(cancelled);
    given(created, reserved, cancelled).when(cancel()).thenEvents();
    given(created, reserved, cancelled, reservationOf('grace', 2, dayBefore, late))
      .when(cancel())
      .thenEvents();
  });

  test("is refused without a reservation of the caller's", () => {
    given(created).when(cancel()).thenRefused('RESERVATION_NOT_FOUND');
    given(created, reserved).when(cancel(dayBefore, 'grace')).thenRefused('RESERVATION_NOT_FOUND');
    given(created, reserved, unattended).when(cancel()).thenRefused('RESERVATION_NOT_FOUND');
    given(created, reserved).when(cancel(late)).thenRefused('RESERVATION_NOT_FOUND');
    given(created, closed).when(cancel()).thenRefused('RESERVATION_NOT_FOUND');
  });

  test('is refused after check-in', () => {
    given(created, reserved, checkedIn).when(cancel(inTime)).thenRefused('SLOT_CHECKED_IN');
  });
});

describe('checking in', () => {
  test('by code, from the start until ten minutes later, and again', () => {
    given(created, reserved).when(checkIn()).thenEvents(checkedIn);
    given(created, reserved).when(checkIn(inTime)).thenEvents(checkedIn);
    given(created, reserved, checkedIn).when(checkIn(inTime)).thenEvents();
  });

  test('by the last code that the holder got', () => {
    const replaced: SlotEvent = { type: 'CheckInCodeReplaced', codeHash: 'hash-2' };
    given(created, reserved, replaced).when(checkIn(start, 'hash-2')).thenEvents(checkedIn);
    given(created, reserved, replaced).when(checkIn(start, 'hash-1')).thenRefused('WRONG_CHECK_IN_CODE');
  });

  test('is refused before the start, and with another code at any time', () => {
    given(created, reserved).when(checkIn(dayBefore)).thenRefused('CHECK_IN_TOO_EARLY');
    given(created, reserved).when(checkIn(dayBefore, 'hash-2')).thenRefused('WRONG_CHECK_IN_CODE');
    given(created, reserved, checkedIn).when(checkIn(inTime, 'hash-2')).thenRefused('WRONG_CHECK_IN_CODE');
  });

  test('is refused when it is too late, whether or not the schedule has run', () => {
    given(created, reserved).when(checkIn(late)).thenRefused('RESERVATION_UNATTENDED');
    given(created, reserved, unattended).when(checkIn(late)).thenRefused('RESERVATION_UNATTENDED');
  });

  test('is refused to anybody but the holder, with the right code too', () => {
    given(created, reserved)
      .when(checkIn(start, 'hash-1', 'grace'))
      .thenRefused('RESERVATION_NOT_FOUND');
    given(created).when(checkIn()).thenRefused('RESERVATION_NOT_FOUND');
    given(created, closed).when(checkIn()).thenRefused('RESERVATION_NOT_FOUND');
    given(created, reserved, cancelled).when(checkIn()).thenRefused('RESERVATION_NOT_FOUND');
  });
});

describe('checking out', () => {
  test('frees what is left of the slot, and to do it again changes nothing', () => {
    given(created, reserved, checkedIn).when(checkOut()).thenEvents(checkedOut);
    given(created, reserved, checkedIn, checkedOut).when(checkOut()).thenEvents();
  });

  test('after the end is what the end of the slot has done', () => {
    given(created, reserved, checkedIn).when(checkOut(end)).thenEvents(checkedOutByTime);
  });

  test('is refused without check-in, and to others', () => {
    given(created, reserved).when(checkOut(start)).thenRefused('NOT_CHECKED_IN');
    given(created).when(checkOut()).thenRefused('RESERVATION_NOT_FOUND');
    given(created, closed).when(checkOut()).thenRefused('RESERVATION_NOT_FOUND');
    given(created, reserved, checkedIn).when(checkOut(inTime, 'grace')).thenRefused('RESERVATION_NOT_FOUND');
  });
});

describe('closing', () => {
  test('a free slot', () => given(created).when(close()).thenEvents(closed));
  test('a reserved one cancels the reservation', () => {
    given(created, reserved).when(close()).thenEvents(cancelledByClosure, closed);
  });
  test('one that was not attended ends that reservation as unattended', () => {
    given(created, reserved).when(close(late)).thenEvents(unattended, closed);
  });
  test('again changes nothing', () => given(created, closed).when(close()).thenEvents());
  test('is refused while the holder is there, and after the end', () => {
    given(created, reserved, checkedIn).when(close(inTime)).thenRefused('SLOT_CHECKED_IN');
    given(created).when(close(end)).thenRefused('SLOT_ENDED');
  });
  test('can be taken back until the end', () => {
    given(created, closed).when(reopen()).thenEvents(reopened);
    given(created).when(reopen()).thenEvents();
    given(created, reserved).when(reopen()).thenEvents();
    given(created, closed).when(reopen(end)).thenRefused('SLOT_ENDED');
    given(created, closed, reopened).when(reserve()).thenEvents(reserved);
  });
});

describe('a schedule', () => {
  test('ends what is not attended, and checks out at the end of the slot', () => {
    given(created, reserved).when(reach(late)).thenEvents(unattended);
    given(created, reserved, checkedIn).when(reach(end)).thenEvents(checkedOutByTime);
  });

  test('that runs early is put off', () => {
    given(created, reserved).when(reach(late, inTime)).thenRefused('RESERVATION_NOT_DUE');
  });

  test.each<[string, SlotEvent[]]>([
    ['cancelled', [cancelled]],
    ['checked in', [checkedIn]],
    ['checked out', [checkedIn, checkedOut]],
    ['unattended already', [unattended]],
    ['closed', [cancelledByClosure, closed]],
  ])('that runs after the reservation was %s changes nothing', (_, events) => {
    given(created, reserved, ...events)
      .when(reach(late))
      .thenEvents();
  });

  test('of a reservation that has ended does not end the next one', () => {
    const next = reservationOf('grace', 2, inTime, at('09:19'));
    given(created, reserved, cancelled, next).when(reach(late)).thenEvents();
  });
});

test('a slot shows no reservation whose time is over, also when that is not on record yet', () => {
  given(created, reserved).thenState((state) => {
    if (!state) throw new Error('no slot');
    expect(slotAt(state, inTime)).toMatchObject({ status: 'RESERVED', reservation: ada });
    expect(slotAt(state, late)).toMatchObject({ status: 'FREE', ended: { outcome: 'UNATTENDED' } });
    expect(slotAt(state, late)).not.toHaveProperty('reservation');
  });
});

test('a stream that does not begin with the slot cannot be read', () => {
  expect(() => evolve(undefined, reserved)).toThrow('There is no such slot');
  expect(() => evolve({ ...slot, status: 'FREE' }, unattended)).toThrow('You have no reservation');
});
