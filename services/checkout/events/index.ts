import { defineEvent } from '@millrace/events';
import { checkoutOrder, exampleOrder } from '@millrace/orders/events';
import * as z from 'zod';

/** Starts the checkout of an order. Its id is that of the order. */
export const StartCheckout = defineEvent({
  name: 'StartCheckout',
  version: 1,
  service: 'checkout',
  category: 'domain',
  type: 'command',
  summary: 'A customer wants an order to be taken through its steps; nothing is placed yet.',
  data: z.object({ order: checkoutOrder }),
  example: { order: { ...exampleOrder, process: 'checkout' } },
});
