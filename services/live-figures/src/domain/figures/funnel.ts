import { ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReserved } from '@millrace/inventory/events';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { PaymentProcessed } from '@millrace/payments/events';
import { defineProjection } from '../projection.ts';

/** What an order passes, from the first to the last. */
export const steps = ['placed', 'reserved', 'paid', 'shipped', 'confirmed'] as const;

const stepOf = {
  [OrderPlaced.detailType]: 'placed',
  [StockReserved.detailType]: 'reserved',
  [PaymentProcessed.detailType]: 'paid',
  [ShipmentCreated.detailType]: 'shipped',
  [OrderConfirmed.detailType]: 'confirmed',
} as const satisfies Record<string, (typeof steps)[number]>;

/** How many orders came to which step. */
export const funnel = defineProjection(
  'funnel',
  [OrderPlaced, StockReserved, PaymentProcessed, ShipmentCreated, OrderConfirmed],
  ({ detailType }) => ({ [stepOf[detailType]]: 1 }),
);
