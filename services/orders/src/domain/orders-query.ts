import * as z from 'zod';
import { customer } from '../../events/index.ts';
import type { OrderStatus } from './order.ts';

const statuses = ['PLACED', 'CONFIRMED', 'CANCELLED'] as const satisfies readonly OrderStatus[];

/** The `sort` of a row of orders-by-customer. */
const place = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[^\0]+$/;

/** The query parameters of `GET /orders`. */
export const ordersQuery = z.strictObject({
  /** Whose orders; the caller's unless given. */
  customer: customer.shape.id.optional(),
  status: z.enum(statuses, `expected one of ${statuses.join(', ')}`).optional(),
  cursor: z
    .string()
    .max(1024)
    .transform((cursor, context) => {
      const sort = Buffer.from(cursor, 'base64url').toString();
      if (place.test(sort) && cursorOf(sort) === cursor) return sort;
      context.addIssue({ code: 'custom', message: 'expected the cursor of an earlier answer' });
      return z.NEVER;
    })
    .optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'expected a number from 1 to 100')
    .transform(Number)
    .default(20),
});

/** What continues a list behind a row: opaque to callers. */
export function cursorOf(sort: string): string {
  return Buffer.from(sort).toString('base64url');
}
