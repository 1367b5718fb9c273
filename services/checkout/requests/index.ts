import { checkoutOrder } from '@millrace/orders/events';
import * as z from 'zod';

/** What a pipe hands to `requestCheckouts`, for each message of a batch. */
export const checkoutRequest = z.object({
  /** Of the message that it was made of: by this the function names those that it could not take. */
  messageId: z.string().min(1),
  /** Its id says which checkout it is: the same id again changes nothing. */
  order: checkoutOrder,
});

export type CheckoutRequest = z.output<typeof checkoutRequest>;
