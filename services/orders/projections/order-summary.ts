import { defineProjection } from '@millrace/projections';
import { OrderCancelled, OrderConfirmed, OrderPlaced } from '../events/index.ts';
import type { OrderStatus } from '../src/domain/order.ts';

/** An order at a glance; nothing personal. */
export interface OrderSummary {
  orderId: string;
  customerId: string;
  status: OrderStatus;
  /** In minor units. */
  total: { amount: number; currency: string };
  /** How many pieces of how many SKUs. */
  pieces: number;
  skus: number;
  /** ISO 8601 in UTC, as every time here. */
  placedAt: string;
  updatedAt: string;
  trackingNumber?: string;
  cancellationReason?: string;
}

/** One row for each order, by its id. */
export const orderSummary = defineProjection({
  name: 'order-summary',
  events: [OrderPlaced, OrderConfirmed, OrderCancelled],
  late: 'drop',
  keyOf: ({ data }) => ({ partition: data.orderId, sort: 'SUMMARY' }),
  evolve: (row: OrderSummary | undefined, { detailType, data, metadata }): OrderSummary => {
    const summary = {
      orderId: data.orderId,
      customerId: data.customer.id,
      total: data.total,
      pieces: data.lines.reduce((sum, { quantity }) => sum + quantity, 0),
      skus: data.lines.length,
      placedAt: row?.placedAt ?? metadata.timestamp,
      updatedAt: metadata.timestamp,
    };
    switch (detailType) {
      case 'OrderPlaced.v1':
        return { ...summary, status: 'PLACED' };
      case 'OrderConfirmed.v1':
        return { ...summary, status: 'CONFIRMED', trackingNumber: data.trackingNumber };
      case 'OrderCancelled.v1':
        return { ...summary, status: 'CANCELLED', cancellationReason: data.reason };
    }
  },
});
