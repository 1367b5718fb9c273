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
  /** Of an order with a slot. */
  pickUp?: PickUpStatus;
  cancellationReason?: string;
}

/** One row for each order, by its id. */
export const orderSummary = defineProjection({
  name: 'order-summary',
  events: [OrderPlaced, OrderConfirmed, OrderCancelled, OrderHandedOver, OrderSwitchedToDelivery],
  late: 'drop',
  keyOf: ({ data }) => ({ partition: data.orderId, sort: 'SUMMARY' }),
  evolve: (row: OrderSummary | undefined, event): OrderSummary => {
    const { detailType, data, metadata } = event;
    const summary = {
      orderId: data.orderId,
      customerId: data.customer.id,
      total: data.total,
      pieces: data.lines.reduce((sum, { quantity }) => sum + quantity, 0),
      skus: data.lines.length,
      placedAt: row?.placedAt ?? metadata.timestamp,
      updatedAt: metadata.timestamp,
      ...pickUpAfter(row, event),
    };
    switch (detailType) {
      case 'OrderPlaced.v1':
        return { ...summary, status: 'PLACED' };
      case 'OrderConfirmed.v1':
        return { ...summary, status: 'CONFIRMED', ...trackedBy(data.trackingNumber) };
      case 'OrderHandedOver.v1':
        return { ...summary, status: 'CONFIRMED' };
      case 'OrderSwitchedToDelivery.v1':
        return {
          ...summary,
          status: row?.status ?? 'PLACED',
          ...trackedBy(data.trackingNumber ?? row?.trackingNumber),
        };
      case 'OrderCancelled.v1':
        return { ...summary, status: 'CANCELLED', cancellationReason: data.reason };
    }
  },
});

function trackedBy(trackingNumber: string | undefined): { trackingNumber?: string } {
  return trackingNumber === undefined ? {} : { trackingNumber };
}
