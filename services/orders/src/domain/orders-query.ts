import { cursorParameter, limitParameter } from '@millrace/http';
import * as z from 'zod';
import { customer } from '../../events/index.ts';
import type { OrderStatus } from './order.ts';

const statuses = ['PLACED', 'CONFIRMED', 'CANCELLED'] as const satisfies readonly OrderStatus[];

/** The query parameters of `GET /orders`. */
export const ordersQuery = z.strictObject({
  /** Whose orders; the caller's unless given. */
  customer: customer.shape.id.optional(),
  status: z.enum(statuses, `expected one of ${statuses.join(', ')}`).optional(),
  /** The `sort` of a row of orders-by-customer. */
  cursor: cursorParameter(z.string().regex(/^[^\0]+$/)).optional(),
  limit: limitParameter(20),
});
