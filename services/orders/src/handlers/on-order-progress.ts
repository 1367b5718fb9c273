import { consume } from '@millrace/consumer';
import type { EventOf } from '@millrace/events';
import { ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReservationFailed, StockReserved } from '@millrace/inventory/events';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '@millrace/payments/events';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import type { ProgressEvent } from '../domain/order.ts';

const contracts = [
  StockReserved,
  StockReservationFailed,
  PaymentProcessed,
  PaymentFailed,
  PaymentRefunded,
  ShipmentCreated,
] as const;

const orders = ordersFromEnvironment();

/** Records what the other services did for an order, and confirms or cancels it. */
export const handler = consume(contracts, async (event, { cause, inbox }) => {
  const { data, metadata } = event;
  const command = { type: 'RecordProgress', progress: progressOf(event) } as const;
  await orders.execute(data.orderId, command, { ...cause, occurredAt: new Date(metadata.timestamp) }, inbox);
});

/** Keeps of a foreign event what the order needs: its own stream must not depend on another service's schema. */
function progressOf(event: EventOf<(typeof contracts)[number]>): ProgressEvent {
  switch (event.detailType) {
    case 'StockReserved.v1':
      return { type: 'StockReserved' };
    case 'StockReservationFailed.v1':
      return { type: 'StockReservationFailed', skus: event.data.shortages.map(({ sku }) => sku) };
    case 'PaymentProcessed.v1':
      return { type: 'PaymentProcessed', paymentId: event.data.paymentId };
    case 'PaymentFailed.v1':
      return { type: 'PaymentFailed', reason: event.data.reason };
    case 'PaymentRefunded.v1':
      return { type: 'PaymentRefunded', refundId: event.data.refundId };
    case 'ShipmentCreated.v1':
      return { type: 'ShipmentCreated', trackingNumber: event.data.trackingNumber };
  }
}
