import type { Line, StockMovement } from './stock.ts';

/**
 * What became of an order's reservation. SHIPPED: a parcel has taken the pieces. RELEASED: the order ended, and what it held
 * or what its parcel had taken is available again. CANCELLED: the order ended before its stock was reserved, so that a late
 * OrderPlaced must not reserve any.
 */
export type ReservationStatus = 'RESERVED' | 'REFUSED' | 'SHIPPED' | 'RELEASED' | 'CANCELLED';

export interface Reservation {
  status: ReservationStatus;
  lines: Line[];
}

/**
 * What the end of an order means for its reservation: give stock back, or nothing. A parcel that exists when its order is
 * cancelled is recalled, so its pieces come back too. Of an order that has no reservation yet the end is remembered, as
 * CANCELLED.
 */
export function decideRelease({ status }: Reservation): 'release' | 'nothing' {
  return status === 'RESERVED' || status === 'SHIPPED' ? 'release' : 'nothing';
}

/**
 * What a shipment means for the reservation of its order: its pieces leave the shelf, or nothing. Of an order that has ended
 * the parcel is recalled, whichever event comes first. Nothing is shipped that was not reserved before, so a shipment
 * without a reservation has overtaken it, and waits.
 */
export function decideShipment(reservation: Reservation | undefined): 'ship' | 'wait' | 'nothing' {
  if (!reservation) return 'wait';
  return reservation.status === 'RESERVED' ? 'ship' : 'nothing';
}

/** How the stock moves when a reservation is given back. */
export function movementsOfRelease({ status, lines }: Reservation): StockMovement[] {
  return lines.map(({ sku, quantity }) => {
    const taken = status === 'SHIPPED' ? { shipped: -quantity } : { reserved: -quantity };
    return { sku, available: quantity, ...taken };
  });
}

/** How the stock moves when what was reserved leaves the shelf. */
export function movementsOfShipment({ lines }: Reservation): StockMovement[] {
  return lines.map(({ sku, quantity }) => ({ sku, reserved: -quantity, shipped: quantity }));
}
