import { consume } from '@millrace/consumer';
import { OrderPlaced } from '@millrace/orders/events';
import { slotOrdersFromEnvironment } from '../adapters/slot-orders.ts';

const slotOrders = slotOrdersFromEnvironment();

/** Gives an order the slot that it names, if its customer has reserved it. */
export const handler = consume([OrderPlaced], ({ data }, { cause, inbox }) => {
  const { orderId, slotId, customer } = data;
  return slotOrders.assign({ orderId, slotId, holder: customer.id }, cause, inbox);
});
