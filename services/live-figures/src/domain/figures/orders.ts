import { OrderCancelled, OrderConfirmed, OrderPlaced } from '@millrace/orders/events';
import { defineProjection } from '../projection.ts';

/** Orders, and cancellations by their reason. */
export const orders = defineProjection(
  'orders',
  [OrderPlaced.analytics, OrderConfirmed.analytics, OrderCancelled.analytics],
  (event) => {
    switch (event.detailType) {
      case 'OrderPlaced.v1':
        return { placed: 1 };
      case 'OrderConfirmed.v1':
        return { confirmed: 1 };
      case 'OrderCancelled.v1':
        return { cancelled: 1, [`cancelled.${event.data.reason}`]: 1 };
    }
  },
);
