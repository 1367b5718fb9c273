import * as z from 'zod';

const HOUR_MS = 60 * 60 * 1000;

const minute = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/, { error: 'expected a minute in UTC such as 2026-01-31T12:00Z', abort: true })
  // `Date` takes February 30 for March 2, and 24:00 for the next day.
  .refine((text) => new Date(Date.parse(text)).toJSON()?.startsWith(text.slice(0, -1)), {
    error: 'there is no such minute',
    abort: true,
  })
  .transform((text) => text.slice(0, -1));

/**
 * The query of a route that answers with minutes: `from`, which is in the range, and `to`, which is not. The minutes come without
 * their `Z`, as items of a table have them.
 * @param more other parameters
 * @param maxHours the longest range
 * @example const query = minuteRange({}, 24);
 */
export function minuteRange<Shape extends z.ZodRawShape>(more: Shape, maxHours: number) {
  return z.strictObject({ ...more, from: minute, to: minute }).superRefine((query, context) => {
    const { from, to } = query as unknown as { from: string; to: string };
    const length = Date.parse(`${to}Z`) - Date.parse(`${from}Z`);
    if (length > 0 && length <= maxHours * HOUR_MS) return;
    const message = length > 0 ? `expected at most ${maxHours} hours after from` : 'expected a minute after from';
    context.addIssue({ code: 'custom', path: ['to'], message });
  });
}
