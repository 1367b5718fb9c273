import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import type { AlarmState } from '../../core/observations.ts';
import { pageOf } from '../../core/page.ts';
import { checkInput } from '../../core/shapes.ts';
import type { DescribedAlarm } from './alarms.ts';
import { inputs } from './shapes.ts';

/** The alarms of the templates. */
export interface AlarmSource {
  describe(): readonly DescribedAlarm[];
  /** Returns false when there is no alarm of the name. */
  setState(name: string, state: AlarmState, reason: string): boolean;
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html */
export function describeAlarms(source: AlarmSource, input: Input): object {
  checkInput(inputs.DescribeAlarms, input, 'InvalidParameterValueException');
  const { AlarmNames, AlarmNamePrefix = '', AlarmTypes, StateValue, ActionPrefix, MaxRecords = 50, NextToken } = input;
  const names = AlarmNames as string[] | undefined;
  const types = AlarmTypes as string[] | undefined;
  const found = source
    .describe()
    .filter(({ name }) => !names || names.includes(name))
    .filter(({ name }) => name.startsWith(String(AlarmNamePrefix)))
    .filter(({ state }) => StateValue === undefined || state === StateValue)
    .filter(
      ({ actions }) =>
        ActionPrefix === undefined ||
        Object.values(actions)
          .flat()
          .some((arn) => String(arn).startsWith(String(ActionPrefix))),
    )
    .filter(() => !types || types.includes('MetricAlarm'))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const { page, ...next } = pageOf(found, ({ name }) => name, { MaxResults: MaxRecords, NextToken });
  return { MetricAlarms: page.map(described), CompositeAlarms: [], ...next };
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html */
export function setAlarmState(source: AlarmSource, input: Input): object {
  checkInput(inputs.SetAlarmState, input, 'InvalidParameterValueException');
  const { AlarmName, StateValue, StateReason } = input;
  if (!source.setState(String(AlarmName), StateValue as AlarmState, String(StateReason))) {
    throw new AwsError('ResourceNotFound', `Unknown alarm ${AlarmName}`, 404);
  }
  return {};
}

function described({
  name,
  arn,
  description,
  state,
  reason,
  stateUpdatedAt,
  actions,
  properties,
}: DescribedAlarm): object {
  const { Metrics, Statistic, ExtendedStatistic, Period, Unit, DatapointsToAlarm, TreatMissingData } = properties;
  return {
    AlarmName: name,
    AlarmArn: arn,
    ...(description !== '' && { AlarmDescription: description }),
    ActionsEnabled: String(properties.ActionsEnabled ?? true) === 'true',
    OKActions: actions.OK,
    AlarmActions: actions.ALARM,
    InsufficientDataActions: actions.INSUFFICIENT_DATA,
    StateValue: state,
    StateReason: reason,
    StateUpdatedTimestamp: new Date(stateUpdatedAt),
    EvaluationPeriods: Number(properties.EvaluationPeriods),
    ...(DatapointsToAlarm !== undefined && { DatapointsToAlarm: Number(DatapointsToAlarm) }),
    Threshold: Number(properties.Threshold),
    ComparisonOperator: properties.ComparisonOperator,
    TreatMissingData: TreatMissingData ?? 'missing',
    ...(Metrics === undefined
      ? {
          Namespace: properties.Namespace,
          MetricName: properties.MetricName,
          Dimensions: properties.Dimensions ?? [],
          ...(Statistic !== undefined && { Statistic }),
          ...(ExtendedStatistic !== undefined && { ExtendedStatistic }),
          Period: Number(Period),
          ...(Unit !== undefined && { Unit }),
        }
      : { Metrics: (Metrics as Input[]).map(describedQuery) }),
  };
}

/** Templates write numbers and truth values as text at times. */
function describedQuery({ MetricStat, ReturnData = true, Period, ...query }: Input): object {
  const stat = MetricStat as Input | undefined;
  return {
    ...query,
    ...(stat && { MetricStat: { ...stat, Period: Number(stat.Period) } }),
    ...(Period !== undefined && { Period: Number(Period) }),
    ReturnData: String(ReturnData) === 'true',
  };
}
