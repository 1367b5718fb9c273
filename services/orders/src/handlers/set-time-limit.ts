import { randomUUID } from 'node:crypto';
import { consume } from '@millrace/consumer';
import { commit, inboxMark, tableFromEnvironment } from '@millrace/event-store';
import { OrderCancelled, OrderConfirmed, OrderPlaced, OrderTimeLimitReached } from '../../events/index.ts';
import { timersFromEnvironment } from '../adapters/timers.ts';

const timers = timersFromEnvironment();
const table = tableFromEnvironment();

/**
 * Keeps one schedule for each open order: it is there from the order's first event until the one that ends it. Its name is the
 * order's id, so that to create or delete it again changes nothing, after a crash before the mark too. Events may come in any
 * order: a schedule of an order that has ended runs, changes nothing, and is gone.
 */
export const handler = consume([OrderPlaced, OrderConfirmed, OrderCancelled], async (event, { cause, inbox }) => {
  const { orderId } = event.data;
  if (event.detailType !== 'OrderPlaced.v1') {
    await timers.cancel(orderId);
  } else if (event.data.deadline !== undefined) {
    const { deadline } = event.data;
    const time = new Date(deadline);
    const context = { ...cause, id: randomUUID(), time, subject: orderId };
    await timers.set(orderId, time, OrderTimeLimitReached.create({ orderId, deadline }, context));
  }
  await commit(table.client, [inboxMark(table.name, inbox, new Date())]);
});
