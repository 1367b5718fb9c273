import { ignoringDuplicates, step } from '@millrace/steps';
import { CancellationRequested, lockOrderForCheckout } from '../../steps/index.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import { CancellationRequestedError } from '../domain/order.ts';

const orders = ordersFromEnvironment();

/** Locks an order before it is charged. */
export const handler = step(lockOrderForCheckout, async ({ order }, { cause, inbox }) => {
  try {
    await ignoringDuplicates(orders.execute(order.orderId, { type: 'LockCheckout' }, cause, inbox));
  } catch (error) {
    if (error instanceof CancellationRequestedError) throw new CancellationRequested();
    throw error;
  }
});
