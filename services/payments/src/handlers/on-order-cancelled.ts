import { consume } from '@millrace/consumer';
import { OrderCancelled } from '@millrace/orders/events';
import { paymentsFromEnvironment } from '../adapters/payments.ts';

const payments = paymentsFromEnvironment();

/** Gives the customer's money back, or makes sure that none is taken. Comes back until either is certain. */
export const handler = consume([OrderCancelled], (event, { cause, inbox }) =>
  payments.cancel(event.data, cause, inbox),
);
