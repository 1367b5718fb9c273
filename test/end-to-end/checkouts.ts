import { expect } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { orderOf, type Shop } from './shop.ts';

/** An order that a person has to approve. */
export const large = (sku: string, overrides: object = {}) =>
  orderOf(sku, 2, { lines: [{ sku, quantity: 2, unitPrice: 60_000 }], ...overrides });

/** The states of a checkout, in their order. */
export const states = ({ history }: { history: { state: string }[] }) => history.map(({ state }) => state);

/** A checkout that is undone, by either of its processes. */
interface CancelledCheckout {
  kind: string;
  available: number;
  overrides: Record<string, unknown>;
  reason: string;
  /** The step that refuses, and those that undo the steps before it. */
  undone: string[];
  notification: string;
}

export const cancelledCheckouts: readonly CancelledCheckout[] = [
  {
    ...{ kind: 'out of stock', available: 1, overrides: {}, reason: 'OUT_OF_STOCK' },
    undone: ['ReserveInventory', 'CancelOrder'],
    notification: 'NotifyOutOfStock',
  },
  {
    ...{ kind: 'not paid', available: 10, overrides: { paymentToken: 'tok_declined' }, reason: 'PAYMENT_FAILED' },
    undone: ['ProcessPayment', 'ReleaseInventory', 'CancelOrder'],
    notification: 'NotifyPaymentFailed',
  },
];

/**
 * Checks out an order that cannot be fulfilled, and expects that it ends as such, with the stock back and one mail.
 * @returns the states of the checkout
 */
export async function endCancelled(shop: Shop, { available, overrides, reason }: CancelledCheckout): Promise<string[]> {
  const sku = await shop.stocked(available);
  const order = orderOf(sku, 2, overrides);
  const checkoutId = await shop.checkOut(order);

  const checkout = await shop.checkoutThatIs(checkoutId, 'CANCELLED');
  expect(checkout.reason).toBe(reason);
  expect(await shop.order(checkoutId)).toMatchObject({ status: 'CANCELLED', cancellation: { reason } });
  expect(await shop.stock(sku)).toEqual({ available, reserved: 0, shipped: 0 });
  await eventually(async () => expect(await shop.messagesTo(order.customer.email)).toHaveLength(1));
  return states(checkout);
}
