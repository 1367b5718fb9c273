import { defineEvent } from '@millrace/events';
import { address, exampleOrder, orderLine, pickUpFailure } from '@millrace/orders/events';
import * as z from 'zod';

export const ShipmentCreated = defineEvent({
  name: 'ShipmentCreated',
  version: 1,
  service: 'fulfillment',
  category: 'domain',
  type: 'data',
  summary: 'A shipment with a tracking number exists for the paid order.',
  data: z.object({
    orderId: z.string(),
    shipmentId: z.string(),
    trackingNumber: z.string(),
    shippingAddress: address,
    lines: z.array(orderLine).min(1),
  }),
  example: {
    orderId: exampleOrder.orderId,
    shipmentId: '3f0c5b1e-2d55-4a52-8a6c-b1f0c0de0001',
    trackingNumber: 'MR0B9F6C1E5A43',
    shippingAddress: exampleOrder.shippingAddress,
    lines: exampleOrder.lines,
  },
  analytics: { fields: ['orderId', 'shipmentId'] }, // trackingNumber leads to an address at the carrier
});

const ofPickUp = z.object({ orderId: z.string(), slotId: z.guid() });
const examplePickUp = { orderId: exampleOrder.orderId, slotId: '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01' };
const exampleShipmentId = '3f0c5b1e-2d55-4a52-8a6c-b1f0c0de0001';

export const PickUpReady = defineEvent({
  name: 'PickUpReady',
  version: 1,
  service: 'fulfillment',
  category: 'domain',
  type: 'data',
  summary: 'The goods of the paid order lie ready to be picked up. There is no parcel.',
  data: ofPickUp.extend({ shipmentId: z.string(), lines: z.array(orderLine).min(1) }),
  example: { ...examplePickUp, shipmentId: exampleShipmentId, lines: exampleOrder.lines },
  analytics: { fields: ['orderId', 'slotId', 'shipmentId'] },
});

export const PickUpHandedOver = defineEvent({
  name: 'PickUpHandedOver',
  version: 1,
  service: 'fulfillment',
  category: 'domain',
  type: 'data',
  summary: 'The customer has the goods of the order.',
  data: ofPickUp.extend({ shipmentId: z.string() }),
  example: { ...examplePickUp, shipmentId: exampleShipmentId },
  analytics: { fields: ['orderId', 'slotId', 'shipmentId'] },
});

export const PickUpFailed = defineEvent({
  name: 'PickUpFailed',
  version: 1,
  service: 'fulfillment',
  category: 'domain',
  type: 'data',
  summary: 'The order will not be picked up: as soon as it is paid, a parcel with its goods leaves for its address.',
  data: ofPickUp.extend({ reason: pickUpFailure }),
  example: { ...examplePickUp, reason: 'UNATTENDED' },
  analytics: { fields: ['orderId', 'slotId', 'reason'] },
});
