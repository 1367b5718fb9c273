import type { AccessOf } from '../../core/access.ts';

const onEverything = new Set(['GetMetricData', 'GetMetricStatistics', 'ListMetrics']);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html */
export const cloudWatchAccess: AccessOf = (operation, { Namespace, AlarmName }, arn) => {
  if (operation === 'PutMetricData') {
    const context = new Map([['cloudwatch:namespace', [String(Namespace)]]]);
    return [{ action: 'cloudwatch:PutMetricData', resource: '*', context }];
  }
  if (onEverything.has(operation)) return [{ action: `cloudwatch:${operation}`, resource: '*' }];
  if (operation === 'DescribeAlarms')
    return [{ action: 'cloudwatch:DescribeAlarms', resource: arn('cloudwatch', 'alarm:*') }];
  if (operation !== 'SetAlarmState') return undefined;
  return [{ action: 'cloudwatch:SetAlarmState', resource: arn('cloudwatch', `alarm:${String(AlarmName)}`) }];
};
