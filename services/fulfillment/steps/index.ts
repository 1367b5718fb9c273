import { checkoutOrder } from '@millrace/orders/events';
import { type StepContract, StepRefusal } from '@millrace/steps';
import * as z from 'zod';

const input = z.object({ order: checkoutOrder });

/** Creates the shipment of an order once. Refuses with ShipmentEnded for an order that is not to be shipped any more. */
export const createShipmentForCheckout = {
  name: 'fulfillment.createShipmentForCheckout',
  input,
  output: z.object({ shipmentId: z.string(), trackingNumber: z.string() }),
} as const satisfies StepContract;

/** Recalls the shipment of an order, or makes sure that there will be none. */
export const recallShipmentForCheckout = {
  name: 'fulfillment.recallShipmentForCheckout',
  input,
} as const satisfies StepContract;

/** The shipment of an order was recalled, or is not to be created any more. */
export class ShipmentEnded extends StepRefusal {
  constructor(orderId: string) {
    super('SHIPMENT_ENDED', `The shipment of order ${orderId} has ended`);
  }
}
