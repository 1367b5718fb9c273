import { defineEvent } from '@millrace/events';
import { exampleOrder, money, orderSnapshot } from '@millrace/orders/events';
import * as z from 'zod';

export const PaymentProcessed = defineEvent({
  name: 'PaymentProcessed',
  version: 1,
  service: 'payments',
  category: 'domain',
  type: 'data',
  summary: 'The provider took the money for the order.',
  data: orderSnapshot.extend({
    /** The provider's identifier of the charge. */
    paymentId: z.string(),
  }),
  example: { ...exampleOrder, paymentId: 'ch_5f1c0d' },
  analytics: { fields: ['orderId', 'total.amount', 'total.currency'] }, // paymentId leads to a card at the provider
});

export const PaymentFailed = defineEvent({
  name: 'PaymentFailed',
  version: 1,
  service: 'payments',
  category: 'domain',
  type: 'data',
  summary: 'The provider refused the charge for good.',
  data: z.object({
    orderId: z.string(),
    /** The provider's reason, e.g. `card_declined`. */
    reason: z.string(),
    amount: money,
    /** Of the order. */
    process: orderSnapshot.shape.process,
  }),
  example: { orderId: exampleOrder.orderId, reason: 'card_declined', amount: exampleOrder.total },
  analytics: { fields: ['orderId', 'reason', 'amount.amount', 'amount.currency'] },
});

export const PaymentRefunded = defineEvent({
  name: 'PaymentRefunded',
  version: 1,
  service: 'payments',
  category: 'domain',
  type: 'data',
  summary: 'The money of a cancelled order went back to the customer.',
  data: z.object({ orderId: z.string(), paymentId: z.string(), refundId: z.string(), amount: money }),
  example: { orderId: exampleOrder.orderId, paymentId: 'ch_5f1c0d', refundId: 're_9a3b17', amount: exampleOrder.total },
  analytics: { fields: ['orderId', 'amount.amount', 'amount.currency'] },
});
