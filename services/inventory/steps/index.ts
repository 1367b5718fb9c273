import { checkoutOrder } from '@millrace/orders/events';
import { type StepContract, StepRefusal } from '@millrace/steps';
import * as z from 'zod';

const input = z.object({ order: checkoutOrder });

/**
 * Reserves every line of an order, or none.
 * Refuses with InsufficientInventory, and with ReservationEnded for an order whose stock was released before.
 */
export const reserveStockForCheckout = {
  name: 'inventory.reserveStockForCheckout',
  input,
} as const satisfies StepContract;

/** Gives back what an order holds. An order that holds nothing yet never will. */
export const releaseStockForCheckout = {
  name: 'inventory.releaseStockForCheckout',
  input,
} as const satisfies StepContract;

/** At least one SKU of an order has too little stock, so nothing was reserved. */
export class InsufficientInventory extends StepRefusal {
  constructor(skus: readonly string[]) {
    super('INSUFFICIENT_INVENTORY', `Out of stock: ${skus.join(', ')}`);
  }
}

/** The stock of an order was released, or is not to be reserved any more. */
export class ReservationEnded extends StepRefusal {
  constructor(orderId: string) {
    super('RESERVATION_ENDED', `The reservation of order ${orderId} has ended`);
  }
}
