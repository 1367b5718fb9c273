import type { StoredOrder } from '../adapters/orders.ts';
import type { Order, OrderEvent } from '../domain/order.ts';
import { pickUpStatusOf, slotRefusalDetails } from '../domain/pick-up.ts';

/** What `GET /orders/{orderId}` shows: nothing personal, and a timeline by the time things happened. */
export function orderView({ order, events }: StoredOrder) {
  const { snapshot, status, trackingNumber, cancellation } = order;
  return {
    orderId: snapshot.orderId,
    status,
    lines: snapshot.lines,
    total: snapshot.total,
    ...(trackingNumber && status === 'CONFIRMED' ? { trackingNumber } : {}),
    ...pickUpView(order),
    ...(cancellation ? { cancellation } : {}),
    timeline: events
      .map(({ event, time }) => ({ event: event.type, at: time, ...detailOf(event) }))
      .sort((a, b) => a.at.localeCompare(b.at)),
  };
}

/** With the slot's place and times, once the slot is assigned. */
function pickUpView(order: Order) {
  const { snapshot, place, pickUpFailure } = order;
  const status = pickUpStatusOf(order);
  if (!status) return {};
  return { pickUp: { slotId: snapshot.slotId, status, ...place, ...(pickUpFailure && { reason: pickUpFailure }) } };
}

function detailOf(event: OrderEvent): { detail?: string } {
  switch (event.type) {
    case 'StockReservationFailed':
      return { detail: `Out of stock: ${event.skus.join(', ')}` };
    case 'PaymentFailed':
      return { detail: event.reason };
    case 'OrderCancelled':
      return { detail: event.detail };
    case 'OrderConfirmed':
    case 'ShipmentCreated':
      return event.trackingNumber === undefined ? {} : { detail: `Tracking number ${event.trackingNumber}` };
    case 'SlotAssigned':
      return { detail: event.location.name };
    case 'SlotRefused':
      return { detail: slotRefusalDetails[event.reason] };
    case 'PickUpFailed':
      return { detail: event.reason };
    default:
      return {};
  }
}
