import type { OrderScript } from './scripts.ts';

/** The body of the request for an order. */
export function orderBody({ number, lines, paymentToken }: OrderScript): object {
  return {
    customer: { name: 'Ada Example', email: `order-${number}@example.com` },
    shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
    currency: 'EUR',
    ...{ lines, paymentToken },
  };
}
