import { HttpError } from '@millrace/http';
import * as z from 'zod';

/** The path parameters of every route below `/checkouts/{checkoutId}`. */
export const checkoutPath = z.object({ checkoutId: z.guid('expected a UUID') });

/** The answer for a checkout that does not exist, and for another customer's: they are not to be told apart. */
export function checkoutNotFound(): HttpError {
  const detail = 'There is no such checkout';
  return new HttpError(404, 'CHECKOUT_NOT_FOUND', detail, [{ field: 'checkoutId', detail }]);
}
