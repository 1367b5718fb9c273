import type { Operations } from '../../../core/service.ts';
import type { Activities } from '../activities/activities.ts';
import { checkName } from '../arns.ts';
import { seconds, tagsOf } from './input.ts';
import { pageOf } from './pages.ts';

/** Operations on activities but GetActivityTask, which needs to know whether its caller is still there. */
export function activityOperations(activities: Activities): Operations {
  return {
    CreateActivity: ({ name, tags }) => {
      const { arn, createdAt } = activities.create(checkName(String(name)), tagsOf(tags));
      return { activityArn: arn, creationDate: seconds(createdAt) };
    },
    DeleteActivity: ({ activityArn }) => {
      activities.delete(String(activityArn));
      return {};
    },
    DescribeActivity: ({ activityArn }) => {
      const { arn, name, createdAt } = activities.required(String(activityArn));
      return { activityArn: arn, name, creationDate: seconds(createdAt) };
    },
    ListActivities: (input) => {
      const { page, ...next } = pageOf(activities.list(), input);
      const listed = page.map(({ arn, name, createdAt }) => ({
        activityArn: arn,
        name,
        creationDate: seconds(createdAt),
      }));
      return { activities: listed, ...next };
    },
  };
}
