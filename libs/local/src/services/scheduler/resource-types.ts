import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

/**
 * The service makes all of them together: a schedule is refused without its group, and what templates no longer have is removed.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Scheduler.html
 */
export const schedulerResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::Scheduler::Schedule': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('scheduler', (r) => `schedule/${String(r.property('GroupName') ?? 'default')}/${r.name}`),
    },
    properties: [
      ...[
        'Name',
        'GroupName',
        'Description',
        'ScheduleExpression',
        'ScheduleExpressionTimezone',
        'StartDate',
        'EndDate',
      ],
      ...['FlexibleTimeWindow', 'State', 'Target', 'KmsKeyArn'],
    ],
  },
  'AWS::Scheduler::ScheduleGroup': {
    nameProperty: 'Name',
    attributes: {
      Arn: arnOf('scheduler', (r) => `schedule-group/${r.name}`),
      State: () => 'ACTIVE',
    },
    properties: ['Name', 'Tags'],
  },
};
