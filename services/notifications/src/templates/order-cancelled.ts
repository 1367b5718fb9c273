import type { EventOf } from '@millrace/events';
import type { OrderCancelled } from '@millrace/orders/events';
import { html } from './html.ts';
import { type Mail, mailDocument } from './mail.ts';
import { orderLinesHtml, orderLinesText } from './order-lines.ts';

type Order = EventOf<typeof OrderCancelled>['data'];

const refund = 'If we have already taken a payment, you get it back in full.';

/** Short enough for an SMS, whatever was ordered. */
const reasons: Record<Order['reason'], string> = {
  OUT_OF_STOCK: 'it is out of stock',
  PAYMENT_FAILED: 'the payment was refused',
  CUSTOMER_REQUEST: 'you asked for it',
  TIMED_OUT: 'it could not be completed in time',
  NOT_APPROVED: 'it was not approved',
  TECHNICAL_FAILURE: 'it could not be processed',
  SLOT_REFUSED: 'you do not have its pick-up slot',
};

/** Tells the customer that the order will not be delivered, and why. */
export const orderCancelled = {
  name: 'order-cancelled',

  mail(order: Order): Mail {
    const { orderId, customer, detail } = order;
    const subject = `Your order ${orderId} is cancelled`;
    return {
      subject,
      text: `Hello ${customer.name},

your order ${orderId} is cancelled. ${detail}.

${orderLinesText(order)}

${refund}
`,
      html: mailDocument(
        subject,
        html`<p>Hello ${customer.name},</p>
<p>your order ${orderId} is cancelled. ${detail}.</p>
${orderLinesHtml(order)}
<p>${refund}</p>`,
      ),
    };
  },

  sms({ orderId, reason }: Order): string {
    return `Your order ${orderId} is cancelled because ${reasons[reason]}.`;
  },
};
