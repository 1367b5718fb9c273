import * as fc from 'fast-check';
import { hostileTexts, notUtf8, oversized } from './hostile-json.ts';
import { PERSONAL_MARK } from './personal-mark.ts';
import type { Fate } from './queue-inputs.ts';

/** Messages that come into a partner's queue together, and so to its enrichment in one batch. */
export interface PartnerInput {
  way: 'partner';
  kind: string;
  messages: readonly PartnerMessage[];
}

/** One message of a partner. */
export interface PartnerMessage {
  kind: string;
  body: string;
  attributes: object;
  /** Are sent in place of `BYTES` in the body. */
  bytes?: Buffer;
  /**
   * What must become of it; without it, an order or a dead letter. `dropped`: neither. A refused one is `dead`, an order is `taken`.
   */
  fate?: Fate | 'dropped';
}

/** Stands in a body for bytes that are not UTF-8. */
export const BYTES = '@@bytes@@';

/** The order that a partner has sent before everything else, so that its number is taken. */
export const firstOrder = partnerOrder('hostile-first', 'SKU-hostile', 1);

function partnerOrder(orderNumber: string, article: string, pieces: number) {
  return {
    orderNumber,
    buyer: { name: PERSONAL_MARK, email: `${PERSONAL_MARK}@example.com` },
    deliverTo: { street: PERSONAL_MARK, city: PERSONAL_MARK, postcode: '10115', country: 'DE' },
    currency: 'EUR',
    items: [{ article, pieces, price: '3.49' }],
    paymentToken: `tok_${PERSONAL_MARK}`,
  };
}

type Order = ReturnType<typeof partnerOrder>;
type Changed = Record<string, unknown>;

const sound = fc
  .tuple(fc.uuid(), fc.constantFrom('SKU-1', 'SKU-2', 'SKU-hostile'), fc.integer({ min: 1, max: 3 }))
  .map(([number, article, pieces]) => partnerOrder(number, article, pieces));

const item = (changes: Changed) => (order: Order) => ({ ...order, items: [{ ...order.items[0], ...changes }] });
const buyer = (changes: Changed) => (order: Order) => ({ ...order, buyer: { ...order.buyer, ...changes } });
const field = (changes: Changed) => (order: Order) => ({ ...order, ...changes });

/** What makes an order that has to be refused, by the kind of nonsense. */
const falsifications: readonly [string, readonly ((order: Order) => unknown)[]][] = [
  ['pieces out of range', [0, -1, 1.5, 1e308, 2 ** 53 + 2, -(2 ** 53), '2', null].map((pieces) => item({ pieces }))],
  [
    'price that is none',
    ['-1', '0x10', '1e3', '3.999', '', 'NaN', '٣', '9'.repeat(40), 3.49, null].map((price) => item({ price })),
  ],
  ['currency', ['USD', 'eur', '', '__proto__', 'constructor', null, 978].map((currency) => field({ currency }))],
  [
    'order number',
    ['', '../x', 'a b', 'x'.repeat(65), '\u0000', 'a\nb', '__proto__', 42, null].map((orderNumber) =>
      field({ orderNumber }),
    ),
  ],
  [
    'items',
    [[], {}, null, 'SKU-1', Array(41).fill({ article: 'a', pieces: 1, price: '1' })].map((items) => field({ items })),
  ],
  ['address of nobody', ['no', '', 'a@b\r\nbcc: x@example.com', null].map((email) => buyer({ email }))],
  ['phone', ['123', '+1', '+999999999999999999', 'tel:+491'].map((phone) => buyer({ phone }))],
  ['prototype', ['constructor', 'toString', 'hasOwnProperty'].map((name) => field({ [name]: { isAdmin: true } }))],
  ["another partner's name", ['partner', 'sender', 'customerId'].map((name) => field({ [name]: 'globex' }))],
  [
    'number that is taken',
    [item({ pieces: 99 }), item({ price: '0.01' })].map((change) => (order: Order) => ({
      ...(change(order) as object),
      orderNumber: firstOrder.orderNumber,
    })),
  ],
  [
    'something else',
    [
      () => ({ version: '0', source: 'millrace.checkout', 'detail-type': 'StartCheckout.v1', detail: {} }),
      () => ({ messageId: '1', order: { orderId: '1', customer: { id: 'partner:acme' } } }),
      () => [firstOrder],
      () => 'order',
      () => null,
    ],
  ],
];

