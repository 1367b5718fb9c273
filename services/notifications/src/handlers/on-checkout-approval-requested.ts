import { CheckoutApprovalRequested } from '@millrace/checkout/events';
import { consume } from '@millrace/consumer';
import { idempotencyMarks } from '@millrace/consumer/idempotency';
import { emailAddressFrom } from '../adapters/email-address.ts';
import { notifierFromEnvironment } from '../adapters/notifier.ts';
import { messagesToApprovers } from '../domain/message.ts';

const notifier = notifierFromEnvironment();
const approvers = emailAddressFrom('MILLRACE_APPROVERS_EMAIL');

/** Tells approvers that a checkout waits for them. */
export const handler = consume(
  [CheckoutApprovalRequested],
  (event, context) => notifier.send(messagesToApprovers(event, approvers, new Date()), context),
  { deduplication: idempotencyMarks() },
);
