import { ignoringDuplicates, step } from '@millrace/steps';
import { placeOrderForCheckout } from '../../steps/index.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';

const orders = ordersFromEnvironment();

/** Places an order in checkout. */
export const handler = step(placeOrderForCheckout, ({ order }, { cause, inbox }) =>
  ignoringDuplicates(orders.execute(order.orderId, { type: 'PlaceOrder', order }, cause, inbox)),
);
