import type { AlarmState } from '../../core/observations.ts';
import { isCounter, isGauge, type QueueMetric } from '../sqs/metrics.ts';
import type { AlarmRule } from './alarm-state.ts';
import { type Datapoint, type Expression, parseExpression } from './metric-math.ts';
import type { Statistic } from './metric-series.ts';
import { functionMetric, isFunctionMetric, type ObservedSource, streamReads } from './observed-metrics.ts';

/** A metric that an alarm looks at: of a queue, or one that is reported when something happens. */
export type AlarmInput = { statistic: Statistic } & (
  | { queueName: string; metric: QueueMetric }
  | { source: ObservedSource }
);

/** An AWS::CloudWatch::Alarm that can be evaluated here. */
export interface AlarmDefinition {
  rule: AlarmRule;
  periodSeconds: number;
  /** The metrics by the ids that `value` asks for. */
  inputs: ReadonlyMap<string, AlarmInput>;
  /** What is compared with the threshold, of one period. */
  value: (read: (id: string) => Datapoint) => Datapoint;
  /** The statistic can only get further beyond the threshold in the rest of a period: a breach need not wait for its end. */
  breachIsFinal: boolean;
}

/** What an alarm does when it changes its state: ARNs by the new state. */
export type AlarmActions = Readonly<Record<AlarmState, readonly string[]>>;

/** The metric is one of a service whose metrics this machine does not have. */
export class OtherNamespaceError extends Error {}

interface Metric {
  Namespace?: string;
  MetricName?: string;
  Dimensions?: Array<{ Name: string; Value: string }>;
}

interface MetricDataQuery {
  Id: string;
  Expression?: string;
  MetricStat?: { Metric: Metric; Stat: string; Period: number | string };
  ReturnData?: boolean | string;
}

const BREACHES: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/**
 * Reads what an alarm watches.
 *
 * @param properties the resolved properties of an AWS::CloudWatch::Alarm
 * @param periodSeconds replaces the template's period
 * @throws OtherNamespaceError when the metric is another service's; Error that says what else cannot be evaluated here
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
 */
export function readAlarm(properties: Record<string, unknown>, periodSeconds: number | undefined): AlarmDefinition {
  const { Metrics, ComparisonOperator, EvaluationPeriods, DatapointsToAlarm, Threshold, TreatMissingData } = properties;
  const operator = String(ComparisonOperator);
  const breaches = BREACHES[operator];
  if (!breaches || Threshold === undefined) throw new Error(`the comparison ${operator} is not available`);
  const evaluationPeriods = Number(EvaluationPeriods);
  const threshold = Number(Threshold);
  const rule: AlarmRule = {
    breaches: (value) => breaches(value, threshold),
    comparison: inWords(operator),
    threshold,
    evaluationPeriods,
    datapointsToAlarm: Number(DatapointsToAlarm ?? evaluationPeriods),
    treatMissingData: (TreatMissingData ?? 'missing') as AlarmRule['treatMissingData'],
  };
  if (Array.isArray(Metrics)) return { rule, ...readQueries(Metrics as MetricDataQuery[], periodSeconds) };

  const input = readMetric(properties, String(properties.Statistic ?? properties.ExtendedStatistic));
  const grows = ['Maximum', 'Sum', 'SampleCount'].includes(input.statistic);
  return {
    rule,
    periodSeconds: periodSeconds ?? Number(properties.Period),
    inputs: new Map([['metric', input]]),
    value: (read) => read('metric'),
    breachIsFinal: operator.startsWith('Greater') ? grows : input.statistic === 'Minimum',
  };
}

/** `GreaterThanOrEqualToThreshold` → `greater than or equal to`. */
function inWords(operator: string): string {
  return operator
    .replace(/Threshold$/, '')
    .replace(/(?!^)[A-Z]/g, ' $&')
    .toLowerCase();
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudwatch-alarm-metricdataquery.html */
function readQueries(queries: MetricDataQuery[], periodSeconds: number | undefined): Omit<AlarmDefinition, 'rule'> {
  const inputs = new Map<string, AlarmInput>();
  const expressions = new Map<string, Expression>();
  const periods: number[] = [];
  for (const { Id, Expression: text, MetricStat } of queries) {
    if (MetricStat) {
      inputs.set(Id, readMetric(MetricStat.Metric, MetricStat.Stat));
      periods.push(Number(MetricStat.Period));
    } else {
      expressions.set(Id, readExpression(String(text)));
    }
  }
  const watched = queries.find(({ ReturnData }) => String(ReturnData ?? true) === 'true');
  if (!watched) throw new Error('none of its metrics returns data');
  checkReferences(watched.Id, inputs, expressions, []);
  return {
    periodSeconds: periodSeconds ?? Math.max(...periods),
    inputs,
    value: (read) => {
      const valueWithId = (id: string): Datapoint => {
        const expression = expressions.get(id);
        return expression ? expression.evaluate(valueWithId) : read(id);
      };
      return valueWithId(watched.Id);
    },
    breachIsFinal: false,
  };
}

function readExpression(text: string): Expression {
  try {
    return parseExpression(text);
  } catch (error) {
    throw new Error(`the expression "${text}" cannot be evaluated: ${(error as Error).message}`);
  }
}

function checkReferences(
  id: string,
  inputs: ReadonlyMap<string, AlarmInput>,
  expressions: ReadonlyMap<string, Expression>,
  from: readonly string[],
): void {
  if (inputs.has(id)) return;
  const expression = expressions.get(id);
  if (!expression) throw new Error(`there is no metric "${id}"`);
  if (from.includes(id)) throw new Error(`the expression "${id}" refers to itself`);
  for (const reference of expression.references) checkReferences(reference, inputs, expressions, [...from, id]);
}

function readMetric({ Namespace, MetricName = '', Dimensions = [] }: Metric, stat: string): AlarmInput {
  const dimension = (name: string): string => {
    const found = Dimensions.find(({ Name }) => Name === name);
    if (!found) throw new Error(`${MetricName} has no ${name}`);
    return String(found.Value);
  };
  switch (Namespace) {
    case 'AWS/SQS': {
      const queueName = dimension('QueueName');
      if (isCounter(MetricName) && stat === 'Sum') return { queueName, metric: MetricName, statistic: stat };
      if (isGauge(MetricName) && (stat === 'Maximum' || stat === 'Minimum' || stat === 'Average')) {
        return { queueName, metric: MetricName, statistic: stat };
      }
      break;
    }
    case 'AWS/Lambda': {
      const source = functionMetricOf(dimension('FunctionName'), MetricName);
      if (source && isStatistic(stat)) return { source, statistic: stat };
      break;
    }
    case 'AWS/DynamoDB': {
      const isStreamRead = MetricName === 'SuccessfulRequestLatency' && dimension('Operation') === 'GetRecords';
      if (!isStreamRead || !isStatistic(stat)) break;
      return { source: streamReads(dimension('TableName'), dimension('StreamLabel')), statistic: stat };
    }
    default:
      throw new OtherNamespaceError(`this machine has no metrics of ${Namespace}`);
  }
  throw new Error(`${stat} of ${MetricName} is not available`);
}

function functionMetricOf(functionName: string, metric: string): ObservedSource | undefined {
  return isFunctionMetric(metric) ? functionMetric(functionName, metric) : undefined;
}

function isStatistic(stat: string): stat is Statistic {
  return ['Maximum', 'Minimum', 'Average', 'Sum', 'SampleCount'].includes(stat);
}
