import { createHash } from 'node:crypto';
import { NotUnicodeError, parseJson } from '@millrace/events';
import { type PlaceOrderRequest, placeOrderRequest } from '@millrace/orders/requests';
import { personal, shownPath } from '@millrace/privacy/personal';
import * as z from 'zod';
import { InvalidOrderError, MalformedOrderError, type OrderIssue } from './errors.ts';
import type { Partner } from './partner.ts';
import { minorUnits } from './price.ts';

/**
 * An order as partners send it. Only its form is described here: what the shop asks of any order, such as at most 40 lines,
 * is asked of what becomes of it.
 */
export const partnerOrder = z.strictObject({
  /** The partner's own: the same number is the same order. */
  orderNumber: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected 1–64 letters, digits, dots, dashes, underscores'),
  buyer: z.strictObject({
    name: personal(z.string()),
    email: personal(z.string()),
    phone: personal(z.string()).optional(),
  }),
  deliverTo: z.strictObject({
    street: personal(z.string()),
    addition: personal(z.string()).optional(),
    city: personal(z.string()),
    postcode: personal(z.string()),
    country: personal(z.string()),
  }),
  currency: z.string(),
  items: z.array(
    z.strictObject({
      article: z.string(),
      pieces: z.number(),
      /** Of one piece, as a decimal number in a text: `"3.49"`. */
      price: z.string(),
    }),
  ),
  paymentToken: personal(z.string()),
});

export type PartnerOrder = z.output<typeof partnerOrder>;

/** A partner's order in the shop's words. */
export interface TranslatedOrder {
  orderNumber: string;
  /** Of what the partner sent: the same for the same order, however it is written. */
  digest: string;
  request: PlaceOrderRequest;
}

/** The partner's names of the shop's fields. */
const partnersWords: Readonly<Record<string, string>> = {
  ...{ customer: 'buyer', shippingAddress: 'deliverTo', line1: 'street', line2: 'addition', postalCode: 'postcode' },
  ...{ lines: 'items', sku: 'article', quantity: 'pieces', unitPrice: 'price' },
};

/** The path of a member of the shop's request, as the partner knows it. @example inPartnersWords(['lines', '0', 'sku']) // 'items.0.article' */
export function inPartnersWords(path: readonly string[]): string {
  return path.map((name) => partnersWords[name] ?? name).join('.');
}

/**
 * Reads a partner's order and puts it into the shop's words.
 *
 * @param body the message
 * @throws MalformedOrderError, InvalidOrderError
 * @example translate('{"orderNumber":"A-1",…}', partnerFrom('acme')).request.lines // [{ sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 }]
 */
export function translate(body: string, partner: Partner): TranslatedOrder {
  const order = parse(body);
  const prices = order.items.map(({ price }) => minorUnits(price, order.currency));
  const request = placeOrderRequest.safeParse(requestOf(order, prices));
  const issues: OrderIssue[] = [
    ...(partner.currencies.includes(order.currency)
      ? []
      : [{ path: 'currency', message: `expected ${partner.currencies.join(' or ')}, as agreed` }]),
    ...prices.flatMap((price, index) =>
      price === undefined ? [{ path: `items.${index}.price`, message: 'expected a price such as "3.49"' }] : [],
    ),
    ...(request.error?.issues ?? []).map(({ path, message }) => ({
      path: inPartnersWords(path.map(String)),
      message,
    })),
  ];
  const [first] = issues;
  if (first || !request.success) throw new InvalidOrderError(onePerPath(issues));
  const digest = createHash('sha256').update(JSON.stringify(order)).digest('base64url');
  return { orderNumber: order.orderNumber, digest, request: request.data };
}

function parse(body: string): PartnerOrder {
  let value: unknown;
  try {
    value = parseJson(body);
  } catch (error) {
    throw new MalformedOrderError(
      error instanceof NotUnicodeError ? 'a string is not valid Unicode' : 'the message is not JSON',
    );
  }
  const { data, error } = partnerOrder.safeParse(value);
  if (data) return data;
  throw new InvalidOrderError(
    error.issues.map(({ code, path, message }) => ({
      path: shownPath(path, partnerOrder),
      // The names of unknown fields come from the partner, as values do.
      message: code === 'unrecognized_keys' ? 'unknown field' : message,
    })),
  );
}

function requestOf(order: PartnerOrder, prices: readonly (number | undefined)[]): object {
  const { buyer, deliverTo, currency, items, paymentToken } = order;
  const { street: line1, addition: line2, city, postcode: postalCode, country } = deliverTo;
  return {
    customer: buyer,
    shippingAddress: { line1, ...(line2 !== undefined && { line2 }), city, postalCode, country },
    currency,
    // A price that cannot be read is told once, in its own words.
    lines: items.map(({ article, pieces }, index) => ({
      sku: article,
      quantity: pieces,
      unitPrice: prices[index] ?? 0,
    })),
    paymentToken,
  };
}

/** The first issue of each path. For example, a currency may break both the agreement and the shop's own rule. */
function onePerPath(issues: readonly OrderIssue[]): OrderIssue[] {
  return [...Map.groupBy(issues, ({ path }) => path).values()].flatMap(([issue]) => issue ?? []);
}
