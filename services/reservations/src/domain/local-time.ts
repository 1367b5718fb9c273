const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Creating a format is expensive, so each time zone has one. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
    ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
  });
  formats.set(timeZone, format);
  return format;
}

/** What the clocks show at an instant, in ms as if they were in UTC. */
function clockAt(instant: number, timeZone: string): number {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * The day on the clocks of a time zone.
 * @example dateIn('Asia/Tokyo', new Date('2026-01-31T20:00:00Z')) // '2026-02-01'
 */
export function dateIn(timeZone: string, instant: Date): string {
  return new Date(clockAt(instant.getTime(), timeZone)).toISOString().slice(0, 10);
}

/** A day some days later. @example addDays('2026-02-28', 1) // '2026-03-01' */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * The instant at which the clocks of a time zone show a time of a day. When the clocks are put back they show it twice: `which` of
 * them is meant. When they are put forward they skip it: then it is as much later as they skip, as in iCalendar.
 * https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5
 *
 * @param minutes since midnight on the clocks, 0 to 1440
 * @example instantOf('2026-03-29', 150, 'Europe/Berlin', 'earlier') // 02:30 is skipped: 03:30, which is 01:30 UTC
 */
export function instantOf(date: string, minutes: number, timeZone: string, which: 'earlier' | 'later'): Date {
  const clock = Date.parse(date) + minutes * 60_000;
  const before = clock - offsetAt(clock - DAY_MS, timeZone);
  const after = clock - offsetAt(clock + DAY_MS, timeZone);
  const shown = [before, after].filter((instant) => clockAt(instant, timeZone) === clock).toSorted((a, b) => a - b);
  return new Date((which === 'earlier' ? shown[0] : shown.at(-1)) ?? before);
}

/** How far the clocks are ahead of UTC. */
function offsetAt(instant: number, timeZone: string): number {
  return clockAt(instant, timeZone) - instant;
}
