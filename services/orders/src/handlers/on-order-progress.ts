import { consume } from '@millrace/consumer';
import type { EventOf } from '@millrace/events';
import { PickUpFailed, PickUpHandedOver, PickUpReady, ShipmentCreated } from '@millrace/fulfillment/events';
import { StockReservationFailed, StockReserved } from '@millrace/inventory/events';
import { PaymentFailed, PaymentProcessed, PaymentRefunded } from '@millrace/payments/events';
import { SlotAssigned, SlotAssignmentRefused } from '@millrace/reservations/events';
import { orderQuotaFromEnvironment } from '../adapters/order-quota.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import type { ProgressEvent } from '../domain/order.ts';

const contracts = [
  StockReserved,
  StockReservationFailed,
  PaymentProcessed,
  PaymentFailed,
  PaymentRefunded,
  ShipmentCreated,
  SlotAssigned,
  SlotAssignmentRefused,
  PickUpReady,
  PickUpHandedOver,
  PickUpFailed,
] as const;

const orders = ordersFromEnvironment();
const quota = orderQuotaFromEnvironment();

/** Records what the other services did for an order, and confirms or cancels it. */
export const handler = consume(contracts, async (event, { cause, inbox }) => {
  const { data, metadata } = event;
  const occurredAt = new Date(metadata.timestamp);
  if (event.detailType === 'PaymentFailed.v1') await countFailedPayment(data.orderId, occurredAt);
  const command = { type: 'RecordProgress', progress: progressOf(event) } as const;
  await orders.execute(data.orderId, command, { ...cause, occurredAt }, inbox);
});

/** Before the order knows of it: to count an order again changes nothing, and after a crash between both it is made good. */
async function countFailedPayment(orderId: string, occurredAt: Date): Promise<void> {
  const customerId = await orders.customerOf(orderId);
  if (customerId !== undefined) await quota.countFailure(customerId, orderId, occurredAt);
}

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
    case 'SlotAssigned.v1': {
      const { location, startsAt, endsAt } = event.data;
      return { type: 'SlotAssigned', location, startsAt, endsAt };
    }
    case 'SlotAssignmentRefused.v1':
      return { type: 'SlotRefused', reason: event.data.reason };
    case 'PickUpReady.v1':
      return { type: 'PickUpReady' };
    case 'PickUpHandedOver.v1':
      return { type: 'PickUpHandedOver' };
    case 'PickUpFailed.v1':
      return { type: 'PickUpFailed', reason: event.data.reason };
  }
}
