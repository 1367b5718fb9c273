import { consume } from '@millrace/consumer';
import { idempotencyMarks } from '@millrace/consumer/idempotency';
import { OrderCancelled, OrderConfirmed } from '@millrace/orders/events';
import { notifierFromEnvironment } from '../adapters/notifier.ts';
import { messagesToCustomer } from '../domain/message.ts';

const notifier = notifierFromEnvironment();

/** Tells the customer how the order ended. */
export const handler = consume(
  [OrderConfirmed, OrderCancelled],
  (event, context) => notifier.send(messagesToCustomer(event), context),
  { deduplication: idempotencyMarks() },
);
