import type { EventOf } from '@millrace/events';
import type { OrderHandedOver } from '@millrace/orders/events';

type PickUp = EventOf<typeof OrderHandedOver>['data']['pickUp'];

/**
 * Where and when an order is picked up, on the clocks of the place.
 * @example pickUpPlace(pickUp) // 'Harbour East, Thursday 15 January 2026, 10:00–10:30 (Europe/Vienna)'
 */
export function pickUpPlace({ location: { name, timeZone }, startsAt, endsAt }: PickUp): string {
  const day = new Intl.DateTimeFormat('en-GB', {
    ...{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone },
  });
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
  const [start, end] = [new Date(startsAt), new Date(endsAt)];
  return `${name}, ${day.format(start)}, ${time.format(start)}–${time.format(end)} (${timeZone})`;
}
