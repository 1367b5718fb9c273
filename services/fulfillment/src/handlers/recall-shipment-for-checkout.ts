import { tableFromEnvironment } from '@millrace/event-store';
import { ignoringDuplicates, step } from '@millrace/steps';
import { recallShipmentForCheckout } from '../../steps/index.ts';
import { Shipments } from '../adapters/shipments.ts';

const shipments = new Shipments(tableFromEnvironment());

/** Recalls the shipment of an order whose checkout is undone, or makes sure that there will be none. */
export const handler = step(recallShipmentForCheckout, async ({ order: { orderId } }, { cause, inbox }) => {
  await ignoringDuplicates(shipments.recall(orderId, cause, inbox));
});
