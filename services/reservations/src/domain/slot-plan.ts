import { derivedId } from '@millrace/events';
import { addDays, instantOf } from './local-time.ts';
import { hoursOf, isEndOfDay, type Location } from './location.ts';
import type { NewSlot } from './slot.ts';

/**
 * The slots of a location on a day: one after the other from each opening on, as many as end by closing time. They have their length
 * in minutes that pass, so a day on which the clocks are put forward has fewer, and one on which they are put back has more.
 * @example slotsOf(berlin, '2026-03-29') // opens at 10:00 summer time
 */
export function slotsOf(location: Location, date: string): NewSlot[] {
  const { id, name, timeZone, slotMinutes } = location;
  const length = slotMinutes * 60_000;
  const slots: NewSlot[] = [];
  for (const { opens, closes } of hoursOf(location, date)) {
    const end = (
      isEndOfDay(closes)
        ? instantOf(addDays(date, 1), 0, timeZone, 'earlier')
        : instantOf(date, closes, timeZone, 'later')
    ).getTime();
    for (let start = instantOf(date, opens, timeZone, 'earlier').getTime(); start + length <= end; start += length) {
      const startsAt = new Date(start).toISOString();
      slots.push({
        slotId: slotIdOf(id, startsAt),
        location: { id, name, timeZone },
        date,
        startsAt,
        endsAt: new Date(start + length).toISOString(),
      });
    }
  }
  return slots;
}

/** The same for the same location and start, so that a slot that is generated twice is one. */
function slotIdOf(locationId: string, startsAt: string): string {
  return derivedId(['slot', locationId, startsAt]);
}
