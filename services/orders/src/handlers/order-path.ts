import { HttpError } from '@millrace/http';
import * as z from 'zod';

/** The path parameters of every route below `/orders/{orderId}`. */
export const orderPath = z.object({ orderId: z.guid('expected a UUID') });

/** The answer for an order that does not exist, and for another customer's: they are not to be told apart. */
export function orderNotFound(): HttpError {
  const detail = 'There is no such order';
  return new HttpError(404, 'ORDER_NOT_FOUND', detail, [{ field: 'orderId', detail }]);
}
