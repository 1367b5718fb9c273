import { tableFromEnvironment } from '@millrace/event-store';
import { withinInvocation } from '@millrace/retry';
import { logger } from '@millrace/telemetry';
import { type Deadline, sweepOverdue } from '@millrace/timers';
import type { Context } from 'aws-lambda';
import { reservationDeadlinesIn, Slots } from '../adapters/slots.ts';

const table = tableFromEnvironment();
const slots = new Slots(table);
const deadlines = reservationDeadlinesIn(table);
/** Failures that a sweep logs one by one: they mostly have the same cause. */
const MAX_LOGGED = 10;

/** Ends reservations whose time is over and whose schedule is missing, or has not run. What it does not reach is there next time. */
export const handler = async (_event: unknown, context: Context): Promise<{ ended: number }> => {
  const isTimeLeft = () => context.getRemainingTimeInMillis() > 2_000;
  const now = new Date();
  const end = async ({ id, deadline, cause }: Deadline): Promise<boolean> => {
    const command = { type: 'ReachTimeLimit', deadline, now: now.toISOString() } as const;
    return (await slots.execute(id, command, cause)).events.length > 0;
  };
  const { ended, failures } = await withinInvocation(context, () => sweepOverdue(deadlines, end, { now, isTimeLeft }));
  if (ended > 0) logger.warn('Ended reservations whose schedules had not run', { ended });
  else logger.debug('No reservation without a schedule was overdue');
  for (const { id, error } of failures.slice(0, MAX_LOGGED)) {
    logger.error('An overdue reservation could not be ended', { subject: id, error: error as Error });
  }
  if (failures.length > 0) throw new Error(`${failures.length} overdue reservations could not be ended`);
  return { ended };
};
