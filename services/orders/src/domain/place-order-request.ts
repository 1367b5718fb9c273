import { plainText } from '@millrace/http';
import * as z from 'zod';
import { address, currencyCodes, customer, orderLine, orderSnapshot } from '../../events/index.ts';

/** More lines would not fit into one DynamoDB transaction of the stock they reserve. */
const MAX_LINES = 40;

/**
 * The body of `POST /orders`. Unknown fields are refused: a misspelt one would be lost in silence. Who the customer is
 * says the token, not the body.
 *
 * What people will read is plain text, here and not in the contracts: events that are stored already must stay readable.
 */
export const placeOrderRequest = z.strictObject({
  customer: z.strictObject({
    name: plainText(customer.shape.name),
    email: customer.shape.email,
    phone: customer.shape.phone,
  }),
  shippingAddress: z.strictObject({
    line1: plainText(address.shape.line1),
    line2: plainText(address.shape.line2),
    city: plainText(address.shape.city),
    postalCode: plainText(address.shape.postalCode),
    country: address.shape.country,
  }),
  currency: z.enum(currencyCodes, 'expected an active ISO 4217 code such as EUR'),
  lines: z
    .array(z.strictObject({ ...orderLine.shape, sku: plainText(orderLine.shape.sku) }))
    .min(1, 'expected at least one line')
    .max(MAX_LINES, `expected at most ${MAX_LINES} lines`)
    .superRefine((lines, context) => {
      lines.forEach(({ sku }, index) => {
        if (lines.findIndex((line) => line.sku === sku) < index) {
          context.addIssue({ code: 'custom', path: [index, 'sku'], message: 'listed twice: add up the quantities' });
        }
      });
    }),
  paymentToken: orderSnapshot.shape.paymentToken,
  /** A slot that the customer has reserved, to pick the order up. */
  slotId: z.guid('expected a UUID').toLowerCase().optional(),
});

/** The body of `POST /checkouts`: as for an order, but that a checkout is always sent. */
export const placeCheckoutRequest = placeOrderRequest.extend({
  slotId: z.never('a checkout cannot be picked up: order with POST /orders').optional(),
});

export type PlaceOrderRequest = z.output<typeof placeOrderRequest>;

/** The sum of all lines in minor units. */
export function totalOf(lines: PlaceOrderRequest['lines']): number {
  return lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
}
