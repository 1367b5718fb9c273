import { randomUUID } from 'node:crypto';
import { consumeBatch } from '@millrace/consumer';
import { commit, inboxMark, tableFromEnvironment } from '@millrace/event-store';
import type { Cause, EventOf } from '@millrace/events';
import { timersFromEnvironment } from '@millrace/timers';
import { OrderCancelled, OrderConfirmed, OrderPlaced, OrderTimeLimitReached } from '../../events/index.ts';

const timers = timersFromEnvironment();
const table = tableFromEnvironment();

type Placed = EventOf<typeof OrderPlaced>;
type Ended = EventOf<typeof OrderConfirmed> | EventOf<typeof OrderCancelled>;

/**
 * Keeps one schedule for each open order: from the order's first event until the one that ends it. Its name is the order's id, so
 * that to create or delete it again changes nothing, after a crash before the mark too. Events may come in any order: the schedule
 * of an order that has ended runs, changes nothing, and is gone.
 */
export const handler = consumeBatch([OrderPlaced, OrderConfirmed, OrderCancelled], async (records) => {
  // An order that begins and ends within one batch needs no schedule, and must not get one after its deletion.
  const ended = new Set(records.flatMap(({ event }) => (isPlaced(event) ? [] : [event.data.orderId])));
  const settled = await Promise.allSettled(
    records.map(async ({ event, context: { cause, inbox } }) => {
      const { orderId } = event.data;
      if (!isPlaced(event)) await timers.cancel(orderId);
      else if (!ended.has(orderId)) await schedule(event, cause);
      await commit(table.client, [inboxMark(table.name, inbox, new Date())]);
    }),
  );
  return settled.map((result) => (result.status === 'rejected' ? result.reason : undefined));
});

function isPlaced(event: Placed | Ended): event is Placed {
  return event.detailType === 'OrderPlaced.v1';
}

async function schedule({ data: { orderId, deadline } }: Placed, cause: Cause): Promise<void> {
  // Missing in orders that were placed before there were time limits.
  if (deadline === undefined) return;
  const time = new Date(deadline);
  const context = { ...cause, id: randomUUID(), time, subject: orderId };
  await timers.set(orderId, time, OrderTimeLimitReached.create({ orderId, deadline }, context));
}
