import { minuteRange } from '@millrace/http';
import * as z from 'zod';
import { cohortUnits } from './cohorts.ts';
import { projections } from './figures/index.ts';

const MAX_HOURS = 24;
const MAX_SKUS = 100;
const MAX_SESSIONS = 100;
const MAX_DAYS = 731;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Views come by their stream, and so have no projection. */
const names = ['views', ...projections.map(({ name }) => name)] as const;

/** The query of figures of some time: `from` is in the range and `to` is not. */
export const rangeQuery = minuteRange({}, MAX_HOURS);

/** The query of `GET /analytics/series`. */
export const seriesQuery = minuteRange(
  { of: z.enum(names, `expected one of ${names.join(', ')}`).default('orders') },
  MAX_HOURS,
);

/** The query of `GET /analytics/top`. */
export const topQuery = minuteRange(
  {
    limit: z
      .string()
      .regex(/^([1-9]\d?|100)$/, `expected a number from 1 to ${MAX_SKUS}`)
      .transform(Number)
      .default(10),
  },
  MAX_HOURS,
);

/** Where a session is in the list of its day: `2026-01-31T12:00:00.000Z#<session>`, a UUID as the visitor wrote it, in either case. */
function isSessionPlace(text: string): boolean {
  const [time = '', ...rest] = text.split('#');
  // A time that is not there, such as one of January 32, is in no day that could be read.
  return new Date(time).toJSON() === time && z.uuid().safeParse(rest.join('#')).success;
}

/** What continues a list of sessions behind a place: opaque to callers. */
export function cursorOf(place: string): string {
  return Buffer.from(place).toString('base64url');
}

/** The query of `GET /analytics/sessions`: those that began in the range, page by page. */
export const sessionsQuery = minuteRange(
  {
    limit: z
      .string()
      .regex(/^([1-9]\d?|100)$/, `expected a number from 1 to ${MAX_SESSIONS}`)
      .transform(Number)
      .default(20),
    cursor: z
      .string()
      .max(128)
      .transform((cursor, context) => {
        const place = Buffer.from(cursor, 'base64url').toString();
        if (isSessionPlace(place) && cursorOf(place) === cursor) return place;
        context.addIssue({ code: 'custom', message: 'expected the cursor of an earlier answer' });
        return z.NEVER;
      })
      .optional(),
  },
  MAX_HOURS,
).superRefine(({ from, to, cursor }, context) => {
  if (cursor === undefined || (cursor >= from && cursor < to)) return;
  const message = 'expected a cursor of a page with the same from and to';
  context.addIssue({ code: 'custom', path: ['cursor'], message });
});

const day = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, { error: 'expected a day in UTC such as 2026-01-31', abort: true })
  .refine((text) => new Date(`${text}T00:00Z`).toJSON()?.startsWith(text), { error: 'there is no such day' });

/** The query of `GET /analytics/cohorts`: `from` is in the range and `to` is not. */
export const cohortsQuery = z
  .strictObject({
    from: day,
    to: day,
    by: z.enum(cohortUnits, `expected one of ${cohortUnits.join(', ')}`).default('month'),
  })
  .superRefine(({ from, to }, context) => {
    const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
    if (days > 0 && days <= MAX_DAYS) return;
    const message = days > 0 ? `expected at most ${MAX_DAYS} days after from` : 'expected a day after from';
    context.addIssue({ code: 'custom', path: ['to'], message });
  });
