import * as z from 'zod';

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const;
const MINUTES_A_DAY = 1440;

const clockTime = z
  .string()
  .regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'expected a time such as 09:30, or 24:00 for the end of the day')
  .transform((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));

/** Times on the clocks of the location, e.g. `09:00-18:30`. */
const interval = z
  .string()
  .transform((text) => text.split('-'))
  .pipe(z.tuple([clockTime, clockTime], 'expected opening and closing times such as 09:00-18:30'))
  .transform(([opens, closes]) => ({ opens, closes }))
  .refine(({ opens, closes }) => opens < closes, 'must close after it opens; write 24:00 for the end of the day');

const hours = z
  .array(interval)
  .max(10)
  .refine(
    (intervals) => intervals.every(({ opens }, index) => index === 0 || opens >= (intervals[index - 1]?.closes ?? 0)),
    'must be in order and must not overlap',
  );

const location = z.strictObject({
  /** In URLs and events, so it must never change. */
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case letters, digits and dashes')
    .max(64),
  name: z.string().min(1).max(100),
  timeZone: z.string().refine(isTimeZone, 'expected an IANA time zone such as Europe/Berlin'),
  slotMinutes: z.int().min(5, 'at least 5').max(240, 'at most 240'),
  /** By weekday; a day that is missing is a day on which it is closed. */
  openingHours: z.partialRecord(z.enum(weekdays), hours),
  /** Days with other hours, or none: `'2026-12-25': []`. */
  specialDays: z.record(z.iso.date(), hours).default({}),
});

/** A place with slots. */
export type Location = z.output<typeof location>;

const locationList = z.array(location).superRefine((locations, context) => {
  locations.forEach(({ id, slotMinutes, openingHours, specialDays }, index) => {
    const refuse = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: 'custom', path: [index, ...path], message });
    if (locations.findIndex((other) => other.id === id) < index) refuse(['id'], 'another location has this id');
    for (const [field, days] of Object.entries({ openingHours, specialDays })) {
      for (const [day, intervals] of Object.entries(days)) {
        if (intervals?.some(({ opens, closes }) => closes - opens < slotMinutes))
          refuse([field, day], 'must be long enough for a slot');
      }
    }
  });
});

/**
 * Checks the configuration of the locations.
 * @throws Error that names each invalid field, e.g. `locations[0].timeZone: expected an IANA time zone such as Europe/Berlin`
 * @example defineLocations([{ id: 'berlin-mitte', name: 'Berlin Mitte', timeZone: 'Europe/Berlin', slotMinutes: 30, openingHours: { monday: ['10:00-19:00'] } }])
 */
export function defineLocations(input: z.input<typeof locationList>): readonly Location[] {
  const result = locationList.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path: [index, ...path], message }) => {
    const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
    return `locations[${String(index)}]${field}: ${message}`;
  });
  throw new Error(`locations.ts is not valid: ${problems.join('; ')}`);
}

/** The opening hours of a day, in minutes on the clocks. */
export function hoursOf({ openingHours, specialDays }: Location, date: string): Location['specialDays'][string] {
  const weekday = weekdays[new Date(date).getUTCDay()];
  return specialDays[date] ?? (weekday && openingHours[weekday]) ?? [];
}

/** Whether a closing time is the end of the day, and so the beginning of the next. */
export function isEndOfDay(minutes: number): boolean {
  return minutes === MINUTES_A_DAY;
}

function isTimeZone(name: string): boolean {
  try {
    // An offset such as +01:00 is accepted here too, and knows no daylight saving.
    return !/^[+-]/.test(name) && new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
