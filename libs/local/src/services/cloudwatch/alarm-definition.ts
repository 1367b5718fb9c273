import type { AlarmState } from '../../core/observations.ts';
import { isCounter, isGauge, type QueueMetric } from '../sqs/metrics.ts';
import type { AlarmRule } from './alarm-state.ts';
import { type Datapoint, type Expression, parseExpression } from './metric-math.ts';
import { metricSource, type ObservedSource } from './observed-metrics.ts';
import { statisticNamed } from './statistic-set.ts';

/** A metric that an alarm looks at: of a queue, or one that is reported when something happens. */
export type AlarmInput = { statistic: string } & (
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

/** True if a service of this machine reports a metric of AWS's own namespaces. */
export type ReportsMetric = (namespace: string, name: string) => boolean;

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
 * @throws Error that says what cannot be evaluated here
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
 */
export function readAlarm(
  properties: Record<string, unknown>,
  { periodSeconds, reports }: { periodSeconds: number | undefined; reports: ReportsMetric },
): AlarmDefinition {
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
  if (Array.isArray(Metrics)) return { rule, ...readQueries(Metrics as MetricDataQuery[], periodSeconds, reports) };

  const input = readMetric(properties, String(properties.Statistic ?? properties.ExtendedStatistic), reports);
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
function readQueries(
  queries: MetricDataQuery[],
  periodSeconds: number | undefined,
  reports: ReportsMetric,
): Omit<AlarmDefinition, 'rule'> {
  const inputs = new Map<string, AlarmInput>();
  const expressions = new Map<string, Expression>();
  const periods: number[] = [];
  for (const { Id, Expression: text, MetricStat } of queries) {
    if (MetricStat) {
      inputs.set(Id, readMetric(MetricStat.Metric, MetricStat.Stat, reports));
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

function readMetric(
  { Namespace = '', MetricName = '', Dimensions = [] }: Metric,
  statistic: string,
  reports: ReportsMetric,
): AlarmInput {
  const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, String(Value)]));
  if (Namespace === 'AWS/SQS') return readQueueMetric(MetricName, dimensions.QueueName, statistic);
  // What has another namespace may be reported at any time: by PutMetricData, or in a line of a log.
  if (Namespace.startsWith('AWS/') && !reports(Namespace, MetricName)) {
    throw new Error(`this machine does not report ${MetricName} of ${Namespace}`);
  }
  if (!statisticNamed(statistic)) throw new Error(`${statistic} of ${MetricName} is not available`);
  return { source: metricSource(Namespace, MetricName, dimensions), statistic };
}

function readQueueMetric(metric: string, queueName: string | undefined, statistic: string): AlarmInput {
  if (queueName === undefined) throw new Error(`${metric} has no QueueName`);
  if (isCounter(metric) && statistic === 'Sum') return { queueName, metric, statistic };
  if (isGauge(metric) && ['Maximum', 'Minimum', 'Average'].includes(statistic)) return { queueName, metric, statistic };
  throw new Error(`${statistic} of ${metric} is not available`);
}
