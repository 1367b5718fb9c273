import { ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReserved } from '@millrace/inventory/events';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { PaymentProcessed } from '@millrace/payments/events';
import { defineProjection } from '../projection.ts';

/** From the first to the last: sessions that looked at a product, and then orders. Views come by their stream, not by an event. */
export const steps = ['viewed', 'placed', 'reserved', 'paid', 'shipped', 'confirmed'] as const;

const stepOf = {
  [OrderPlaced.analytics.detailType]: 'placed',
  [StockReserved.analytics.detailType]: 'reserved',
  [PaymentProcessed.analytics.detailType]: 'paid',
  [ShipmentCreated.analytics.detailType]: 'shipped',
  [OrderConfirmed.analytics.detailType]: 'confirmed',
} as const satisfies Record<string, (typeof steps)[number]>;

/** How many orders came to which step. */
export const funnel = defineProjection(
  'funnel',
  [
    OrderPlaced.analytics,
    StockReserved.analytics,
    PaymentProcessed.analytics,
    ShipmentCreated.analytics,
    OrderConfirmed.analytics,
  ],
  ({ detailType }) => ({ [stepOf[detailType]]: 1 }),
);
