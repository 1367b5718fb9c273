import type { Access } from '@millrace/iam-policy';
import type { AccessOf } from '../../core/access.ts';

const onSchedule = new Set(['CreateSchedule', 'GetSchedule', 'UpdateSchedule', 'DeleteSchedule']);
const onGroup = new Set(['CreateScheduleGroup', 'GetScheduleGroup', 'DeleteScheduleGroup']);
const onArn = new Set(['ListTagsForResource', 'TagResource', 'UntagResource']);
const onEverything = new Set(['ListSchedules', 'ListScheduleGroups']);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html */
export const schedulerAccess: AccessOf = (operation, input, arn) => {
  const { Name = '', GroupName = 'default', ResourceArn } = input;
  const access = (resource: string, action = operation): Access => ({ action: `scheduler:${action}`, resource });
  if (onSchedule.has(operation)) {
    return [access(arn('scheduler', `schedule/${GroupName}/${Name}`)), ...passRole(input.Target)];
  }
  if (onGroup.has(operation)) {
    const group = arn('scheduler', `schedule-group/${Name}`);
    return [
      access(group),
      ...(operation === 'CreateScheduleGroup' && input.Tags ? [access(group, 'TagResource')] : []),
      // The schedules go with their group.
      ...(operation === 'DeleteScheduleGroup'
        ? [access(arn('scheduler', `schedule/${Name}/*`), 'DeleteSchedule')]
        : []),
    ];
  }
  if (onArn.has(operation)) return [access(String(ResourceArn))];
  return onEverything.has(operation) ? [access('*')] : undefined;
};

/** To give a schedule a role, a caller must be allowed to pass it. */
function passRole(target: unknown): Access[] {
  const { RoleArn } = (target ?? {}) as { RoleArn?: unknown };
  if (RoleArn === undefined) return [];
  const context = new Map([['iam:passedtoservice', ['scheduler.amazonaws.com']]]);
  return [{ action: 'iam:PassRole', resource: String(RoleArn), context }];
}
