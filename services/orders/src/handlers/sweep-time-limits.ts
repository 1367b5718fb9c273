import { tableFromEnvironment } from '@millrace/event-store';
import { withinInvocation } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import { type Deadline, sweepOverdue } from '@millrace/timers';
import type { Context } from 'aws-lambda';
import { openOrdersIn } from '../adapters/open-orders.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';

const orders = ordersFromEnvironment();
const openOrders = openOrdersIn(tableFromEnvironment());
/** Failures that a sweep logs one by one: they mostly have the same cause. */
const MAX_LOGGED = 10;

/** Cancels orders whose time is over and whose schedule is missing, or has not run. What it does not reach is there next time. */
export const handler = async (_event: unknown, context: Context): Promise<{ cancelled: number }> => {
  const isTimeLeft = () => context.getRemainingTimeInMillis() > 2_000;
  const now = new Date();
  const end = async ({ id, cause }: Deadline): Promise<boolean> => {
    const { cancellation } = await orders.execute(id, { type: 'TimeOutOrder', now: now.toISOString() }, cause);
    return cancellation?.reason === 'TIMED_OUT';
  };
  const { ended: cancelled, failures } = await withinInvocation(context, () =>
    sweepOverdue(openOrders, end, { now, isTimeLeft }),
  );
  if (cancelled > 0) logger.warn('Cancelled orders whose schedules had not run', { cancelled });
  for (const { id, error } of failures.slice(0, MAX_LOGGED)) {
    logger.error('An overdue order could not be cancelled', { subject: id, error: error as Error });
  }
  if (failures.length > 0) throw new Error(`${failures.length} overdue orders could not be cancelled`);
  return { cancelled };
};