const text = (StringValue: string) => ({ DataType: 'String', StringValue });

/** Message attributes that look like those of the pipe's filter, of dead letters and of another sender. */
const attributeSets: readonly object[] = [
  {},
  { purpose: text('order') },
  { purpose: text('TEST') },
  { ErrorCode: text('FORGED'), FailureKind: text('permanent'), Consumer: text('partner-orders.globex') },
  { partner: text('globex'), SenderId: text('globex') },
];

const MIB = 1024 * 1024;
/** With the padding none of them is an order. */
const sizes = [64 * 1024, 256 * 1024, MIB - 100, MIB, MIB + 1];

function messages(): fc.Arbitrary<PartnerMessage> {
  const withAttributes = (weight: number, bodies: fc.Arbitrary<Omit<PartnerMessage, 'attributes'>>) => ({
    weight,
    arbitrary: fc
      .tuple(bodies, fc.constantFrom(...attributeSets))
      .map(([message, attributes]): PartnerMessage => ({ ...message, attributes })),
  });
  const refused = fc
    .tuple(sound, fc.constantFrom(...falsifications), fc.nat())
    .map(([order, [kind, changes], random]) => ({
      kind: `order: ${kind}`,
      body: JSON.stringify(changes[random % changes.length]?.(order)),
      fate: 'dead' as const,
    }));
  return fc.oneof(
    withAttributes(
      20,
      sound.map((order) => ({ kind: 'sound', body: JSON.stringify(order), fate: 'taken' as const })),
    ),
    withAttributes(45, refused),
    withAttributes(
      30,
      hostileTexts(sound).map(({ kind, text: body, broken }) => ({
        kind: `body: ${kind}`,
        body,
        ...(broken && { fate: 'dead' as const }),
      })),
    ),
    { weight: 3, arbitrary: sound.map(dropped) },
  );
}

/** A try of the connection, which the pipe's filter leaves out. */
function dropped(order: Order): PartnerMessage {
  const attributes = { purpose: text('test') };
  return { kind: 'test of the connection', body: JSON.stringify(order), attributes, fate: 'dropped' };
}

/** What a partner, or whoever has its permissions, puts into its queue: batches of nonsense with orders among it. */
export function partnerInputs(): fc.Arbitrary<PartnerInput> {
  const batch = (kind: string, all: fc.Arbitrary<readonly PartnerMessage[]>) =>
    all.map((sent): PartnerInput => ({ way: 'partner', kind, messages: sent }));
  return fc.oneof(
    { weight: 85, arbitrary: batch('batch', fc.array(messages(), { minLength: 1, maxLength: 10 })) },
    {
      weight: 10,
      arbitrary: batch(
        'the same order twice',
        fc.tuple(sound, messages()).map(([order, other]) => {
          const body = JSON.stringify(order);
          const twin = { kind: 'twice', attributes: {}, fate: 'taken' as const };
          return [{ ...twin, body }, other, { ...twin, body: JSON.stringify(order, null, 1) }];
        }),
      ),
    },
    {
      weight: 3,
      arbitrary: batch(
        'body: at a limit',
        oversized(sound, sizes).map(({ text: body }) => [{ kind: 'body: at a limit', body, attributes: {} }]),
      ),
    },
    {
      weight: 2,
      arbitrary: batch(
        'body: invalid UTF-8',
        fc.tuple(sound, fc.constantFrom(...notUtf8)).map(([order, bytes]) => {
          const body = JSON.stringify(buyer({ name: `${PERSONAL_MARK}${BYTES}` })(order));
          return [{ kind: 'body: invalid UTF-8', body, attributes: {}, bytes: Buffer.from(bytes) }];
        }),
      ),
    },
  );
}
