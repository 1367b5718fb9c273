import type { CompiledService } from '../compiled-workspace.ts';
import type { Finding, Rule } from '../rule.ts';
import {
  allStatements,
  assumableBy,
  at,
  type Entry,
  entriesOf,
  isSame,
  list,
  referenceTo,
  type Statement,
  stageArn,
} from '../template.ts';
import { fits, type WantedAlarm } from '../wanted-alarm.ts';

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html */
const failingSchedules: WantedAlarm = {
  namespace: 'AWS/Scheduler',
  metric: 'TargetErrorCount',
  statistic: 'Sum',
  threshold: [0, 0],
  minutes: [5, 5],
};
/** Of a function that runs at a rate. */
const stoppedRate: WantedAlarm = {
  namespace: 'AWS/Lambda',
  metric: 'Invocations',
  statistic: 'Sum',
  threshold: [1, 1],
  minutes: [15, 15],
  tooLittle: true,
};
const failingRate: WantedAlarm = {
  namespace: 'AWS/Lambda',
  metric: 'Errors',
  statistic: 'Sum',
  threshold: [0, 0],
  minutes: [30, 30],
  datapoints: 3,
};

/** The group whose schedules put events with a role: `SetTimeLimitScheduleGroup`, `SetTimeLimitScheduleRole`. */
export function groupOfRole(service: CompiledService, roleId: string): Entry | undefined {
  if (!/ScheduleRole$/.test(roleId)) return undefined;
  const id = roleId.replace(/Role$/, 'Group');
  return entriesOf(service, 'AWS::Scheduler::ScheduleGroup').find((group) => group.id === id);
}

/** The rules that call functions at a rate. */
export function ratesOf(service: CompiledService): Entry[] {
  return entriesOf(service, 'AWS::Events::Rule').filter(
    ({ properties }) => properties.ScheduleExpression !== undefined,
  );
}

/**
 * Schedules are made by code: what they may do is in the role that code gives them. And a function that runs at a rate has no
 * queue that tells whether it does.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
 */
export const schedules: Rule = {
  name: 'schedules',
  why: 'a schedule acts with the role it was given, long after its function made it, and says nothing when it does not run',
  check(service) {
    return [...groups(service), ...passedRoles(service), ...rates(service)];
  },
};

function groups(service: CompiledService): Finding[] {
  return entriesOf(service, 'AWS::Scheduler::ScheduleGroup').flatMap(({ id, properties }): Finding[] => {
    const base = id.replace(/Group$/, '');
    const role = service.template.Resources?.[`${base}Role`]?.Properties;
    const trust = assumableBy('scheduler.amazonaws.com', {
      StringEquals: {
        'aws:SourceAccount': { Ref: 'AWS::AccountId' },
        'aws:SourceArn': stageArn('scheduler', `schedule-group/${properties.Name}`),
      },
    });
    const statements = list(role?.Policies).flatMap((each) => list(at(each, 'PolicyDocument', 'Statement')));
    const may = (action: string) => statements.some((each) => list(at(each, 'Action')).includes(action));
    const users = entriesOf(service, 'AWS::IAM::Role').filter((each) => mayCreate(each, String(properties.Name)));
    return [
      ...(isSame(role?.AssumeRolePolicyDocument, trust)
        ? []
        : [`${base}Role can be assumed by others than EventBridge Scheduler for this group`]),
      ...(list(role?.ManagedPolicyArns).length > 0 ? [`${base}Role has ManagedPolicyArns`] : []),
      ...['events:PutEvents', 'sqs:SendMessage']
        .filter((action) => !may(action))
        .map((action) => `${base}Role does not allow ${action}`),
      ...(users.length === 1 ? [] : [`${users.length} roles may make schedules of it, not one`]),
      ...(failingAlarm(service, id) ? [] : ['no alarm goes off when its schedules fail']),
    ].map((problem) => ({ resource: id, problem }));
  });
}

function mayCreate(role: Entry, group: string): boolean {
  return allStatements(role).some(
    ({ statement }) =>
      list(statement.Action).includes('scheduler:CreateSchedule') &&
      list(statement.Action).includes('scheduler:DeleteSchedule') &&
      isSame(statement.Resource, schedulesOf(group)),
  );
}

/** The resource of a statement about the schedules of a group. */
export function schedulesOf(group: string): object {
  return stageArn('scheduler', `schedule/${group}/*`);
}

function failingAlarm(service: CompiledService, groupId: string): boolean {
  const dimensions = [{ Name: 'ScheduleGroup', Value: { Ref: groupId } }];
  return entriesOf(service, 'AWS::CloudWatch::Alarm').some((alarm) => fits(alarm, failingSchedules, dimensions));
}

/** A function gives away the role of its own group, to EventBridge Scheduler, and no other. */
function passedRoles(service: CompiledService): Finding[] {
  const toScheduler = { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } };
  return entriesOf(service, 'AWS::IAM::Role').flatMap((role) => {
    const statements = allStatements(role);
    const passes = ({ Action }: Statement) => list(Action).includes('iam:PassRole');
    const makes = statements.some(({ statement }) => list(statement.Action).includes('scheduler:CreateSchedule'));
    const passed = statements.filter(({ statement }) => passes(statement));
    return [
      ...passed
        .filter(({ statement }) => !isSame(statement.Condition, toScheduler) || list(statement.Action).length > 1)
        .map(({ place }) => `${place}: iam:PassRole not to EventBridge Scheduler alone`),
      ...(makes && passed.length === 0 ? ['may make schedules, and not give them a role'] : []),
    ].map((problem) => ({ resource: role.id, problem }));
  });
}

/** A function that runs at a rate tells when it does not run, or fails. */
function rates(service: CompiledService): Finding[] {
  const alarms = entriesOf(service, 'AWS::CloudWatch::Alarm');
  return ratesOf(service).flatMap(({ id, properties }) => {
    const [target] = list(properties.Targets);
    const handler = service.template.Resources?.[referenceTo(at(target, 'Arn')) ?? '']?.Properties;
    const dimensions = [{ Name: 'FunctionName', Value: handler?.FunctionName }];
    const has = (wanted: WantedAlarm) => alarms.some((alarm) => fits(alarm, wanted, dimensions));
    return [
      ...(has(stoppedRate) ? [] : ['no alarm goes off when its function does not run']),
      ...(has(failingRate) ? [] : ['no alarm goes off when its function fails again and again']),
    ].map((problem) => ({ resource: id, problem }));
  });
}
