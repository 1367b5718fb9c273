import { cursorParameter, limitParameter, minuteRange } from '@millrace/http';
import * as z from 'zod';
import { cohortUnits } from './cohorts.ts';
import { projections } from './figures/index.ts';

const MAX_HOURS = 24;
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
export const topQuery = minuteRange({ limit: limitParameter(10) }, MAX_HOURS);

/** The query of `GET /analytics/sessions`: those that began in the range, page by page. */
export const sessionsQuery = minuteRange(
  // A session is a UUID as the visitor wrote it, in either case.
  { limit: limitParameter(20), cursor: cursorParameter(z.uuid()).optional() },
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
