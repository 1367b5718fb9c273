import { cursorParameter } from '@millrace/http';
import * as z from 'zod';

const MAX_DAYS = 31;
const MAX_RANGE_MS = MAX_DAYS * 24 * 60 * 60 * 1000;

const time = z.iso
  .datetime({ error: 'expected a time in UTC such as 2026-01-31T12:00:00Z', abort: true })
  .transform((text) => new Date(text));

/** The query of `GET /events`. `from` is in the range and `to` is not. */
export const eventsQuery = z
  .strictObject({
    from: time,
    to: time,
    /** e.g. `OrderPlaced.v1` */
    type: z
      .string()
      .max(128)
      .regex(/^[A-Z][A-Za-z0-9]*\.v[1-9]\d*$/, 'expected an event with its version such as OrderPlaced.v1')
      .optional(),
    cursor: cursorParameter().optional(),
  })
  .superRefine(({ from, to, cursor }, context) => {
    const refuse = (parameter: string, message: string) =>
      context.addIssue({ code: 'custom', path: [parameter], message });
    if (to <= from) refuse('to', 'expected a time after from');
    else if (to.getTime() - from.getTime() > MAX_RANGE_MS) refuse('to', `expected at most ${MAX_DAYS} days after from`);
    else if (cursor !== undefined && (cursor < from.toISOString() || cursor >= to.toISOString())) {
      refuse('cursor', 'expected a cursor of a page with the same from and to');
    }
  });
