import { describe, expect, test } from '@jest/globals';
import { specify } from '@millrace/testing';
import { exampleOrder } from '../../events/index.ts';
import { decide, evolve, type Order, type OrderCommand, type OrderEvent, type ProgressEvent } from './order.ts';
import { pickUpStatusOf, type SlotRefusal, slotRefusalDetails } from './pick-up.ts';

const { given } = specify<Order | undefined, OrderCommand, OrderEvent>({ initialState: undefined, decide, evolve });

const place = {
  location: { id: 'harbour-east', name: 'Harbour East', timeZone: 'Europe/Vienna' },
  startsAt: '2026-01-15T09:00:00.000Z',
  endsAt: '2026-01-15T09:30:00.000Z',
};
const order = { ...exampleOrder, slotId: '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01' };
const placed: OrderEvent = { type: 'OrderPlaced', order };
const assigned: ProgressEvent = { type: 'SlotAssigned', ...place };
const ready: ProgressEvent = { type: 'PickUpReady' };
const taken: ProgressEvent = { type: 'PickUpHandedOver' };
const missed: ProgressEvent = { type: 'PickUpFailed', reason: 'UNATTENDED' };
const shipped: ProgressEvent = { type: 'ShipmentCreated', trackingNumber: 'MR1' };
const confirmed: OrderEvent = { type: 'OrderConfirmed' };
const confirmedAsSent: OrderEvent = { type: 'OrderConfirmed', trackingNumber: 'MR1' };
const handedOver: OrderEvent = { type: 'OrderHandedOver' };
const switched: OrderEvent = { type: 'OrderSwitchedToDelivery' };
const cancelled: OrderEvent = {
  type: 'OrderCancelled',
  reason: 'CUSTOMER_REQUEST',
  detail: 'Cancelled at your request',
};
const record = (progress: ProgressEvent): OrderCommand => ({ type: 'RecordProgress', progress });

describe('an order with a slot', () => {
  test('is confirmed when it lies ready and has its slot, whichever comes first', () => {
    given(placed).when(record(ready)).thenEvents(ready);
    given(placed, ready).when(record(assigned)).thenEvents(assigned, confirmed);
    given(placed, assigned).when(record(ready)).thenEvents(ready, confirmed);
  });

  test.each(Object.entries(slotRefusalDetails))('is cancelled when its slot is refused: %s', (reason, detail) => {
    const refused: ProgressEvent = { type: 'SlotRefused', reason: reason as SlotRefusal };
    given(placed).when(record(refused)).thenEvents(refused, { type: 'OrderCancelled', reason: 'SLOT_REFUSED', detail });
  });

  test('is handed over once it is confirmed', () => {
    given(placed, assigned, ready, confirmed).when(record(taken)).thenEvents(taken, handedOver);
    given(placed, assigned).when(record(taken)).thenEvents(taken);
    given(placed, assigned, taken).when(record(ready)).thenEvents(ready, confirmed, handedOver);
  });

  test('that was not picked up is sent, and stays confirmed', () => {
    given(placed, assigned, ready, confirmed).when(record(missed)).thenEvents(missed, switched);
    given(placed, assigned, ready, confirmed, missed, switched).when(record(shipped)).thenEvents(shipped);
    given(placed, assigned, ready, confirmed, missed, switched, shipped).thenState((state) => {
      expect(state).toMatchObject({ status: 'CONFIRMED', trackingNumber: 'MR1', pickUpFailure: 'UNATTENDED' });
    });
  });

  test('whose slot is lost before it is paid is confirmed by its parcel', () => {
    given(placed, assigned).when(record(missed)).thenEvents(missed, switched);
    given(placed, assigned, missed, switched).when(record(shipped)).thenEvents(shipped, confirmedAsSent);
  });

  test('tells of the lost slot only when it knows which one it was', () => {
    given(placed).when(record(missed)).thenEvents(missed);
    given(placed, missed).when(record(assigned)).thenEvents(assigned, switched);
  });

  test('that is cancelled draws no conclusions any more', () => {
    for (const late of [assigned, ready, taken, missed, shipped]) {
      given(placed, cancelled).when(record(late)).thenEvents(late);
    }
  });

  test('without a slot is not moved by what is reported of one', () => {
    const sent: OrderEvent = { type: 'OrderPlaced', order: exampleOrder };
    const refused: ProgressEvent = { type: 'SlotRefused', reason: 'SLOT_NOT_FOUND' };
    for (const report of [assigned, ready, taken, missed, refused]) {
      given(sent, shipped, confirmedAsSent).when(record(report)).thenEvents(report);
      given(sent).when(record(report)).thenEvents(report);
    }
  });

  test('in checkout draws none either', () => {
    given({ type: 'OrderPlaced', order: { ...exampleOrder, process: 'checkout' } })
      .when(record(ready))
      .thenEvents(ready);
  });
});

test('in whatever order the reports come, the order ends in the same way and tells it once', () => {
  const ends = [
    { reports: [assigned, ready, taken], status: 'HANDED_OVER' },
    { reports: [assigned, ready, missed, shipped], status: 'SWITCHED_TO_DELIVERY' },
    { reports: [assigned, missed, shipped], status: 'SWITCHED_TO_DELIVERY' },
  ] as const;
  for (const { reports, status } of ends) {
    for (const some of permutations<ProgressEvent>(reports)) {
      const events: OrderEvent[] = [placed];
      for (const report of some.flatMap((each) => [each, each])) {
        events.push(...decide(record(report), events.reduce<Order | undefined>(evolve, undefined)));
      }
      const state = events.reduce<Order | undefined>(evolve, undefined);
      expect(state?.status).toBe('CONFIRMED');
      expect(state && pickUpStatusOf(state)).toBe(status);
      const told = events.map(({ type }) => type).filter((type) => /^Order(?!Placed)/.test(type));
      expect(told.toSorted()).toEqual(
        ['OrderConfirmed', status === 'HANDED_OVER' ? 'OrderHandedOver' : 'OrderSwitchedToDelivery'].toSorted(),
      );
    }
  }
});

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
