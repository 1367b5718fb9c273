import type { Stack } from '@millrace/cloudformation';
import { forEachResource } from '../../core/deploy.ts';
import { type AwsService, apiOf, type Host, type RunningService } from '../../core/service.ts';
import { schedulerAccess } from './access.ts';
import { schedulerApi, schedulerRoutes } from './api.ts';
import { schedulesForConsole } from './console.ts';
import { schedulerDifferences } from './differences.ts';
import { ScheduleGroups } from './groups.ts';
import { schedulerResourceTypes } from './resource-types.ts';
import { DEFAULT_GROUP } from './schedule.ts';
import { SCHEDULER_METRICS, ScheduleRunner } from './schedule-runner.ts';
import { ScheduleStore } from './schedule-store.ts';
import { Schedules } from './schedules.ts';

/** What a test may say of the scheduler. */
export interface SchedulerOptions {
  /** A number from 0 to below 1: where in its flexible window a schedule runs. */
  random?: () => number;
}

/** EventBridge Scheduler. https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html */
export const scheduler: AwsService<undefined> = {
  name: 'scheduler',
  differences: schedulerDifferences,
  protocols: ['rest'],
  routes: schedulerRoutes,
  resourceTypes: schedulerResourceTypes,
  access: schedulerAccess,
  meters: {
    'scheduler.created': 'schedules that were created [function that creates]',
    'scheduler.invocations': 'attempts to call a target [schedule group]',
  },
  refusal: { code: 'AccessDeniedException', status: 403 },
  metrics: { 'AWS/Scheduler': SCHEDULER_METRICS },
  start: startScheduler,
};

/** Starts the scheduler. `random` says where in its flexible window a schedule runs. */
export async function startScheduler(
  host: Host,
  { random = Math.random }: SchedulerOptions = {},
): Promise<RunningService<undefined>> {
  const { region, accountId, clock, call, warn } = host;
  const store = new ScheduleStore(host.dataDirectory);
  const runner = new ScheduleRunner(store, {
    ...{ region, accountId, clock, call, warn, random },
    queueUrlOf: (arn) => `${host.awsUrl}/${arn.split(':').slice(4).join('/')}`,
    metric: (name, ScheduleGroup) => {
      if (name === 'InvocationAttemptCount') host.usage?.add('scheduler.invocations', ScheduleGroup, 1);
      host.metric({ namespace: 'AWS/Scheduler', name, value: 1, dimensions: { ScheduleGroup } });
    },
  });
  const onChange = (): void => runner.wake();
  const groups = new ScheduleGroups(store, { region, accountId, clock, onChange });
  const schedules = new Schedules(store, {
    ...{ region, accountId, clock, onChange },
    mayAssume: (roleArn, groupArn) => host.mayAssume(roleArn, 'scheduler.amazonaws.com', groupArn),
  });
  return {
    handle: undefined,
    api: apiOf('EventBridge Scheduler', schedulerApi(schedules, groups)),
    activate: (stacks) => {
      deploy(stacks, { store, groups, schedules });
      runner.start();
    },
    meter: (counted, { functionName, operation }) => {
      if (operation === 'CreateSchedule') counted.add('scheduler.created', functionName, 1);
    },
    console: () => schedulesForConsole(store),
    [Symbol.asyncDispose]: async () => {
      await runner.stop();
      store.close();
    },
  };
}

/**
 * Declares the templates' groups and schedules, and removes those of an earlier start that are not declared any more.
 * @throws TemplateError for one that EventBridge Scheduler refuses
 */
function deploy(
  stacks: readonly Stack[],
  { store, groups, schedules }: { store: ScheduleStore; groups: ScheduleGroups; schedules: Schedules },
): void {
  const keptGroups = new Set<string>();
  forEachResource(stacks, 'AWS::Scheduler::ScheduleGroup', ({ name, properties }) => {
    groups.declare({ ...properties, Name: name });
    keptGroups.add(name);
  });
  const kept = new Set<string>();
  forEachResource(stacks, 'AWS::Scheduler::Schedule', ({ name, properties }) => {
    schedules.declare({ ...properties, Name: name });
    kept.add(`${String(properties.GroupName ?? DEFAULT_GROUP)}/${name}`);
  });
  store.transaction(() => {
    for (const { isDeclared, groupName, name } of store.schedules()) {
      if (isDeclared && !kept.has(`${groupName}/${name}`)) store.deleteSchedule(groupName, name);
    }
    for (const { isDeclared, name } of store.groups()) {
      if (isDeclared && !keptGroups.has(name)) store.deleteGroup(name);
    }
  });
}
