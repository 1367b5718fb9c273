import { endpoint, HttpError } from '@millrace/http';
import { ordersByCustomer } from '../../projections/orders-by-customer.ts';
import { projectionReaderFromEnvironment } from '../adapters/projections.ts';
import { cursorOf, ordersQuery } from '../domain/orders-query.ts';

/** Who may see any customer's orders, besides the route's own scope. */
const ALL_CUSTOMERS = 'orders:read:all';

const reader = projectionReaderFromEnvironment();

/** `GET /orders`: a customer's orders, newest first. */
export const handler = endpoint({ query: ordersQuery }, async ({ caller, query }) => {
  const { customer = caller.subject, status, cursor, limit } = query;
  if (customer !== caller.subject && !caller.scopes.includes(ALL_CUSTOMERS)) {
    const detail = 'You may see your own orders: leave it out';
    throw new HttpError(403, 'FORBIDDEN', detail, [{ field: 'customer', detail }]);
  }
  const found = await reader.query(ordersByCustomer, customer, {
    direction: 'descending',
    after: cursor,
    // One more tells whether there is another page.
    limit: limit + 1,
    ...(status && { where: { status } }),
  });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return { status: 200, body: { orders: page.map(({ row }) => row), ...(last && { cursor: cursorOf(last.sort) }) } };
});
