/** What becomes of a reservation. */
export type ReservationOutcome = 'attended' | 'cancelled' | 'not attended' | 'refused';

/** Of a hundred reservations: how many end so. */
const OUTCOMES: readonly (readonly [ReservationOutcome, number])[] = [
  ['attended', 80],
  ['cancelled', 10],
  ['not attended', 5],
  ['refused', 5],
];

/** What is assumed about reservations, for people. */
export const RESERVATION_MIX =
  `of 100 reservations ${OUTCOMES.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}; each customer looks at the slots of a day ` +
  'before; who attends checks in and out; without orders, and without the creation of the slots but of those that are not attended';

/** The outcome of the reservation with a number from 0 on. Any hundred in a row have the mix exactly, and the rare ones are spread among them. */
export function plannedReservation(index: number): ReservationOutcome {
  let place = (index * 37) % 100;
  const outcome = OUTCOMES.find(([, count]) => {
    place -= count;
    return place < 0;
  });
  return outcome?.[0] ?? 'attended';
}
