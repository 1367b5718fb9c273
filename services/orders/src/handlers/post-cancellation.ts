import { endpoint, HttpError } from '@millrace/http';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import { OrderAlreadyShippedError, OrderInCheckoutError, OrderNotFoundError } from '../domain/order.ts';
import { orderNotFound, orderPath } from './order-path.ts';

const orders = ordersFromEnvironment();

/** `POST /orders/{orderId}/cancellation`: an order of the caller's, until the order is shipped; to cancel twice is to cancel once. */
export const handler = endpoint({ path: orderPath }, async (request) => {
  const {
    caller,
    path: { orderId },
    correlationId,
    traceparent,
  } = request;
  try {
    const command = { type: 'CancelOrder', customerId: caller.subject } as const;
    const { status } = await orders.execute(orderId, command, { correlationId, traceparent });
    return { status: 202, headers: { location: `/orders/${orderId}` }, body: { orderId, status } };
  } catch (error) {
    if (error instanceof OrderNotFoundError) throw orderNotFound();
    if (error instanceof OrderAlreadyShippedError || error instanceof OrderInCheckoutError)
      throw new HttpError(409, error.code, error.message);
    throw error;
  }
});
