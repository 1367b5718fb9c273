/** What a route that takes orders asks of them, whichever service has it. */
export { type AcceptOrder, orderAcceptanceFromEnvironment } from '../src/adapters/order-acceptance.ts';
export { orderQuotaFromEnvironment } from '../src/adapters/order-quota.ts';
export { placeOrderRequest } from '../src/domain/place-order-request.ts';
