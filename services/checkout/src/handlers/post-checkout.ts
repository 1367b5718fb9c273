import { tableFromEnvironment } from '@millrace/event-store';
import { endpoint } from '@millrace/http';
import { orderAcceptanceFromEnvironment, placeCheckoutRequest } from '@millrace/orders/requests';
import { Checkouts, checkoutProcessFromEnvironment } from '../adapters/checkouts.ts';

const checkouts = new Checkouts(tableFromEnvironment());
const process = checkoutProcessFromEnvironment();
const accept = orderAcceptanceFromEnvironment();

/**
 * `POST /checkouts`: takes an order of the caller's, under the conditions of `POST /orders`, for the state machine. It is sent: an order with a
 * slot is refused.
 * `GET /checkouts/{checkoutId}` tells how far it is.
 */
export const handler = endpoint({ body: placeCheckoutRequest, idempotent: true }, async (request) => {
  const { correlationId, traceparent } = request;
  const order = await accept(request);
  await checkouts.request({ ...order, process: 'checkout' }, process, { correlationId, traceparent });
  const { orderId } = order;
  const body = { checkoutId: orderId, orderId, status: 'REQUESTED' };
  return { status: 202, headers: { location: `/checkouts/${orderId}` }, body };
});
