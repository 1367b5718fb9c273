import { describe, expect, test } from '@jest/globals';
import type { Redaction } from '@millrace/privacy';
import { redactionOf } from '@millrace/privacy/personal';
import { exampleOrder } from '../../events/index.ts';
import { placeCheckoutRequest, placeOrderRequest, totalOf } from './place-order-request.ts';

const {
  customer: { id, ...customer },
  shippingAddress,
  lines,
  paymentToken,
} = exampleOrder;
const [line] = lines;
const request = { customer, shippingAddress, currency: 'EUR', lines, paymentToken };

/** The path of every issue with a request: `lines.0.quantity`. */
function issuesWith(body: unknown): string[] {
  const { error } = placeOrderRequest.safeParse(body);
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key].join('.')) : issue.path.join('.'),
  );
}

describe('a request to place an order', () => {
  test('is accepted as documented', () => {
    expect(placeOrderRequest.parse(request)).toEqual(request);
  });

  test('may name a slot, in any case of its letters', () => {
    const slotId = '4A1D7C52-0A3E-8C1F-9D24-5B6F7A8C9D01';
    expect(placeOrderRequest.parse({ ...request, slotId }).slotId).toBe(slotId.toLowerCase());
    for (const wrong of ['tomorrow', '', 7, null, {}]) {
      expect(issuesWith({ ...request, slotId: wrong })).toEqual(['slotId']);
    }
  });

  test('for a checkout names no slot', () => {
    expect(placeCheckoutRequest.parse(request)).toEqual(request);
    const { error } = placeCheckoutRequest.safeParse({ ...request, slotId: '4a1d7c52-0a3e-8c1f-9d24-5b6f7a8c9d01' });
    expect(error?.issues).toMatchObject([
      { path: ['slotId'], message: 'a checkout cannot be picked up: order with POST /orders' },
    ]);
  });

  test('needs neither a phone nor a second address line', () => {
    const { phone: _phone, ...withoutPhone } = customer;
    expect(issuesWith({ ...request, customer: withoutPhone })).toEqual([]);
  });

  test('may have a line that costs nothing', () => {
    expect(issuesWith({ ...request, lines: [{ ...line, unitPrice: 0 }] })).toEqual([]);
  });

  test.each([
    ['nothing', undefined, ['']],
    ['a list', [], ['']],
    ['no fields', {}, ['customer', 'shippingAddress', 'currency', 'lines', 'paymentToken']],
    ['no lines', { ...request, lines: [] }, ['lines']],
    ['lines of another type', { ...request, lines: 'FLOUR-1KG' }, ['lines']],
    ['an unknown field', { ...request, coupon: 'X' }, ['coupon']],
    ['an id of the customer', { ...request, customer: { ...customer, id } }, ['customer.id']],
    ['unknown fields further down', { ...request, customer: { ...customer, vip: true } }, ['customer.vip']],
    ['an unknown field of a line', { ...request, lines: [{ ...line, color: 'red' }] }, ['lines.0.color']],
    [
      'an unknown field of the address',
      { ...request, shippingAddress: { ...shippingAddress, zip: 1 } },
      ['shippingAddress.zip'],
    ],
    ['a malformed e-mail address', { ...request, customer: { ...customer, email: 'ada' } }, ['customer.email']],
    ['a malformed phone number', { ...request, customer: { ...customer, phone: '0151' } }, ['customer.phone']],
    [
      'a malformed country',
      { ...request, shippingAddress: { ...shippingAddress, country: 'Germany' } },
      ['shippingAddress.country'],
    ],
    ['a malformed currency', { ...request, currency: 'euro' }, ['currency']],
    ['a currency that never was', { ...request, currency: 'ABC' }, ['currency']],
    ['a currency that was withdrawn', { ...request, currency: 'DEM' }, ['currency']],
    ['a code for tests', { ...request, currency: 'XTS' }, ['currency']],
    ['a precious metal', { ...request, currency: 'XAU' }, ['currency']],
    ['an empty payment token', { ...request, paymentToken: '' }, ['paymentToken']],
  ])('with %s is refused', (_what, body, issues) => {
    expect(issuesWith(body)).toEqual(issues);
  });

  test.each([
    ['quantity', 0],
    ['quantity', -1],
    ['quantity', 1.5],
    ['quantity', '2'],
    ['quantity', 1001],
    ['quantity', null],
    ['quantity', Number.MAX_VALUE],
    ['unitPrice', -1],
    ['unitPrice', 3.49],
    ['unitPrice', 100_000_001],
    ['sku', ''],
    ['sku', '../stock'],
    ['sku', 'x'.repeat(65)],
  ])('with a line whose %s is %j is refused', (field, value) => {
    const issues = issuesWith({ ...request, lines: [{ ...line, [field]: value }] });

    expect(new Set(issues)).toEqual(new Set([`lines.0.${field}`]));
  });

  test.each([
    ['customer.name', { customer: { ...customer, name: 'Ada\nYour account is closed' } }],
    ['customer.name', { customer: { ...customer, name: 'Win at evil.example' } }],
    ['customer.name', { customer: { ...customer, name: '\u202eadA' } }],
    ['shippingAddress.line1', { shippingAddress: { ...shippingAddress, line1: 'http://evil' } }],
    ['shippingAddress.line2', { shippingAddress: { ...shippingAddress, line2: 'a\u200bb' } }],
    ['shippingAddress.city', { shippingAddress: { ...shippingAddress, city: 'evil.example' } }],
    ['shippingAddress.postalCode', { shippingAddress: { ...shippingAddress, postalCode: '10\r\n115' } }],
    ['lines.0.sku', { lines: [{ ...line, sku: 'www.evil.example' }] }],
  ])('whose %s would put a link or lines of its own into a mail is refused', (field, part) => {
    expect(issuesWith({ ...request, ...part })).toEqual([field]);
  });

  test('keeps what is personal hidden', () => {
    const hidden = (field: string) =>
      field.split('.').reduce<Redaction | undefined>((at, name) => at?.member(name), redactionOf(placeOrderRequest))
        ?.hides;

    for (const field of ['name', 'email', 'phone']) expect(hidden(`customer.${field}`)).toBe(true);
    for (const field of Object.keys(shippingAddress)) expect(hidden(`shippingAddress.${field}`)).toBe(true);
  });

  test('that lists a SKU twice is refused', () => {
    expect(issuesWith({ ...request, lines: [line, { ...line, quantity: 3 }] })).toEqual(['lines.1.sku']);
  });

  test('has at most 40 lines', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => ({ ...line, sku: `SKU-${index}` }));

    expect(issuesWith({ ...request, lines: many(40) })).toEqual([]);
    expect(issuesWith({ ...request, lines: many(41) })).toEqual(['lines']);
  });
});

test('the total is the sum of all lines, in minor units', () => {
  expect(
    totalOf([
      { sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 },
      { sku: 'SALT', quantity: 3, unitPrice: 0 },
      { sku: 'OIL', quantity: 1, unitPrice: 1299 },
    ]),
  ).toBe(1997);
});
