import type { OpenOrder, OpenOrders } from './open-orders.ts';
import type { Orders } from './orders.ts';

/** The outcome of a sweep. */
export interface SweepOutcome {
  /** Orders that it has cancelled. */
  cancelled: number;
  /** The orders that could not be cancelled, with the reasons: they are still overdue. */
  failures: { orderId: string; error: unknown }[];
}

/** For the schedule, which is usually there: EventBridge Scheduler is up to a minute late. */
export const GRACE_MS = 2 * 60_000;

/** Orders that are cancelled side by side. */
const CONCURRENCY = 10;

/**
 * Cancels every order whose deadline has passed for longer than a schedule may be late. One that fails does not keep the others.
 * @param isTimeLeft asked before each page; the next sweep goes on where this one ends
 * @example const { cancelled } = await sweepTimeLimits(openOrders, orders, { now: new Date(), isTimeLeft: () => true });
 */
export async function sweepTimeLimits(
  openOrders: Pick<OpenOrders, 'overdue'>,
  orders: Pick<Orders, 'execute'>,
  { now, isTimeLeft }: { now: Date; isTimeLeft: () => boolean },
): Promise<SweepOutcome> {
  const outcome: SweepOutcome = { cancelled: 0, failures: [] };
  const end = async ({ orderId, cause }: OpenOrder): Promise<void> => {
    try {
      const { cancellation } = await orders.execute(orderId, { type: 'TimeOutOrder', now: now.toISOString() }, cause);
      if (cancellation?.reason === 'TIMED_OUT') outcome.cancelled += 1;
    } catch (error) {
      outcome.failures.push({ orderId, error });
    }
  };
  for await (const overdue of openOrders.overdue(new Date(now.getTime() - GRACE_MS))) {
    for (let start = 0; start < overdue.length; start += CONCURRENCY) {
      if (!isTimeLeft()) return outcome;
      await Promise.all(overdue.slice(start, start + CONCURRENCY).map(end));
    }
  }
  return outcome;
}
