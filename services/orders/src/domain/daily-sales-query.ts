import * as z from 'zod';

/** The longest report: a quarter of a year. */
const MAX_DAYS = 92;

const day = z.iso.date({ error: 'expected a day such as 2026-01-31', abort: true });

/** The query parameters of `GET /reports/daily-sales`: the first and the last day, in UTC, both included. */
export const dailySalesQuery = z.strictObject({ from: day, to: day }).superRefine(({ from, to }, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['to'], message });
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1;
  if (days < 1) refuse('expected a day that is not before from');
  else if (days > MAX_DAYS) refuse(`the range must be at most ${MAX_DAYS} days`);
});
