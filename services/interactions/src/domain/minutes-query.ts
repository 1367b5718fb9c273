import * as z from 'zod';

const MAX_HOURS = 24;
const MAX_RANGE_MS = MAX_HOURS * 60 * 60 * 1000;

const minute = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/, { error: 'expected a minute in UTC such as 2026-01-31T12:00Z', abort: true })
  .refine((text) => !Number.isNaN(Date.parse(text)), { error: 'there is no such minute', abort: true })
  .transform((text) => text.slice(0, -1));

/** The query of `GET /interactions/minutes`. `from` is in the range and `to` is not. */
export const minutesQuery = z.strictObject({ from: minute, to: minute }).superRefine(({ from, to }, context) => {
  const length = Date.parse(`${to}Z`) - Date.parse(`${from}Z`);
  if (length > 0 && length <= MAX_RANGE_MS) return;
  const message = length > 0 ? `expected at most ${MAX_HOURS} hours after from` : 'expected a minute after from';
  context.addIssue({ code: 'custom', path: ['to'], message });
});
