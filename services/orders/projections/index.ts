/** The orders' read models: kept up to date by `projectOrders`, and built anew by `npm run rebuild`. */
export { dailySales } from './daily-sales.ts';
export { orderSummary } from './order-summary.ts';
export { ordersByCustomer } from './orders-by-customer.ts';
