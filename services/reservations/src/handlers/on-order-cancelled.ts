import { consume } from '@millrace/consumer';
import { OrderCancelled } from '@millrace/orders/events';
import { slotOrdersFromEnvironment } from '../adapters/slot-orders.ts';
import { slotOrderOf } from './slot-order.ts';

const slotOrders = slotOrdersFromEnvironment();

/** Frees the slot of a cancelled order, or makes sure that it gets none. */
export const handler = consume([OrderCancelled], ({ data }, { cause, inbox }) =>
  slotOrders.release(slotOrderOf(data), cause, inbox),
);
