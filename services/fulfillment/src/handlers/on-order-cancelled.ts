import { consume } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { OrderCancelled } from '@millrace/orders/events';
import { Shipments } from '../adapters/shipments.ts';

const shipments = new Shipments(tableFromEnvironment());

/** Recalls the shipment of a cancelled order, or makes sure that there will be none. */
export const handler = consume([OrderCancelled], (event, { cause, inbox }) =>
  shipments.recall(event.data.orderId, cause, inbox),
);
