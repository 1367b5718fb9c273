import { PermanentError } from '@millrace/errors';
import type { OrderSnapshot } from '@millrace/orders/events';
import type { SlotOrder } from '../adapters/slot-orders.ts';

/**
 * What an order wants of a slot.
 * @throws PermanentError ORDER_WITHOUT_SLOT for an order that the filter of the consumer should have left out
 */
export function slotOrderOf({ orderId, slotId, customer }: OrderSnapshot): SlotOrder {
  if (slotId === undefined) throw new PermanentError('ORDER_WITHOUT_SLOT', 'The order names no slot');
  return { orderId, slotId, holder: customer.id };
}
