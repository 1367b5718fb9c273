import type { Operations, RestRoute } from '../../core/service.ts';
import type { ScheduleGroups } from './groups.ts';
import type { Schedules } from './schedules.ts';

/** The operations by name. https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html */
export function schedulerApi(schedules: Schedules, groups: ScheduleGroups): Operations {
  return {
    CreateSchedule: (input) => schedules.create(input),
    GetSchedule: (input) => schedules.get(input),
    UpdateSchedule: (input) => schedules.update(input),
    DeleteSchedule: (input) => schedules.delete(input),
    ListSchedules: (input) => schedules.list(input),
    CreateScheduleGroup: (input) => groups.create(input),
    GetScheduleGroup: (input) => groups.get(input),
    DeleteScheduleGroup: (input) => groups.delete(input),
    ListScheduleGroups: (input) => groups.list(input),
    ListTagsForResource: (input) => groups.listTags(input),
    TagResource: (input) => groups.tag(input),
    UntagResource: (input) => groups.untag(input),
  };
}

const page = { NamePrefix: 'NamePrefix', NextToken: 'NextToken', MaxResults: 'MaxResults#' };
const token = { clientToken: 'ClientToken' };
const one = { path: '/schedules/{Name}' };
const oneGroup = { path: '/schedule-groups/{Name}' };
const tags = { path: '/tags/{ResourceArn}' };

export const schedulerRoutes: readonly RestRoute[] = [
  { operation: 'CreateSchedule', method: 'POST', ...one },
  { operation: 'GetSchedule', method: 'GET', ...one, query: { groupName: 'GroupName' } },
  { operation: 'UpdateSchedule', method: 'PUT', ...one },
  { operation: 'DeleteSchedule', method: 'DELETE', ...one, query: { groupName: 'GroupName', ...token } },
  {
    operation: 'ListSchedules',
    method: 'GET',
    path: '/schedules',
    query: { ScheduleGroup: 'GroupName', State: 'State', ...page },
  },
  { operation: 'CreateScheduleGroup', method: 'POST', ...oneGroup },
  { operation: 'GetScheduleGroup', method: 'GET', ...oneGroup },
  { operation: 'DeleteScheduleGroup', method: 'DELETE', ...oneGroup, query: token },
  { operation: 'ListScheduleGroups', method: 'GET', path: '/schedule-groups', query: page },
  { operation: 'ListTagsForResource', method: 'GET', ...tags },
  { operation: 'TagResource', method: 'POST', ...tags },
  { operation: 'UntagResource', method: 'DELETE', ...tags, query: { TagKeys: 'TagKeys[]' } },
];
