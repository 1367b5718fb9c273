import { expect, test } from '@jest/globals';
import { exampleOrder, OrderCancelled, OrderConfirmed, OrderSwitchedToDelivery } from '@millrace/orders/events';
import { sampleEvent } from '@millrace/testing';
import { type Message, messagesToCustomer } from './message.ts';

const { orderId } = exampleOrder;
const { pickUp, slotId } = OrderSwitchedToDelivery.example;

/** What a customer reads: by mail, as text and HTML, and by SMS. */
function letters(messages: Message[]) {
  const [mail, sms] = messages;
  if (mail?.channel !== 'email' || sms?.channel !== 'sms') throw new Error('Expected a mail and an SMS');
  return { template: mail.template, to: [mail.to, sms.to], ...mail.mail, sms: sms.text };
}

test('a confirmed order with a slot says where and when to pick it up, on the clocks of the place', () => {
  const { trackingNumber: _, ...data } = sampleEvent(OrderConfirmed, { slotId, pickUp }).event.data;
  const { text, html, sms } = letters(messagesToCustomer({ detailType: 'OrderConfirmed.v1', data }));

  const place = 'Harbour East, Thursday, 15 January 2026, 10:00–10:30 (Europe/Vienna)';
  expect(text).toContain(`It is ready. Pick it up at ${place}, and check in when you are there.`);
  expect(html).toContain(`<strong>${place}</strong>`);
  expect(sms).toBe(`Your order ${orderId} is ready. Pick it up at ${place}.`);
  expect(`${text}${html}${sms}`).not.toMatch(/tracking|undefined/i);
});

test.each([
  ['UNATTENDED', 'you did not check in in time'],
  ['CANCELLED', 'you have cancelled the reservation'],
  ['CLOSED', 'we had to close the slot'],
  ['CHECKED_OUT', 'it was not ready before you left'],
] as const)('an order that is sent instead says why, and what happens to it: %s', (reason, because) => {
  const { event } = sampleEvent(OrderSwitchedToDelivery, { reason });
  const { template, to, subject, text, html, sms } = letters(messagesToCustomer(event));

  expect(template).toBe('order-switched-to-delivery');
  expect(to).toEqual([exampleOrder.customer.email, exampleOrder.customer.phone]);
  expect(subject).toBe(`We send you your order ${orderId}`);
  for (const letter of [text, html]) {
    expect(letter).toContain(because);
    expect(letter).toContain('So we send it to the address of your order');
    expect(letter).toContain('MR0B9F6C1E5A43');
  }
  expect(sms).toBe(`We send your order ${orderId} to its address, because ${because}.`);
});

test('a place whose time zone is not known is told in UTC', () => {
  const elsewhere = { ...pickUp, location: { ...pickUp.location, timeZone: 'Moon/Tycho' } };
  const { sms } = letters(messagesToCustomer(sampleEvent(OrderConfirmed, { slotId, pickUp: elsewhere }).event));

  expect(sms).toContain('09:00–09:30 (UTC)');
});

test('without a parcel yet, nothing is said of a tracking number', () => {
  const { trackingNumber: _, ...data } = OrderSwitchedToDelivery.example;
  const { text } = letters(messagesToCustomer({ detailType: 'OrderSwitchedToDelivery.v1', data }));

  expect(text).not.toMatch(/tracking|undefined/i);
});

test('an order whose slot was refused says so', () => {
  const detail = 'You have no reservation of the pick-up slot';
  const { text, sms } = letters(
    messagesToCustomer(sampleEvent(OrderCancelled, { reason: 'SLOT_REFUSED', detail }).event),
  );

  expect(text).toContain(`${detail}.`);
  expect(sms).toContain('because you do not have its pick-up slot.');
});
