import { parseSchedulerExpression } from '../../core/schedules/schedule-expression.ts';
import { TimeZone } from '../../core/schedules/time-zone.ts';
import { retryPolicyOf, type Schedule, windowMs } from './schedule.ts';

/**
 * When a schedule is due next.
 *
 * A one-time schedule in the past is due at once if it has not been yet, as AWS does when one is enabled late. Everything else is due
 * at its first time that is not before `now`, within its start and end date.
 *
 * @returns milliseconds since the epoch; undefined when it is disabled or over
 */
export function dueNext(schedule: Schedule, now: number): number | undefined {
  if (schedule.state === 'DISABLED') return undefined;
  const { expression, timeZone, startDate, endDate, lastDue = Number.NEGATIVE_INFINITY } = schedule;
  const times = parseSchedulerExpression(expression, new TimeZone(timeZone));
  // One-time schedules have no start and end: EventBridge Scheduler ignores them.
  if (times.kind === 'at') return times.next(lastDue, 0);
  const after = Math.max(lastDue, now - 1, (startDate ?? Number.NEGATIVE_INFINITY) - 1);
  const next = times.next(after, startDate ?? schedule.origin);
  return next === undefined || (endDate !== undefined && next > endDate) ? undefined : next;
}

/**
 * Which of the times that have been missed is made up for: the last one, if it is still within its flexible window and the age that
 * its retry policy allows. On time it is the time itself.
 *
 * @param dueAt the first time that was missed
 */
export function timeToRun(schedule: Schedule, dueAt: number, now: number): number | undefined {
  const reach = windowMs(schedule) + retryPolicyOf(schedule.target).MaximumEventAgeInSeconds * 1000;
  const times = parseSchedulerExpression(schedule.expression, new TimeZone(schedule.timeZone));
  if (times.kind === 'at') return dueAt;
  const origin = schedule.startDate ?? schedule.origin;
  const end = Math.min(now, schedule.endDate ?? Number.POSITIVE_INFINITY);
  let last: number | undefined;
  let time: number | undefined = dueAt >= now - reach ? dueAt : times.next(now - reach, origin);
  while (time !== undefined && time <= end) {
    last = time;
    time = times.next(time, origin);
  }
  return last;
}
