import { cursorOf, endpoint, HttpError } from '@millrace/http';
import { ordersByCustomer } from '../../projections/orders-by-customer.ts';
import { projectionReaderFromEnvironment } from '../adapters/projections.ts';
import { ordersQuery } from '../domain/orders-query.ts';

/** Who may see any customer's orders, besides the route's own scope. */
const ALL_CUSTOMERS = 'orders:read:all';

const reader = projectionReaderFromEnvironment();

/** `GET /orders`: a customer's orders, newest first. Of one status a page may be short, or empty, and have a next one. */
export const handler = endpoint({ query: ordersQuery }, async ({ caller, query }) => {
  const { customer = caller.subject, status, cursor, limit } = query;
  if (customer !== caller.subject && !caller.scopes.includes(ALL_CUSTOMERS)) {
    const detail = 'You may list only your own orders; omit `customer`';
    throw new HttpError(403, 'FORBIDDEN', detail, [{ field: 'customer', detail }]);
  }
  const { rows, next } = await reader.query(ordersByCustomer, customer, {
    direction: 'descending',
    after: cursor,
    limit,
    ...(status && { where: { status } }),
  });
  const orders = rows.map(({ row }) => row);
  return { status: 200, body: { orders, ...(next !== undefined && { cursor: cursorOf(next) }) } };
});
