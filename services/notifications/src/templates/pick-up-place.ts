import type { EventOf } from '@millrace/events';
import type { OrderHandedOver } from '@millrace/orders/events';

type PickUp = EventOf<typeof OrderHandedOver>['data']['pickUp'];

/**
 * Where and when an order is picked up, on the clocks of the place; in UTC where this runtime does not know them.
 * @example pickUpPlace(pickUp) // 'Harbour East, Thursday, 15 January 2026, 10:00–10:30 (Europe/Vienna)'
 */
export function pickUpPlace({ location, startsAt, endsAt }: PickUp): string {
  const timeZone = isKnown(location.timeZone) ? location.timeZone : 'UTC';
  const day = new Intl.DateTimeFormat('en-GB', {
    ...{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone },
  });
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
  const [start, end] = [new Date(startsAt), new Date(endsAt)];
  return `${location.name}, ${day.format(start)}, ${time.format(start)}–${time.format(end)} (${timeZone})`;
}

function isKnown(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone });
    return true;
  } catch {
    return false;
  }
}
