import type { EventOf } from '@millrace/events';
import type { OrderConfirmed } from '@millrace/orders/events';
import { html } from './html.ts';
import { type Mail, mailDocument } from './mail.ts';
import { orderLinesHtml, orderLinesText } from './order-lines.ts';

type Order = EventOf<typeof OrderConfirmed>['data'];

/** Tells the customer that the order will be delivered. */
export const orderConfirmed = {
  name: 'order-confirmed',

  mail(order: Order): Mail {
    const { orderId, customer, trackingNumber } = order;
    const subject = `Your order ${orderId} is confirmed`;
    return {
      subject,
      text: `Hello ${customer.name},

your payment has arrived and your order ${orderId} is confirmed.

${orderLinesText(order)}

You can follow your parcel with the tracking number ${trackingNumber}.
`,
      html: mailDocument(
        subject,
        html`<p>Hello ${customer.name},</p>
<p>your payment has arrived and your order ${orderId} is confirmed.</p>
${orderLinesHtml(order)}
<p>You can follow your parcel with the tracking number <strong>${trackingNumber}</strong>.</p>`,
      ),
    };
  },

  sms({ orderId, trackingNumber }: Order): string {
    return `Your order ${orderId} is confirmed. Tracking number: ${trackingNumber}`;
  },
};
