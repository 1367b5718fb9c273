import type { EventOf } from '@millrace/events';
import type { OrderConfirmed } from '@millrace/orders/events';
import { type Html, html } from './html.ts';
import { type Mail, mailDocument } from './mail.ts';
import { orderLinesHtml, orderLinesText } from './order-lines.ts';
import { pickUpPlace } from './pick-up-place.ts';

type Order = EventOf<typeof OrderConfirmed>['data'];

/** Tells the customer that the order will be delivered, or where and when to pick it up. */
export const orderConfirmed = {
  name: 'order-confirmed',

  mail(order: Order): Mail {
    const { orderId, customer } = order;
    const subject = `Your order ${orderId} is confirmed`;
    return {
      subject,
      text: `Hello ${customer.name},

your payment has arrived and your order ${orderId} is confirmed.

${orderLinesText(order)}

${wayText(order)}
`,
      html: mailDocument(
        subject,
        html`<p>Hello ${customer.name},</p>
<p>your payment has arrived and your order ${orderId} is confirmed.</p>
${orderLinesHtml(order)}
<p>${wayHtml(order)}</p>`,
      ),
    };
  },

  sms({ orderId, trackingNumber, pickUp }: Order): string {
    if (pickUp) return `Your order ${orderId} is ready. Pick it up at ${pickUpPlace(pickUp)}.`;
    return `Your order ${orderId} is confirmed. Tracking number: ${trackingNumber}`;
  },
};

function wayText({ trackingNumber, pickUp }: Order): string {
  if (pickUp) return `It is ready. Pick it up at ${pickUpPlace(pickUp)}, and check in when you are there.`;
  return `You can follow your parcel with the tracking number ${trackingNumber}.`;
}

function wayHtml({ trackingNumber = '', pickUp }: Order): Html {
  if (pickUp) {
    return html`It is ready. Pick it up at <strong>${pickUpPlace(pickUp)}</strong>, and check in when you are there.`;
  }
  return html`You can follow your parcel with the tracking number <strong>${trackingNumber}</strong>.`;
}
