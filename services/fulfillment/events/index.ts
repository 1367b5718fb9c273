import { defineEvent } from '@millrace/events';
import { address, exampleOrder, orderLine } from '@millrace/orders/events';
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
