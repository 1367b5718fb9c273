import { ignoringDuplicates, step } from '@millrace/steps';
import { confirmOrderForCheckout } from '../../steps/index.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';

const orders = ordersFromEnvironment();

/** Confirms an order whose checkout has shipped it. */
export const handler = step(confirmOrderForCheckout, ({ order, trackingNumber }, { cause, inbox }) =>
  ignoringDuplicates(orders.execute(order.orderId, { type: 'ConfirmCheckout', trackingNumber }, cause, inbox)),
);
