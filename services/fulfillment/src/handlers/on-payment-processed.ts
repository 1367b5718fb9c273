import { consume } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { PaymentProcessed } from '@millrace/payments/events';
import { Shipments } from '../adapters/shipments.ts';

const shipments = new Shipments(tableFromEnvironment());

/** Creates the shipment of a paid order. */
export const handler = consume([PaymentProcessed], (event, { cause, inbox }) =>
  shipments.ship(event.data, cause, inbox),
);
