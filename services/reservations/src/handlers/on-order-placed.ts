import { consume } from '@millrace/consumer';
import { OrderPlaced } from '@millrace/orders/events';
import { slotOrdersFromEnvironment } from '../adapters/slot-orders.ts';
import { slotOrderOf } from './slot-order.ts';

const slotOrders = slotOrdersFromEnvironment();

/** Gives an order the slot that it names, if its customer has reserved it. */
export const handler = consume([OrderPlaced], ({ data }, { cause, inbox }) =>
  slotOrders.assign(slotOrderOf(data), cause, inbox),
);
