import { ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReserved } from '@millrace/inventory/events';
import { OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { PaymentProcessed } from '@millrace/payments/events';
import { defineProjection } from '../projection.ts';

/** What an order passes, from the first to the last. */
export const steps = ['placed', 'reserved', 'paid', 'shipped', 'confirmed'] as const;

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
