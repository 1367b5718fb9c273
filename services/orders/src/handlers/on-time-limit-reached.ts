import { consume } from '@millrace/consumer';
import { OrderTimeLimitReached } from '../../events/index.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';

const orders = ordersFromEnvironment();

/** Cancels an order that has not ended in time. What an order knows of its deadline counts, not what the event says. */
export const handler = consume([OrderTimeLimitReached], async (event, { cause, inbox }) => {
  await orders.execute(event.data.orderId, { type: 'TimeOutOrder', now: new Date().toISOString() }, cause, inbox);
});
