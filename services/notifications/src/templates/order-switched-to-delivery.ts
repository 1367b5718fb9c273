import type { EventOf } from '@millrace/events';
import type { OrderSwitchedToDelivery } from '@millrace/orders/events';
import { html } from './html.ts';
import { type Mail, mailDocument } from './mail.ts';
import { orderLinesHtml, orderLinesText } from './order-lines.ts';
import { pickUpPlace } from './pick-up-place.ts';

type Order = EventOf<typeof OrderSwitchedToDelivery>['data'];

/** Short enough for an SMS. */
const reasons: Record<Order['reason'], string> = {
  UNATTENDED: 'you did not check in in time',
  CANCELLED: 'you have cancelled the reservation',
  CLOSED: 'we had to close the slot',
  CHECKED_OUT: 'it was not ready before you left',
};

/** Tells the customer that an order is sent that was to be picked up, and why. */
export const orderSwitchedToDelivery = {
  name: 'order-switched-to-delivery',

  mail(order: Order): Mail {
    const { orderId, customer, reason, pickUp, trackingNumber } = order;
    const subject = `We send you your order ${orderId}`;
    const missed = `you were to pick up your order ${orderId} at ${pickUpPlace(pickUp)}, but ${reasons[reason]}.`;
    const follow = trackingNumber ? ` You can follow your parcel with the tracking number ${trackingNumber}.` : '';
    const sent = `So we send it to the address of your order, and you need not do anything.${follow}`;
    return {
      subject,
      text: `Hello ${customer.name},

${missed}
${sent}

${orderLinesText(order)}
`,
      html: mailDocument(
        subject,
        html`<p>Hello ${customer.name},</p>
<p>${missed}</p>
<p>${sent}</p>
${orderLinesHtml(order)}`,
      ),
    };
  },

  sms({ orderId, reason }: Order): string {
    return `We send your order ${orderId} to its address, because ${reasons[reason]}.`;
  },
};
