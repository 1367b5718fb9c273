import type { AlarmChange } from '../../core/observations.ts';
import type { AlarmActions } from './alarm-definition.ts';

/** The alarm that has changed, as its template has it. */
export interface AlarmIdentity {
  arn: string;
  accountId: string;
  region: string;
  actions: AlarmActions;
  periodSeconds: number;
  properties: Record<string, unknown>;
}

/** SNS takes no longer subject. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const SUBJECT_LIMIT = 100;

/**
 * What CloudWatch publishes to an alarm's topics. Only the region is given by its code, not by its long name.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
 */
export function alarmNotification(
  { name, description, state, previousState, reason, changedAt }: AlarmChange,
  { arn, accountId, region, actions, periodSeconds, properties }: AlarmIdentity,
): { Subject: string; Message: string } {
  const message = {
    AlarmName: name,
    AlarmDescription: description === '' ? null : description,
    AWSAccountId: accountId,
    NewStateValue: state,
    NewStateReason: reason,
    StateChangeTime: new Date(changedAt).toISOString().replace('Z', '+0000'),
    Region: region,
    AlarmArn: arn,
    OldStateValue: previousState,
    OKActions: actions.OK,
    AlarmActions: actions.ALARM,
    InsufficientDataActions: actions.INSUFFICIENT_DATA,
    Trigger: trigger(properties, periodSeconds),
  };
  return {
    Subject: `${state}: "${name}" in ${region}`.slice(0, SUBJECT_LIMIT),
    Message: JSON.stringify(message),
  };
}

function trigger(properties: Record<string, unknown>, periodSeconds: number): Record<string, unknown> {
  const { MetricName, Namespace, Statistic, Dimensions, Metrics, EvaluationPeriods, DatapointsToAlarm } = properties;
  const { ComparisonOperator, Threshold, TreatMissingData } = properties;
  const watched =
    Metrics === undefined
      ? {
          MetricName,
          Namespace,
          StatisticType: 'Statistic',
          Statistic: String(Statistic).toUpperCase(),
          Unit: null,
          Dimensions: withSmallKeys(Dimensions),
        }
      : { Metrics };
  return {
    ...watched,
    Period: periodSeconds,
    EvaluationPeriods: Number(EvaluationPeriods),
    ...(DatapointsToAlarm !== undefined && { DatapointsToAlarm: Number(DatapointsToAlarm) }),
    ComparisonOperator,
    Threshold: Number(Threshold),
    TreatMissingData: TreatMissingData ?? 'missing',
    EvaluateLowSampleCountPercentile: '',
  };
}

/** Only here CloudWatch writes them so. */
function withSmallKeys(dimensions: unknown): unknown {
  if (!Array.isArray(dimensions)) return [];
  return dimensions.map(({ Name, Value }: { Name: string; Value: string }) => ({ value: Value, name: Name }));
}
