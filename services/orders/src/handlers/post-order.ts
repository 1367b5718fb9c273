import { createHash, randomUUID } from 'node:crypto';
import { endpoint, HttpError } from '@millrace/http';
import { orderQuotaFromEnvironment } from '../adapters/order-quota.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import { timeLimitFromEnvironment } from '../adapters/time-limit.ts';
import { contactPolicyFrom, contactProblems } from '../domain/contact-policy.ts';
import { placeOrderRequest, totalOf } from '../domain/place-order-request.ts';

const orders = ordersFromEnvironment();
const quota = orderQuotaFromEnvironment();
const contactPolicy = contactPolicyFrom();
const timeLimitMs = timeLimitFromEnvironment();

/**
 * `POST /orders`: accepts an order of the caller's, as long as there are not too many; what becomes of it is told by events
 * and by `GET /orders/{orderId}`. An answer that is remembered for its Idempotency-Key counts as no other order.
 */
export const handler = endpoint({ body: placeOrderRequest, idempotent: true }, async (request) => {
  const { caller, body, idempotencyKey, correlationId, traceparent } = request;
  const { currency, customer, ...order } = body;
  const problems = contactProblems(customer, caller, contactPolicy);
  if (problems.length > 0) {
    throw new HttpError(403, 'CONTACT_NOT_ALLOWED', 'The shop may not write to this customer there', problems);
  }
  await quota.take(caller.subject);
  const orderId = idempotencyKey === undefined ? randomUUID() : orderIdOf(caller.subject, idempotencyKey, body);
  const total = { amount: totalOf(order.lines), currency };
  const placed = { orderId, customer: { id: caller.subject, ...customer }, ...order, total };
  const deadline = new Date(Date.now() + timeLimitMs).toISOString();
  const command = { type: 'PlaceOrder', order: placed, deadline } as const;
  const { status } = await orders.execute(orderId, command, { correlationId, traceparent });
  return { status: 202, headers: { location: `/orders/${orderId}` }, body: { orderId, status } };
});

/**
 * The id follows from the customer, the key and the body: a retry after a crash between storing the order and
 * remembering the answer finds the order instead of placing a second one, and nobody finds another customer's.
 */
function orderIdOf(customerId: string, idempotencyKey: string, body: unknown): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([customerId, idempotencyKey, body]))
    .digest();
  // A UUID of version 8, https://www.rfc-editor.org/rfc/rfc9562#section-5.8
  const hex = digest.toString('hex');
  const variant = ((digest.readUInt8(8) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}
