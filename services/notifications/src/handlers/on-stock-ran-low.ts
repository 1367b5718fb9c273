import { consume } from '@millrace/consumer';
import { idempotencyMarks } from '@millrace/consumer/idempotency';
import { StockRanLow } from '@millrace/inventory/events';
import { emailAddressFrom } from '../adapters/email-address.ts';
import { notifierFromEnvironment } from '../adapters/notifier.ts';
import { messagesToOperations } from '../domain/message.ts';

const notifier = notifierFromEnvironment();
const operations = emailAddressFrom('MILLRACE_OPERATIONS_EMAIL');

/** Tells operations that a SKU runs out. */
export const handler = consume(
  [StockRanLow],
  (event, context) => notifier.send(messagesToOperations(event, operations), context),
  { deduplication: idempotencyMarks() },
);
