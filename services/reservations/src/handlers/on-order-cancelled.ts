import { consume } from '@millrace/consumer';
import { OrderCancelled } from '@millrace/orders/events';
import { slotOrdersFromEnvironment } from '../adapters/slot-orders.ts';

const slotOrders = slotOrdersFromEnvironment();

/** Frees the slot of a cancelled order, or makes sure that it gets none. */
export const handler = consume([OrderCancelled], ({ data }, { cause, inbox }) => {
  const { orderId, slotId, customer } = data;
  return slotOrders.release({ orderId, slotId, holder: customer.id }, cause, inbox);
});
