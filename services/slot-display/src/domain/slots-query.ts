import * as z from 'zod';

/** The path parameters of `GET /locations/{locationId}/slots`. */
export const locationPath = z.object({
  locationId: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case letters, digits and dashes')
    .max(64, 'at most 64 characters'),
});

/** The query parameters: a day on the clocks of the location. */
export const slotsQuery = z.strictObject({ date: z.iso.date('expected a day such as 2026-01-31') });
