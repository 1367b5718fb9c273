import { tableFromEnvironment } from '@millrace/event-store';
import { ignoringDuplicates, step } from '@millrace/steps';
import { createShipmentForCheckout, ShipmentEnded } from '../../steps/index.ts';
import { Shipments } from '../adapters/shipments.ts';

const shipments = new Shipments(tableFromEnvironment());

/** Ships an order in checkout. Answers from the shipment, which is the same after a repeated call. */
export const handler = step(createShipmentForCheckout, async ({ order }, { cause, inbox }) => {
  await ignoringDuplicates(shipments.ship(order, cause, inbox));
  const shipment = await shipments.find(order.orderId);
  if (shipment?.status !== 'CREATED') throw new ShipmentEnded(order.orderId);
  const { shipmentId, trackingNumber } = shipment.parcel;
  return { shipmentId, trackingNumber };
});
