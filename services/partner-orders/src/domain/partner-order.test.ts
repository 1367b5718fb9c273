import { describe, expect, test } from '@jest/globals';
import { personalFields } from '@millrace/privacy/personal';
import { errorOf } from '@millrace/testing';
import { acmeOrder } from '../../fixtures/acme-order.ts';
import type { InvalidOrderError } from './errors.ts';
import { partnerFrom } from './partner.ts';
import { partnerOrder, translate } from './partner-order.ts';

const acme = partnerFrom('acme');
const read = (order: unknown) => translate(typeof order === 'string' ? order : JSON.stringify(order), acme);
const refusal = (order: unknown) => errorOf(() => read(order)) as InvalidOrderError;
const paths = (order: unknown) => refusal(order).issues.map(({ path }) => path);

describe("a partner's order", () => {
  test("is put into the shop's words, its prices into minor units", () => {
    expect(read(acmeOrder())).toEqual({
      orderNumber: 'A-1001',
      digest: expect.stringMatching(/^[\w-]{43}$/),
      request: {
        customer: { name: 'Ada Example', email: 'ada@example.com', phone: '+4915112345678' },
        shippingAddress: { line1: 'Mill Lane 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
        currency: 'EUR',
        lines: [
          { sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 },
          { sku: 'SALT', quantity: 1, unitPrice: 80 },
        ],
        paymentToken: 'tok_approved',
      },
    });
  });

  test('is the same order however it is written, and another one when anything of it differs', () => {
    const { orderNumber, ...rest } = acmeOrder();
    expect(read(JSON.stringify({ ...rest, orderNumber }, null, 2)).digest).toBe(read(acmeOrder()).digest);
    expect(read(acmeOrder({ paymentToken: 'tok_other' })).digest).not.toBe(read(acmeOrder()).digest);
  });

  test.each([
    ['no JSON', '{"orderNumber":', /is not JSON/],
    ['nothing', '', /is not JSON/],
    ['half a character', '{"orderNumber":"\\ud800"}', /not valid Unicode/],
  ])('with %s is malformed', (_name, body, message) => {
    expect(refusal(body)).toMatchObject({ code: 'MALFORMED_ORDER', message: expect.stringMatching(message) });
  });

  test.each([
    ['a list', [], ['']],
    ['an unknown field', { ...acmeOrder(), coupon: 'X' }, ['']],
    ['an unknown field of the buyer', acmeOrder({ buyer: { ...acmeOrder().buyer, vip: true } }), ['buyer']],
    ['no number', acmeOrder({ orderNumber: undefined }), ['orderNumber']],
    ['a number with a space', acmeOrder({ orderNumber: 'A 1' }), ['orderNumber']],
    ['a currency that was not agreed', acmeOrder({ currency: 'USD' }), ['currency']],
    ['a currency that does not exist', acmeOrder({ currency: 'EURO' }), ['currency']],
    [
      'a malformed address',
      acmeOrder({ deliverTo: { ...acmeOrder().deliverTo, country: 'Germany' } }),
      ['deliverTo.country'],
    ],
    ['a link in a name', acmeOrder({ buyer: { ...acmeOrder().buyer, name: 'www.evil.example' } }), ['buyer.name']],
    [
      'a link in a street',
      acmeOrder({ deliverTo: { ...acmeOrder().deliverTo, street: 'http://evil' } }),
      ['deliverTo.street'],
    ],
    ['a price as a number', acmeOrder({ items: [{ article: 'A', pieces: 1, price: 3.49 }] }), ['items.0.price']],
    ['a price of three digits', acmeOrder({ items: [{ article: 'A', pieces: 1, price: '3.491' }] }), ['items.0.price']],
    [
      'a price that is too high',
      acmeOrder({ items: [{ article: 'A', pieces: 1, price: '1000000.01' }] }),
      ['items.0.price'],
    ],
    ['half a piece', acmeOrder({ items: [{ article: 'A', pieces: 0.5, price: '1' }] }), ['items.0.pieces']],
    [
      'the article twice',
      acmeOrder({ items: [1, 2].map((pieces) => ({ article: 'A', pieces, price: '1' })) }),
      ['items.1.article'],
    ],
    ['no items', acmeOrder({ items: [] }), ['items']],
  ])('with %s is refused, and says where', (_name, order, expected) => {
    expect(refusal(order)).toMatchObject({ code: 'INVALID_ORDER' });
    expect(paths(order)).toEqual(expected);
  });

  test('has at most 40 items', () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ article: `A-${index}`, pieces: 1, price: '1' }));
    expect(read(acmeOrder({ items: items(40) })).request.lines).toHaveLength(40);
    expect(refusal(acmeOrder({ items: items(41) })).message).toBe(
      'The order is not valid: items: expected at most 40 lines',
    );
  });

  test('says everything that is wrong, and no more than fits into a letter', () => {
    expect(paths(acmeOrder({ currency: 'USD', items: [{ article: 'A', pieces: 0, price: 'x' }] }))).toEqual([
      ...['currency', 'items.0.price', 'items.0.pieces'],
    ]);
    const items = Array.from({ length: 30 }, (_, index) => ({ article: `A-${index}`, pieces: 0, price: '1' }));
    expect(refusal(acmeOrder({ items })).message).toMatch(/items\.19\.pieces: [^;]+; and 10 more$/);
  });

  test('of which nothing personal is in the reason', () => {
    const secret = 'ada@';
    const order = acmeOrder({ buyer: { name: secret, email: secret, [secret]: secret }, [secret as never]: secret });
    expect(refusal(order).message).not.toContain('ada');
    expect(refusal(acmeOrder({ buyer: { name: 'Ada', email: secret } })).message).not.toContain('ada');
    expect(refusal(`{"name":"${secret}`).message).not.toContain('ada');
  });

  test('names what is personal', () => {
    expect(personalFields(partnerOrder)).toEqual([
      ...['buyer.name', 'buyer.email', 'buyer.phone'],
      ...['street', 'addition', 'city', 'postcode', 'country'].map((name) => `deliverTo.${name}`),
      'paymentToken',
    ]);
  });
});

test('a partner without an agreement does not start', () => {
  expect(() => partnerFrom('constructor')).toThrow('MILLRACE_PARTNER must be one of acme, not "constructor"');
});
