import { consume } from '@millrace/consumer';
import { tableFromEnvironment } from '@millrace/event-store';
import { OrderConfirmed } from '@millrace/orders/events';
import { Shipments } from '../adapters/shipments.ts';

const shipments = new Shipments(tableFromEnvironment());

/** Lets the goods of an order be handed over that is picked up: from now on it cannot be cancelled. */
export const handler = consume([OrderConfirmed], (event, { cause, inbox }) =>
  shipments.confirmOrder(event.data.orderId, cause, inbox),
);
