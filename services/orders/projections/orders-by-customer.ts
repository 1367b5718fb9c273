import { defineProjection } from '@millrace/projections';
import { OrderCancelled, OrderConfirmed, OrderPlaced } from '../events/index.ts';
import type { OrderStatus } from '../src/domain/order.ts';

/** A line in the list of a customer's orders. */
export interface CustomerOrder {
  orderId: string;
  status: OrderStatus;
  /** In minor units. */
  total: { amount: number; currency: string };
  /** ISO 8601 in UTC. */
  placedAt: string;
}

/** A partition for each customer, in the order of placing: `<placedAt>#<orderId>`. */
export const ordersByCustomer = defineProjection({
  name: 'orders-by-customer',
  events: [OrderPlaced, OrderConfirmed, OrderCancelled],
  late: 'drop',
  // Later events do not say when the order was placed.
  keyOf: ({ data, metadata }, earlier) =>
    earlier ?? { partition: data.customer.id, sort: `${metadata.timestamp}#${data.orderId}` },
  evolve: (row: CustomerOrder | undefined, { detailType, data, metadata }): CustomerOrder => ({
    orderId: data.orderId,
    status: statusAfter[detailType],
    total: data.total,
    placedAt: row?.placedAt ?? metadata.timestamp,
  }),
});

const statusAfter = {
  'OrderPlaced.v1': 'PLACED',
  'OrderConfirmed.v1': 'CONFIRMED',
  'OrderCancelled.v1': 'CANCELLED',
} as const satisfies Record<string, OrderStatus>;
