import { describe, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import { decide, evolve, type Slot, type SlotCommand, type SlotEvent } from './slot.ts';

const { given } = specify<Slot | undefined, SlotCommand, SlotEvent>({ initialState: undefined, decide, evolve });

const before = '2026-01-14T18:00:00.000Z';
const during = '2026-01-15T09:05:00.000Z';
const late = '2026-01-15T09:15:00.000Z';
const created: SlotEvent = {
  type: 'SlotCreated',
  slot: {
    slotId: 'slot-1',
    location: { id: 'berlin-mitte', name: 'Berlin Mitte', timeZone: 'Europe/Berlin' },
    date: '2026-01-15',
    startsAt: '2026-01-15T09:00:00.000Z',
    endsAt: '2026-01-15T09:30:00.000Z',
  },
};
const reserved: SlotEvent = {
  type: 'SlotReserved',
  reservation: {
    ...{ reservationId: 'reservation-1', holder: 'ada', codeHash: 'hash-1' },
    ...{ reservedAt: before, checkInBy: '2026-01-15T09:10:00.000Z' },
  },
};
const assigned: SlotEvent = { type: 'SlotAssigned', orderId: 'order-1' };
const checkedIn: SlotEvent = { type: 'SlotCheckedIn' };
const cancelled: SlotEvent = { type: 'SlotCancelled', reason: 'ORDER_CANCELLED' };

const assign = (holder = 'ada', orderId = 'order-1', now = before): SlotCommand => ({
  ...{ type: 'AssignSlot', orderId, holder, now },
});
const release = (orderId = 'order-1', now = before): SlotCommand => ({ type: 'ReleaseSlot', orderId, now });
const releaseUnassigned = (holder = 'ada', orderId = 'order-1'): SlotCommand => ({
  ...{ type: 'ReleaseUnassigned', orderId, holder, now: before },
});

describe('assigning a slot to an order', () => {
  test('works for the holder, once, also after check-in', () => {
    given(created, reserved).when(assign()).thenEvents(assigned);
    given(created, reserved, assigned).when(assign()).thenEvents();
    given(created, reserved, checkedIn)
      .when(assign('ada', 'order-1', during))
      .thenEvents(assigned);
  });

  test("is refused for anybody else's order, whether the slot is taken or free", () => {
    given(created, reserved).when(assign('eve')).thenRefused('RESERVATION_NOT_FOUND');
    given(created).when(assign()).thenRefused('RESERVATION_NOT_FOUND');
    given().when(assign()).thenRefused('SLOT_NOT_FOUND');
  });

  test('is refused for a second order', () => {
    given(created, reserved, assigned).when(assign('ada', 'order-2')).thenRefused('SLOT_HAS_ORDER');
  });

  test('is refused once the holder did not come, also before that is on record', () => {
    given(created, reserved)
      .when(assign('ada', 'order-1', late))
      .thenRefused('RESERVATION_UNATTENDED');
    given(created, reserved, { type: 'SlotUnattended' }).when(assign()).thenRefused('RESERVATION_UNATTENDED');
  });

  test('ends with the reservation: the next one has no order', () => {
    given(created, reserved, assigned, cancelled, reserved)
      .when(assign('ada', 'order-2'))
      .thenEvents({
        ...{ type: 'SlotAssigned', orderId: 'order-2' },
      });
  });
});

describe('the cancellation of an order', () => {
  test('frees its slot, once', () => {
    given(created, reserved, assigned).when(release()).thenEvents(cancelled);
    given(created, reserved, assigned, cancelled).when(release()).thenEvents();
  });

  test('checks out a holder who is there', () => {
    given(created, reserved, assigned, checkedIn)
      .when(release('order-1', during))
      .thenEvents({ type: 'SlotCheckedOut', reason: 'ORDER_CANCELLED' });
  });

  test('leaves a reservation alone that is for another order, or for none', () => {
    given(created, reserved, assigned).when(release('order-2')).thenEvents();
    given(created, reserved).when(release()).thenEvents();
  });

  test('before the order was assigned has it both ways at once', () => {
    given(created, reserved).when(releaseUnassigned()).thenEvents(assigned, cancelled);
    given(created, reserved).when(releaseUnassigned('eve')).thenRefused('RESERVATION_NOT_FOUND');
    given(created, reserved, assigned).when(releaseUnassigned('ada', 'order-2')).thenRefused('SLOT_HAS_ORDER');
  });
});
