import { consume } from '@millrace/consumer';
import { OrderCancelled } from '@millrace/orders/events';
import { paymentsFromEnvironment } from '../adapters/payments.ts';

const payments = paymentsFromEnvironment();

/** Gives the customer's money back, or sees to it that none is taken. */
export const handler = consume([OrderCancelled], (event, { cause, inbox }) =>
  payments.cancel(event.data, cause, inbox),
);
