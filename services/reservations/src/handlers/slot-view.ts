import { type Slot, slotAt } from '../domain/slot.ts';

/** A slot as the API shows it to a caller at a time: the reservation only to its holder. */
export function slotView(slot: Slot, holder: string, now: Date) {
  const { slotId, location, date, startsAt, endsAt, status, reservation } = slotAt(slot, now.toISOString());
  return {
    ...{ slotId, location, date, startsAt, endsAt, status },
    ...(reservation?.holder === holder && {
      reservation: {
        reservationId: reservation.reservationId,
        reservedAt: reservation.reservedAt,
        checkInBy: reservation.checkInBy,
        ...(reservation.orderId !== undefined && { orderId: reservation.orderId }),
      },
    }),
  };
}
