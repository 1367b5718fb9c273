import { randomUUID } from 'node:crypto';
import { derivedId } from '@millrace/events';
import { type EndpointRequest, HttpError } from '@millrace/http';
import type { OrderSnapshot } from '../../events/index.ts';
import { contactPolicyFrom, contactProblems } from '../domain/contact-policy.ts';
import { type PlaceOrderRequest, totalOf } from '../domain/place-order-request.ts';
import { orderQuotaFromEnvironment } from './order-quota.ts';

/** A request for an order, whichever route it came by. */
type OrderRequest = Pick<EndpointRequest<unknown, PlaceOrderRequest>, 'caller' | 'body' | 'idempotencyKey'>;

/** Lets an order of the caller's in, or refuses it. */
export type AcceptOrder = (request: OrderRequest) => Promise<OrderSnapshot>;

/**
 * Makes the checks that every service makes before it does anything for an order: that the shop may write to the customer, and that the
 * customer does not have too many orders already.
 *
 * @returns a function that returns the order with its id and total. It throws HttpError 403 `CONTACT_NOT_ALLOWED` and
 *   429 `QUOTA_EXCEEDED`
 * @throws Error when one of the settings in the environment is not valid
 * @example
 * const accept = orderAcceptanceFromEnvironment();
 * const order = await accept({ caller, body, idempotencyKey });
 */
export function orderAcceptanceFromEnvironment(): AcceptOrder {
  const quota = orderQuotaFromEnvironment();
  const contactPolicy = contactPolicyFrom();
  return async ({ caller, body, idempotencyKey }) => {
    const { currency, customer, ...order } = body;
    const problems = contactProblems(customer, caller, contactPolicy);
    if (problems.length > 0) {
      throw new HttpError(403, 'CONTACT_NOT_ALLOWED', 'The shop may not write to this customer there', problems);
    }
    await quota.take(caller.subject);
    const orderId = idempotencyKey === undefined ? randomUUID() : orderIdOf(caller.subject, idempotencyKey, body);
    const total = { amount: totalOf(order.lines), currency };
    return { orderId, customer: { id: caller.subject, ...customer }, ...order, total };
  };
}

/**
 * The id follows from the customer, the key and the body: a retry after a crash between storing the order and
 * remembering the answer finds the order instead of placing a second one, and a customer never finds another one's.
 */
function orderIdOf(customerId: string, idempotencyKey: string, body: unknown): string {
  return derivedId([customerId, idempotencyKey, body]);
}
