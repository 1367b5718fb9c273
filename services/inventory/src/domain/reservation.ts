import type { Line, StockMovement } from './stock.ts';

/**
 * What became of an order's reservation. CANCELLED: the order ended before its stock was reserved, so that a late
 * OrderPlaced must not reserve any.
 */
export type ReservationStatus = 'RESERVED' | 'REFUSED' | 'RELEASED' | 'CANCELLED';

export interface Reservation {
  status: ReservationStatus;
  lines: Line[];
}

/**
 * What the end of an order means for its reservation: give stock back, or nothing. Of an order that has no reservation yet
 * the end is remembered, as CANCELLED.
 */
export function decideRelease({ status }: Reservation): 'release' | 'nothing' {
  return status === 'RESERVED' ? 'release' : 'nothing';
}

/** How the stock moves when a reservation is given back. */
export function movementsOfRelease({ lines }: Reservation): StockMovement[] {
  return lines.map(({ sku, quantity }) => ({ sku, available: quantity, reserved: -quantity }));
}
