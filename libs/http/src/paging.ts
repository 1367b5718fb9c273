import * as z from 'zod';

/** The longest sort key that DynamoDB takes has 1,024 bytes. This is its length as base64. */
const MAX_CURSOR_LENGTH = 1_366;

/**
 * Makes the cursor that continues a list behind a place. It is opaque to callers.
 * @param place the time of an item and its id, `2026-01-31T12:00:00.000Z#…`
 * @example return { status: 200, body: { orders, ...(next !== undefined && { cursor: cursorOf(next) }) } };
 */
export function cursorOf(place: string): string {
  return Buffer.from(place).toString('base64url');
}

/**
 * The query parameter `cursor`, which `cursorOf` has made, as the place that it means.
 * @param id what the id of an item may be
 * @example const query = z.strictObject({ cursor: cursorParameter(z.uuid()).optional() });
 */
export function cursorParameter(id: z.ZodType<string> = z.string().min(1)) {
  return z
    .string()
    .max(MAX_CURSOR_LENGTH, { abort: true })
    .transform((cursor, context) => {
      const place = Buffer.from(cursor, 'base64url').toString();
      if (isPlace(place, id) && cursorOf(place) === cursor) return place;
      context.addIssue({ code: 'custom', message: 'expected the cursor of an earlier answer' });
      return z.NEVER;
    });
}

function isPlace(text: string, id: z.ZodType<string>): boolean {
  const [time = '', ...rest] = text.split('#');
  // A time that does not exist, such as one of January 32, is in no day that could be read.
  return new Date(time).toJSON() === time && id.safeParse(rest.join('#')).success;
}

/**
 * The query parameter `limit`: how many items a page has at most, from 1 to 100.
 * @param byDefault when the query has none
 * @example const query = z.strictObject({ limit: limitParameter(20) });
 */
export function limitParameter(byDefault: number) {
  return z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a number from 1 to 100')
    .transform(Number)
    .default(byDefault);
}
