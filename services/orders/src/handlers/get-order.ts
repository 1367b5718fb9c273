import { endpoint } from '@millrace/http';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import { orderNotFound, orderPath } from './order-path.ts';
import { orderView } from './order-view.ts';

const orders = ordersFromEnvironment();

/** `GET /orders/{orderId}`: status, lines, total and timeline of an order of the caller's. */
export const handler = endpoint({ path: orderPath }, async ({ caller, path: { orderId } }) => {
  const stored = await orders.find(orderId, caller.subject);
  if (!stored) throw orderNotFound();
  return { status: 200, body: orderView(stored) };
});
