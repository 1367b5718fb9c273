import { tableFromEnvironment } from '@millrace/event-store';
import { withinInvocation } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import type { Context } from 'aws-lambda';
import { OpenOrders } from '../adapters/open-orders.ts';
import { ordersFromEnvironment } from '../adapters/orders.ts';
import { sweepTimeLimits } from '../adapters/time-limit-sweep.ts';

const orders = ordersFromEnvironment();
const openOrders = new OpenOrders(tableFromEnvironment());
/** Failures that a sweep logs one by one: they mostly have the same cause. */
const MAX_LOGGED = 10;

/** Cancels orders whose time is over and whose schedule is missing, or has not run. What it does not reach is there next time. */
export const handler = async (_event: unknown, context: Context): Promise<{ cancelled: number }> => {
  const isTimeLeft = () => context.getRemainingTimeInMillis() > 2_000;
  const { cancelled, failures } = await withinInvocation(context, () =>
    sweepTimeLimits(openOrders, orders, { now: new Date(), isTimeLeft }),
  );
  if (cancelled > 0) logger.warn('Cancelled orders whose schedules had not run', { cancelled });
  for (const { orderId, error } of failures.slice(0, MAX_LOGGED)) {
    logger.error('An overdue order could not be cancelled', { subject: orderId, error: error as Error });
  }
  if (failures.length > 0) throw new Error(`${failures.length} overdue orders could not be cancelled`);
  return { cancelled };
};
