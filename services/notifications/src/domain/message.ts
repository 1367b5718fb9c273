import type { CheckoutApprovalRequested } from '@millrace/checkout/events';
import type { EventOf } from '@millrace/events';
import type { StockRanLow } from '@millrace/inventory/events';
import type { OrderCancelled, OrderConfirmed, OrderSwitchedToDelivery } from '@millrace/orders/events';
import { approvalRequested } from '../templates/approval-requested.ts';
import type { Mail } from '../templates/mail.ts';
import { orderCancelled } from '../templates/order-cancelled.ts';
import { orderConfirmed } from '../templates/order-confirmed.ts';
import { orderSwitchedToDelivery } from '../templates/order-switched-to-delivery.ts';
import { stockRanLow } from '../templates/stock-ran-low.ts';

/** One message to one address. An event leads to at most one message by each channel. */
export type Message = {
  /** Name of the template. */
  template: string;
  /** Whom it is for, without an address: the customer's id, `operations` or `approvers`. */
  recipient: string;
} & ({ channel: 'email'; to: string; mail: Mail } | { channel: 'sms'; to: string; text: string });

/** What becomes of an order: an event, or what a step of the checkout says instead of it. */
export type Outcome =
  | OutcomeOf<typeof OrderConfirmed>
  | OutcomeOf<typeof OrderCancelled>
  | OutcomeOf<typeof OrderSwitchedToDelivery>;
type OutcomeOf<Contract extends typeof OrderConfirmed | typeof OrderCancelled | typeof OrderSwitchedToDelivery> = Pick<
  EventOf<Contract>,
  'detailType' | 'data'
>;

/** What a customer is told about the end of an order, or another way to get it: by mail and, when a phone number is known, by SMS. */
export function messagesToCustomer(outcome: Outcome): Message[] {
  switch (outcome.detailType) {
    case 'OrderConfirmed.v1':
      return toCustomer(orderConfirmed, outcome.data);
    case 'OrderCancelled.v1':
      return toCustomer(orderCancelled, outcome.data);
    case 'OrderSwitchedToDelivery.v1':
      return toCustomer(orderSwitchedToDelivery, outcome.data);
  }
}

/** What operations are told about a SKU that runs out. */
export function messagesToOperations({ data }: EventOf<typeof StockRanLow>, to: string): Message[] {
  return [{ channel: 'email', template: stockRanLow.name, recipient: 'operations', to, mail: stockRanLow.mail(data) }];
}

/** What approvers are told about a checkout that waits for them: nothing when its time is over, as no answer would count. */
export function messagesToApprovers(
  { data }: EventOf<typeof CheckoutApprovalRequested>,
  to: string,
  now: Date,
): Message[] {
  if (Date.parse(data.expiresAt) <= now.getTime()) return [];
  const mail = approvalRequested.mail(data);
  return [{ channel: 'email', template: approvalRequested.name, recipient: 'approvers', to, mail }];
}

function toCustomer<Order extends { customer: { id: string; email: string; phone?: string | undefined } }>(
  template: { name: string; mail: (order: Order) => Mail; sms: (order: Order) => string },
  order: Order,
): Message[] {
  const { id, email, phone } = order.customer;
  const message = { template: template.name, recipient: id };
  return [
    { ...message, channel: 'email', to: email, mail: template.mail(order) },
    ...(phone ? [{ ...message, channel: 'sms' as const, to: phone, text: template.sms(order) }] : []),
  ];
}
