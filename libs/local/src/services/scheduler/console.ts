import type { ScheduleStore } from './schedule-store.ts';

/** What a console shows of the schedules: what runs next comes first. */
export function schedulesForConsole(store: ScheduleStore): unknown {
  return store
    .schedules()
    .map(({ name, groupName, expression, timeZone, state, target, lastDue }) => {
      const dueAt = store.dueAt(groupName, name);
      return { name, groupName, expression, timeZone, state, target: target.Arn, dueAt, lastDue };
    })
    .sort((one, other) => (one.dueAt ?? Number.POSITIVE_INFINITY) - (other.dueAt ?? Number.POSITIVE_INFINITY));
}
