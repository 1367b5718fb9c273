/** The checks that every service makes before it accepts an order. */
export { type AcceptOrder, orderAcceptanceFromEnvironment } from '../src/adapters/order-acceptance.ts';
export { orderQuotaFromEnvironment } from '../src/adapters/order-quota.ts';
export { type ContactPolicy, contactPolicyFrom, contactProblems } from '../src/domain/contact-policy.ts';
export {
  type PlaceOrderRequest,
  placeCheckoutRequest,
  placeOrderRequest,
  totalOf,
} from '../src/domain/place-order-request.ts';
