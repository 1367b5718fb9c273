import { describe, expect, test } from '@jest/globals';
import { CheckoutApprovalRequested } from '@millrace/checkout/events';
import { StockRanLow } from '@millrace/inventory/events';
import { exampleOrder, OrderCancelled, OrderConfirmed } from '@millrace/orders/events';
import { sampleEvent } from '@millrace/testing';
import { type Message, messagesToApprovers, messagesToCustomer, messagesToOperations } from './message.ts';

const { orderId } = exampleOrder;
const lines = [
  { sku: 'FLOUR-1KG', quantity: 2, unitPrice: 349 },
  { sku: 'SALT', quantity: 1, unitPrice: 100 },
];

function mailOf(messages: Message[]) {
  const [message] = messages;
  if (message?.channel !== 'email') throw new Error('Expected a mail first');
  return message.mail;
}

function textOf(messages: Message[]): string | undefined {
  const [, message] = messages;
  return message?.channel === 'sms' ? message.text : undefined;
}

describe('a confirmed order', () => {
  const { event } = sampleEvent(OrderConfirmed, { lines, total: { amount: 798, currency: 'EUR' } });

  test('is told by mail and SMS', () => {
    expect(messagesToCustomer(event)).toMatchObject([
      { channel: 'email', template: 'order-confirmed', recipient: 'customer-1', to: 'ada@example.com' },
      { channel: 'sms', template: 'order-confirmed', recipient: 'customer-1', to: '+4915112345678' },
    ]);
  });

  test('reads well as plain text', () => {
    expect(mailOf(messagesToCustomer(event))).toMatchObject({
      subject: `Your order ${orderId} is confirmed`,
      text: `Hello Ada Example,

your payment has arrived and your order ${orderId} is confirmed.

2 × FLOUR-1KG: €6.98
1 × SALT: €1.00
Total: €7.98

You can follow your parcel with the tracking number MR0B9F6C1E5A43.
`,
    });
  });

  test('shows every line and the total in HTML, and lets no markup through', () => {
    const customer = { ...exampleOrder.customer, name: '<script>alert(1)</script>' };
    const { html } = mailOf(messagesToCustomer({ ...event, data: { ...event.data, customer } }));

    expect(html).toContain('<td>2 ×</td><td>FLOUR-1KG</td><td align="right">€6.98</td>');
    expect(html).toContain('<strong>€7.98</strong>');
    expect(html).not.toContain('<script>');
  });
});

describe('a cancelled order', () => {
  test.each([
    ['OUT_OF_STOCK', 'Out of stock: FLOUR-1KG', 'because it is out of stock.'],
    ['PAYMENT_FAILED', 'The payment was refused: card_declined', 'because the payment was refused.'],
    ['CUSTOMER_REQUEST', 'Cancelled at your request', 'because you asked for it.'],
    ['TIMED_OUT', 'We could not complete it in time', 'because it could not be completed in time.'],
  ] as const)('%s is told with its reason', (reason, detail, shortReason) => {
    const messages = messagesToCustomer(sampleEvent(OrderCancelled, { reason, detail }).event);

    expect(messages.map(({ template }) => template)).toEqual(['order-cancelled', 'order-cancelled']);
    expect(mailOf(messages).text).toContain(`your order ${orderId} is cancelled. ${detail}.`);
    expect(mailOf(messages).html).toContain(`${detail}.`);
    expect(textOf(messages)).toBe(`Your order ${orderId} is cancelled ${shortReason}`);
  });

  test('an SMS fits into one part', () => {
    const messages = messagesToCustomer(sampleEvent(OrderCancelled, { reason: 'PAYMENT_FAILED' }).event);

    expect(textOf(messages)).toMatch(/^[ -~]{1,160}$/);
  });
});

test('stock that ran low is told to operations', () => {
  const { event } = sampleEvent(StockRanLow, { sku: 'SALT', available: 1, lowStockThreshold: 3 });

  expect(messagesToOperations(event, 'operations@millrace.example')).toMatchObject([
    {
      channel: 'email',
      template: 'stock-ran-low',
      recipient: 'operations',
      to: 'operations@millrace.example',
      mail: { text: 'Only 1 of SALT left; the threshold is 3.\n' },
    },
  ]);
});

describe('a checkout that waits for an approval', () => {
  const { event } = sampleEvent(CheckoutApprovalRequested, { expiresAt: '2026-01-16T09:30:00.000Z' });
  const told = (now: string) => messagesToApprovers(event, 'approvals@millrace.example', new Date(now));

  test('is told to the approvers, with its amount, its time and how to answer', () => {
    const { checkoutId } = event.data;

    expect(told('2026-01-15T09:30:00.000Z')).toMatchObject([
      {
        ...{ channel: 'email', template: 'approval-requested', recipient: 'approvers' },
        to: 'approvals@millrace.example',
        mail: {
          subject: 'A checkout of €1,500.00 waits for your approval',
          text: `Checkout ${checkoutId} of €1,500.00 waits for an approval until 2026-01-16 09:30 UTC. Without an answer it is cancelled.

To answer, send POST /checkouts/${checkoutId}/approval with the body {"approved": true}, or {"approved": false} to refuse it.
Your token needs the scope approvals:write.
`,
        },
      },
    ]);
  });

  test('is not told any more when its time is over', () => {
    expect(told('2026-01-16T09:30:00.000Z')).toEqual([]);
  });
});
