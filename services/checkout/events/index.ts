import { defineEvent } from '@millrace/events';
import { checkoutOrder, exampleOrder, orderSnapshot } from '@millrace/orders/events';
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

/** Holds nothing personal: approvers may look up the rest. */
export const CheckoutApprovalRequested = defineEvent({
  name: 'CheckoutApprovalRequested',
  version: 1,
  service: 'checkout',
  category: 'domain',
  type: 'status',
  summary: 'A checkout waits for a person to approve it; without an answer it is cancelled.',
  data: z.object({
    checkoutId: z.string(),
    status: z.literal('AWAITING_APPROVAL'),
    total: orderSnapshot.shape.total,
    requestedAt: z.iso.datetime(),
    /** Until when an answer counts. */
    expiresAt: z.iso.datetime(),
  }),
  example: {
    checkoutId: exampleOrder.orderId,
    status: 'AWAITING_APPROVAL',
    total: { amount: 150_000, currency: 'EUR' },
    requestedAt: '2099-01-15T09:30:00.000Z',
    expiresAt: '2099-01-16T09:30:00.000Z',
  },
  analytics: { fields: ['checkoutId', 'total.amount', 'total.currency', 'requestedAt', 'expiresAt'] },
});
