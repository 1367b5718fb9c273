import { consume } from '@millrace/consumer';
import { OrderCancelled } from '@millrace/orders/events';
import { shipmentsFromEnvironment } from '../adapters/shipments.ts';

const shipments = shipmentsFromEnvironment();

/** Recalls the shipment of a cancelled order, or makes sure that there will be none. */
export const handler = consume([OrderCancelled], (event, { cause, inbox }) =>
  shipments.recall(event.data.orderId, cause, inbox),
);
