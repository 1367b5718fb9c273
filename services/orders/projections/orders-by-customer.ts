import { defineProjection } from '@millrace/projections';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderHandedOver,
  OrderPlaced,
  OrderSwitchedToDelivery,
} from '../events/index.ts';
import type { OrderStatus } from '../src/domain/order.ts';
import type { PickUpStatus } from '../src/domain/pick-up.ts';
import { pickUpAfter } from './pick-up-after.ts';

/** A line in the list of a customer's orders. */
export interface CustomerOrder {
  orderId: string;
  status: OrderStatus;
  /** In minor units. */
  total: { amount: number; currency: string };
  /** ISO 8601 in UTC. */
  placedAt: string;
  /** Of an order with a slot. */
  pickUp?: PickUpStatus;
}

/** A partition for each customer, in the order of placing: `<placedAt>#<orderId>`. */
export const ordersByCustomer = defineProjection({
  name: 'orders-by-customer',
  events: [OrderPlaced, OrderConfirmed, OrderCancelled, OrderHandedOver, OrderSwitchedToDelivery],
  late: 'drop',
  // Later events do not say when the order was placed.
  keyOf: ({ data, metadata }, earlier) =>
    earlier ?? { partition: data.customer.id, sort: `${metadata.timestamp}#${data.orderId}` },
  evolve: (row: CustomerOrder | undefined, event): CustomerOrder => ({
    orderId: event.data.orderId,
    // An order may switch to delivery before it is confirmed.
    status: statusAfter[event.detailType] ?? row?.status ?? 'PLACED',
    total: event.data.total,
    placedAt: row?.placedAt ?? event.metadata.timestamp,
    ...pickUpAfter(row, event),
  }),
});

const statusAfter = {
  'OrderPlaced.v1': 'PLACED',
  'OrderConfirmed.v1': 'CONFIRMED',
  'OrderCancelled.v1': 'CANCELLED',
  'OrderHandedOver.v1': 'CONFIRMED',
  'OrderSwitchedToDelivery.v1': undefined,
} as const satisfies Record<string, OrderStatus | undefined>;
