import { consume } from '@millrace/consumer';
import { PaymentProcessed } from '@millrace/payments/events';
import { shipmentsFromEnvironment } from '../adapters/shipments.ts';

const shipments = shipmentsFromEnvironment();

/** Creates the shipment of a paid order. */
export const handler = consume([PaymentProcessed], (event, { cause, inbox }) =>
  shipments.ship(event.data, cause, inbox),
);
