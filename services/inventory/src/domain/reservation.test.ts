import { describe, expect, test } from '@jest/globals';
import { exampleOrder } from '@millrace/orders/events';
import {
  decide,
  evolve,
  movementsOf,
  type Reservation,
  type ReservationCommand,
  type ReservationEvent,
  type ReservationStatus,
} from './reservation.ts';

const order = { ...exampleOrder, lines: [{ sku: 'FLOUR', quantity: 2, unitPrice: 100 }] };
const lines = [{ sku: 'FLOUR', quantity: 2 }];
const shortages = [{ sku: 'FLOUR', requested: 2, available: 1 }];
const reserve: ReservationCommand = { type: 'Reserve', order, shortages: [] };
const release: ReservationCommand = { type: 'Release' };
const ship: ReservationCommand = { type: 'Ship', orderId: order.orderId };

/** What follows from commands, one after the other. */
function after(...commands: ReservationCommand[]) {
  let state: Reservation | undefined;
  let events: readonly ReservationEvent[] = [];
  for (const command of commands) {
    events = decide(command, state);
    for (const event of events) state = evolve(state, event);
  }
  return { status: state?.status, events: events.map(({ type }) => type), movements: events.flatMap(movementsOf) };
}

describe('a reservation', () => {
  test.each<[string, ReservationCommand[], ReservationStatus, string[]]>([
    ['is made when there is stock', [reserve], 'RESERVED', ['StockReserved']],
    ['is refused when there is none', [{ ...reserve, shortages }], 'REFUSED', ['ReservationRefused']],
    ['is made once', [reserve, reserve], 'RESERVED', []],
    ['is not made after its order has ended', [release, reserve], 'CANCELLED', []],
    ['ends before it is made', [release], 'CANCELLED', ['ReservationForestalled']],
    ['is given back', [reserve, release], 'RELEASED', ['StockReleased']],
    ['is given back after it was shipped', [reserve, ship, release], 'RELEASED', ['StockReleased']],
    ['is given back once', [reserve, release, release], 'RELEASED', []],
    ['is shipped', [reserve, ship], 'SHIPPED', ['StockShipped']],
    ['is shipped once', [reserve, ship, ship], 'SHIPPED', []],
    ['is not shipped after its order has ended', [reserve, release, ship], 'RELEASED', []],
    ['is not shipped when it was refused', [{ ...reserve, shortages }, ship], 'REFUSED', []],
    ['gives nothing back when it was refused', [{ ...reserve, shortages }, release], 'REFUSED', []],
  ])('%s', (_, commands, status, events) => {
    expect(after(...commands)).toMatchObject({ status, events });
  });

  test('that is not known yet: a shipment waits for it', () => {
    expect(() => after(ship)).toThrow(expect.objectContaining({ code: 'RESERVATION_UNKNOWN' }));
  });

  test('keeps what the order holds, without prices', () => {
    expect(evolve(undefined, { type: 'StockReserved', order })).toEqual({ status: 'RESERVED', lines });
  });

  test('moves stock from reserved to shipped, and back to available from wherever it is', () => {
    expect(after(reserve).movements).toEqual([]);
    expect(after(reserve, ship).movements).toEqual([{ sku: 'FLOUR', reserved: -2, shipped: 2 }]);
    expect(after(reserve, release).movements).toEqual([{ sku: 'FLOUR', available: 2, reserved: -2 }]);
    expect(after(reserve, ship, release).movements).toEqual([{ sku: 'FLOUR', available: 2, shipped: -2 }]);
  });
});
