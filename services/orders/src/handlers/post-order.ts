import { endpoint } from '@millrace/http';
import { orderAcceptanceFromEnvironment } from '../adapters/order-acceptance.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import { timeLimitFromEnvironment } from '../adapters/time-limit.ts';
import { placeOrderRequest } from '../domain/place-order-request.ts';

const orders = ordersFromEnvironment();
const accept = orderAcceptanceFromEnvironment();
const timeLimitMs = timeLimitFromEnvironment();

/**
 * `POST /orders`: accepts an order of the caller's, as long as there are not too many; what becomes of it is told by events
 * and by `GET /orders/{orderId}`. An answer that is remembered for its Idempotency-Key counts as no other order.
 */
export const handler = endpoint({ body: placeOrderRequest, idempotent: true }, async (request) => {
  const { correlationId, traceparent } = request;
  const order = await accept(request);
  const { orderId } = order;
  const deadline = new Date(Date.now() + timeLimitMs).toISOString();
  const command = { type: 'PlaceOrder', order, deadline } as const;
  const { status } = await orders.execute(orderId, command, { correlationId, traceparent });
  return { status: 202, headers: { location: `/orders/${orderId}` }, body: { orderId, status } };
});
