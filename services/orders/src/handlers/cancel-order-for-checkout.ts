import { ignoringDuplicates, step } from '@millrace/steps';
import { cancelOrderForCheckout } from '../../steps/index.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';

const orders = ordersFromEnvironment();

/** Cancels an order whose checkout is undone. */
export const handler = step(cancelOrderForCheckout, ({ order, cancellation }, { cause, inbox }) =>
  ignoringDuplicates(orders.execute(order.orderId, { type: 'CancelCheckout', ...cancellation }, cause, inbox)),
);
