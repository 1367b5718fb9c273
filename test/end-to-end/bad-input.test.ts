import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { orderOf, Shop } from './shop.ts';
import { type System, startSystem } from './system.ts';

let system: System;
let shop: Shop;

beforeAll(async () => {
  system = await startSystem();
  shop = new Shop(system);
});

afterAll(() => system?.stop());

const order = orderOf('SKU-1');
const line = order.lines[0];
const huge = 'x'.repeat(200 * 1024);

type Case = [what: string, method: string, path: string, body: unknown, status: number, field: string];

const cases: Case[] = [
  ['no body', 'POST', '/orders', undefined, 400, 'body'],
  ['broken JSON', 'POST', '/orders', '{"customer":', 400, 'body'],
  ['a list', 'POST', '/orders', [], 400, 'body'],
  ['null', 'POST', '/orders', null, 400, 'body'],
  ['a huge body', 'POST', '/orders', { ...order, note: huge }, 413, 'body'],
  ['a missing field', 'POST', '/orders', { ...order, paymentToken: undefined }, 400, '/paymentToken'],
  ['an unknown field', 'POST', '/orders', { ...order, coupon: 'X' }, 400, '/coupon'],
  [
    "somebody's id",
    'POST',
    '/orders',
    { ...order, customer: { id: 'customer-1', ...order.customer } },
    400,
    '/customer/id',
  ],
  ['a nested unknown field', 'POST', '/orders', { ...order, lines: [{ ...line, size: 1 }] }, 400, '/lines/0/size'],
  ['a wrong type', 'POST', '/orders', { ...order, lines: 'many' }, 400, '/lines'],
  ['no lines', 'POST', '/orders', { ...order, lines: [] }, 400, '/lines'],
  ['too many lines', 'POST', '/orders', { ...order, lines: many(41) }, 400, '/lines'],
  [
    'a negative quantity',
    'POST',
    '/orders',
    { ...order, lines: [{ ...line, quantity: -1 }] },
    400,
    '/lines/0/quantity',
  ],
  ['a quantity of 0', 'POST', '/orders', { ...order, lines: [{ ...line, quantity: 0 }] }, 400, '/lines/0/quantity'],
  ['a fraction', 'POST', '/orders', { ...order, lines: [{ ...line, quantity: 1.5 }] }, 400, '/lines/0/quantity'],
  ['a numeric text', 'POST', '/orders', { ...order, lines: [{ ...line, quantity: '1' }] }, 400, '/lines/0/quantity'],
  ['a huge number', 'POST', '/orders', { ...order, lines: [{ ...line, quantity: 1e300 }] }, 400, '/lines/0/quantity'],
  ['a negative price', 'POST', '/orders', { ...order, lines: [{ ...line, unitPrice: -1 }] }, 400, '/lines/0/unitPrice'],
  ['a SKU twice', 'POST', '/orders', { ...order, lines: [line, line] }, 400, '/lines/1/sku'],
  ['a currency that is not one', 'POST', '/orders', { ...order, currency: 'ABC' }, 400, '/currency'],
  ['a bad currency', 'POST', '/orders', { ...order, currency: 'euro' }, 400, '/currency'],
  [
    'a bad e-mail',
    'POST',
    '/orders',
    { ...order, customer: { ...order.customer, email: 'x' } },
    400,
    '/customer/email',
  ],
  [
    'a bad country',
    'POST',
    '/orders',
    { ...order, shippingAddress: { ...order.shippingAddress, country: 'Germany' } },
    400,
    '/shippingAddress/country',
  ],
  ['lines in a name', 'POST', '/orders', withName('Ada\nYour account is closed'), 400, '/customer/name'],
  ['a link in a name', 'POST', '/orders', withName('Win at www.evil.example'), 400, '/customer/name'],
  ['a hidden character in a name', 'POST', '/orders', withName('A\u200bda'), 400, '/customer/name'],
  [
    'a link in an address',
    'POST',
    '/orders',
    { ...order, shippingAddress: { ...order.shippingAddress, city: 'https://evil' } },
    400,
    '/shippingAddress/city',
  ],
  ['a link for a SKU', 'POST', '/orders', { ...order, lines: [{ ...line, sku: 'evil.example' }] }, 400, '/lines/0/sku'],
  ['a link for a SKU', 'PUT', '/stock/evil.example', { available: 1 }, 400, 'sku'],
  ['an unknown order', 'GET', `/orders/${randomUUID()}`, undefined, 404, 'orderId'],
  ['a malformed order id', 'GET', '/orders/42', undefined, 400, 'orderId'],
  ['an unknown order', 'POST', `/orders/${randomUUID()}/cancellation`, undefined, 404, 'orderId'],
  ['a malformed order id', 'POST', '/orders/42/cancellation', undefined, 400, 'orderId'],
  ['an unknown field', 'POST', `/orders/${randomUUID()}/cancellation`, { reason: 'x' }, 400, '/reason'],
  ['broken JSON', 'POST', `/orders/${randomUUID()}/cancellation`, '{', 400, 'body'],
  ['a huge body', 'POST', `/orders/${randomUUID()}/cancellation`, { reason: huge }, 413, 'body'],
  ['an unknown SKU', 'GET', `/stock/${randomUUID()}`, undefined, 404, 'sku'],
  ['an unknown query parameter', 'GET', '/stock/SKU-1?colour=red', undefined, 400, 'colour'],
  ['an unknown query parameter', 'POST', '/orders?dryRun=true', order, 400, 'dryRun'],
  ['a malformed SKU', 'GET', '/stock/%20', undefined, 400, 'sku'],
  ['a malformed SKU', 'PUT', '/stock/a%2Fb', { available: 1 }, 400, 'sku'],
  ['no body', 'PUT', '/stock/SKU-1', undefined, 400, 'body'],
  ['broken JSON', 'PUT', '/stock/SKU-1', 'available', 400, 'body'],
  ['a huge body', 'PUT', '/stock/SKU-1', { available: 1, note: huge }, 413, 'body'],
  ['a missing field', 'PUT', '/stock/SKU-1', {}, 400, '/available'],
  ['an unknown field', 'PUT', '/stock/SKU-1', { available: 1, colour: 'red' }, 400, '/colour'],
  ['a negative number', 'PUT', '/stock/SKU-1', { available: -1 }, 400, '/available'],
  ['a malformed SKU', 'POST', '/stock/%20/count', { counted: 1 }, 400, 'sku'],
  ['a negative count', 'POST', '/stock/SKU-1/count', { counted: -1 }, 400, '/counted'],
  ['a misspelt field', 'POST', '/stock/SKU-1/count', { count: 1 }, 400, '/counted'],
  ['a fraction', 'PUT', '/stock/SKU-1', { available: 0.5 }, 400, '/available'],
  ['a wrong type', 'PUT', '/stock/SKU-1', { available: true }, 400, '/available'],
  ['no day', 'GET', '/locations/berlin-mitte/slots', undefined, 400, 'date'],
  ['a malformed location', 'GET', '/locations/Berlin%20Mitte/slots?date=2026-01-31', undefined, 400, 'locationId'],
  ['a slot id that is none', 'POST', '/slots/7/reservation', undefined, 400, 'slotId'],
  ['a slot that does not exist', 'DELETE', `/slots/${randomUUID()}/reservation`, undefined, 404, 'slotId'],
  ['no check-in code', 'POST', `/slots/${randomUUID()}/check-in`, {}, 400, '/code'],
  ['a malformed check-in code', 'POST', `/slots/${randomUUID()}/check-in`, { code: '1234' }, 400, '/code'],
  ['a holder', 'POST', `/slots/${randomUUID()}/reservation`, { holder: 'customer-1' }, 400, '/holder'],
  ['a reason for a closure', 'POST', `/slots/${randomUUID()}/closure`, { reason: 'rain' }, 400, '/reason'],
];

function withName(name: string) {
  return { ...order, customer: { ...order.customer, name } };
}

function many(count: number) {
  return Array.from({ length: count }, (_, index) => ({ ...line, sku: `SKU-${index}` }));
}

describe('bad input is answered with a problem document that names the field', () => {
  test.each(cases)('%s: %s %s', async (_, method, path, body, status, field) => {
    const answer = await shop.request(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      status,
      title: expect.any(String),
      code: expect.any(String),
      requestId: answer.headers.get('x-request-id'),
    });
    expect(answer.body.requestId).toEqual(expect.any(String));
    expect(answer.body.errors.map((error) => error.field)).toContain(field);
  });

  test('a malformed Idempotency-Key', async () => {
    const answer = await shop.request('POST', '/orders', order, { 'idempotency-key': 'a b' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'Idempotency-Key' }] } });
  });
});
