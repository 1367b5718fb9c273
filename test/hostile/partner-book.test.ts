import { expect, test } from '@jest/globals';
import { derivedId } from '@millrace/events';
import { PartnerBook } from './partner-book.ts';

const order = (orderNumber: string, more: object = {}) => JSON.stringify({ orderNumber, ...more });
const idOf = (orderNumber: string) => derivedId(['partner-order', 'acme', orderNumber]);
const checkout = (orderNumber: string, customer = 'partner:acme') => ({
  'detail-type': 'StartCheckout.v1',
  detail: { data: { order: { orderId: idOf(orderNumber), customer: { id: customer } } } },
});

test('an order that was taken has a checkout, and one that was refused has not', () => {
  const book = new PartnerBook('acme');
  book.send(order('1'), { kind: 'sound', fate: 'taken' });
  book.send(order('2'), { kind: 'bad', fate: 'dead' });
  book.refuse(order('2'));
  expect(book.violations()).toEqual([{ what: 'acme: a sound order has no checkout (sound)' }]);

  book.hear(checkout('1'));
  expect(book.violations()).toEqual([]);
});

test.each([
  ['that was refused', (book: PartnerBook) => book.refuse(order('1'))],
  ['whose message was a test', (book: PartnerBook) => book.send(order('1'), { kind: 'test', fate: 'dropped' })],
  ['that was never sent', () => {}],
])('a checkout of an order %s is a violation', (what, happen) => {
  const book = new PartnerBook('acme');
  if (what === 'that was refused') book.send(order('1'), { kind: 'bad', fate: 'dead' });
  happen(book);
  book.hear(checkout('1'));

  expect(book.violations()).toEqual([{ what: `acme: the checkout ${idOf('1')} is of no order that was taken` }]);
});

test('of two orders with one number the one that was not refused has the checkout', () => {
  const book = new PartnerBook('acme');
  book.send(order('1', { a: 1 }), { kind: 'one' });
  book.send(order('1', { a: 2 }), { kind: 'other' });
  book.refuse(order('1', { a: 2 }));
  book.hear(checkout('1'));
  expect(book.violations()).toEqual([]);
});

test('checkouts of others are of no interest', () => {
  const book = new PartnerBook('acme');
  book.hear(checkout('1', 'ada'));
  book.hear({ 'detail-type': 'OrderPlaced.v1', detail: {} });
  expect(book.violations()).toEqual([]);
});
