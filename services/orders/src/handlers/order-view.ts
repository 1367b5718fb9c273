import type { StoredOrder } from '../adapters/orders.ts';
import type { OrderEvent } from '../domain/order.ts';

/** What `GET /orders/{orderId}` shows: nothing personal, and a timeline by the time things happened. */
export function orderView({ order, events }: StoredOrder) {
  const { snapshot, status, trackingNumber, cancellation } = order;
  return {
    orderId: snapshot.orderId,
    status,
    lines: snapshot.lines,
    total: snapshot.total,
    ...(trackingNumber ? { trackingNumber } : {}),
    ...(cancellation ? { cancellation } : {}),
    timeline: events
      .map(({ event, time }) => ({ event: event.type, at: time, ...detailOf(event) }))
      .sort((a, b) => a.at.localeCompare(b.at)),
  };
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
      return { detail: `Tracking number ${event.trackingNumber}` };
    default:
      return {};
  }
}
