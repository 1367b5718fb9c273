import { consume } from '@millrace/consumer';
import { idempotencyMarks } from '@millrace/consumer/idempotency';
import { OrderCancelled, OrderConfirmed, OrderSwitchedToDelivery } from '@millrace/orders/events';
import { notifierFromEnvironment } from '../adapters/notifier.ts';
import { messagesToCustomer } from '../domain/message.ts';

const notifier = notifierFromEnvironment();

/** Tells the customer how the order ended, and when it is sent instead of picked up. The contact is that of the order. */
export const handler = consume(
  [OrderConfirmed, OrderCancelled, OrderSwitchedToDelivery],
  (event, context) => notifier.send(messagesToCustomer(event), context),
  { deduplication: idempotencyMarks() },
);
