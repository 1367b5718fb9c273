import { TransientError } from '@millrace/errors';
import type { OrderSnapshot } from '@millrace/orders/events';
import type { Line, Shortage, StockMovement } from './stock.ts';

/**
 * What became of an order's reservation. SHIPPED: a parcel has taken the pieces. RELEASED: the order ended, and what it held
 * or what its parcel had taken is available again. CANCELLED: the order ended before its stock was reserved, so that a late
 * OrderPlaced must not reserve any.
 */
export type ReservationStatus = 'RESERVED' | 'REFUSED' | 'SHIPPED' | 'RELEASED' | 'CANCELLED';

export interface Reservation {
  status: ReservationStatus;
  lines: readonly Line[];
  /** What the stock lacked when it was refused. Absent in reservations that were refused before this was kept. */
  shortages?: readonly Shortage[];
}

export type ReservationCommand =
  /** `shortages` is what the stock lacks for the order: with any of them it is refused. */
  | { type: 'Reserve'; order: OrderSnapshot; shortages: readonly Shortage[] }
  | { type: 'Release' }
  | { type: 'Ship'; orderId: string };

export type ReservationEvent =
  | { type: 'StockReserved'; order: OrderSnapshot }
  | { type: 'ReservationRefused'; lines: readonly Line[]; shortages: readonly Shortage[] }
  /** The order ended before its stock was reserved. */
  | { type: 'ReservationForestalled' }
  | { type: 'StockShipped'; lines: readonly Line[] }
  /** `from` says where the pieces come back from: the shelf, or the parcel, which is recalled. */
  | { type: 'StockReleased'; lines: readonly Line[]; from: 'RESERVED' | 'SHIPPED' };

/** A shipment came before the reservation of its order: it is tried again, and the reservation comes meanwhile. */
export class ReservationUnknownError extends TransientError {
  constructor(orderId: string) {
    super('RESERVATION_UNKNOWN', `Order ${orderId} has a shipment, but no reservation yet`);
  }
}

/**
 * What follows from a command: one event or nothing. An order is reserved once, and never after it has ended. A parcel that
 * exists when its order ends is recalled, so its pieces come back too.
 * @throws ReservationUnknownError for a shipment that has overtaken the reservation
 */
export function decide(
  command: ReservationCommand,
  reservation: Reservation | undefined,
): readonly [] | readonly [ReservationEvent] {
  switch (command.type) {
    case 'Reserve': {
      if (reservation) return [];
      const { order, shortages } = command;
      if (shortages.length === 0) return [{ type: 'StockReserved', order }];
      return [{ type: 'ReservationRefused', lines: piecesOf(order.lines), shortages }];
    }
    case 'Release': {
      if (!reservation) return [{ type: 'ReservationForestalled' }];
      const { status, lines } = reservation;
      return status === 'RESERVED' || status === 'SHIPPED' ? [{ type: 'StockReleased', lines, from: status }] : [];
    }
    case 'Ship':
      if (!reservation) throw new ReservationUnknownError(command.orderId);
      return reservation.status === 'RESERVED' ? [{ type: 'StockShipped', lines: reservation.lines }] : [];
  }
}

/** The state after one more event. */
export function evolve(_: Reservation | undefined, event: ReservationEvent): Reservation {
  switch (event.type) {
    case 'StockReserved':
      return { status: 'RESERVED', lines: piecesOf(event.order.lines) };
    case 'ReservationRefused':
      return { status: 'REFUSED', lines: event.lines, shortages: event.shortages };
    case 'ReservationForestalled':
      return { status: 'CANCELLED', lines: [] };
    case 'StockShipped':
      return { status: 'SHIPPED', lines: event.lines };
    case 'StockReleased':
      return { status: 'RELEASED', lines: event.lines };
  }
}

/** How the stock moves with a shipment or a release. What a new reservation takes is in `decideReservations`. */
export function movementsOf(event: ReservationEvent): StockMovement[] {
  switch (event.type) {
    case 'StockShipped':
      return event.lines.map(({ sku, quantity }) => ({ sku, reserved: -quantity, shipped: quantity }));
    case 'StockReleased':
      return event.lines.map(({ sku, quantity }) => {
        return { sku, available: quantity, [event.from === 'SHIPPED' ? 'shipped' : 'reserved']: -quantity };
      });
    default:
      return [];
  }
}

function piecesOf(lines: readonly Line[]): Line[] {
  return lines.map(({ sku, quantity }) => ({ sku, quantity }));
}
