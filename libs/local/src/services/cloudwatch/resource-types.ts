import { arnOf } from '@millrace/cloudformation';
import type { ResourceType } from '../../core/service.ts';

const NO_CLOUDWATCH = 'of CloudWatch, only metric alarms are on this machine';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html */
export const cloudWatchResourceTypes: Readonly<Record<string, ResourceType>> = {
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    attributes: { Arn: arnOf('cloudwatch', (r) => `alarm:${r.name}`) },
    properties: [
      ...['AlarmName', 'AlarmDescription', 'AlarmActions', 'OKActions', 'InsufficientDataActions', 'Tags'],
      ...['Namespace', 'MetricName', 'Dimensions', 'Statistic', 'ExtendedStatistic', 'Period', 'Metrics', 'Unit'],
      ...['ComparisonOperator', 'Threshold', 'EvaluationPeriods', 'DatapointsToAlarm', 'TreatMissingData'],
    ],
  },
  'AWS::CloudWatch::CompositeAlarm': {
    nameProperty: 'AlarmName',
    attributes: { Arn: arnOf('cloudwatch', (r) => `alarm:${r.name}`) },
    inert: NO_CLOUDWATCH,
  },
  'AWS::CloudWatch::Dashboard': { nameProperty: 'DashboardName', attributes: {}, inert: NO_CLOUDWATCH },
};
