import * as z from 'zod';
import { placeOf } from './cursor.ts';

const MAX_DAYS = 31;
const MAX_RANGE_MS = MAX_DAYS * 24 * 60 * 60 * 1000;
/** The place of an event with the longest id that DynamoDB takes, as base64. */
const MAX_CURSOR_LENGTH = 1400;

const time = z.iso
  .datetime({ error: 'expected a time in UTC such as 2026-01-31T12:00:00Z', abort: true })
  .transform((text) => new Date(text));

const place = z
  .string()
  .max(MAX_CURSOR_LENGTH, { abort: true })
  .transform((cursor, context) => {
    const found = placeOf(cursor);
    if (found !== undefined) return found;
    context.addIssue('expected the cursor of a page of this route');
    return z.NEVER;
  });

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
    cursor: place.optional(),
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
