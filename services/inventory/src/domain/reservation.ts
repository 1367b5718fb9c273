import type { Line } from './stock.ts';

/**
 * What became of an order's reservation. CANCELLED: the order ended before its stock was reserved, so that a late
 * OrderPlaced must not reserve any.
 */
export type ReservationStatus = 'RESERVED' | 'REFUSED' | 'RELEASED' | 'CANCELLED';

export interface Reservation {
  status: ReservationStatus;
  lines: Line[];
}

/** What the end of an order means for its reservation: give stock back, remember the end, or nothing. */
export function decideRelease(reservation: Reservation | undefined): 'release' | 'remember' | 'nothing' {
  if (!reservation) return 'remember';
  switch (reservation.status) {
    case 'RESERVED':
      return 'release';
    case 'REFUSED':
    case 'RELEASED':
    case 'CANCELLED':
      return 'nothing';
  }
}
