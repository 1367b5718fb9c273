import type { Rule } from '../rule.ts';
import {
  at,
  circuitDimensions,
  circuitsOf,
  type Entry,
  entriesOf,
  isSame,
  list,
  referenceTo,
  streamReadDimensions,
} from '../template.ts';

/** An alarm on one metric that there has to be, with the thresholds and minutes that make sense for it. */
interface Wanted {
  when: string;
  namespace: string;
  metric: string;
  statistic: string;
  threshold: readonly [least: number, most: number];
  minutes: readonly [least: number, most: number];
  /** Minutes that are enough, of these. */
  datapoints?: number;
  /** Goes off when there is too little of something, or nothing. */
  tooLittle?: true;
}

/** Of the queue of a consumer. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
const ofQueues: readonly Wanted[] = [
  {
    when: 'is late',
    namespace: 'AWS/SQS',
    metric: 'ApproximateAgeOfOldestMessage',
    statistic: 'Maximum',
    threshold: [60, 3600],
    minutes: [3, 10],
  },
  {
    when: 'defers its messages',
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesDelayed',
    statistic: 'Minimum',
    threshold: [0, 0],
    minutes: [5, 30],
  },
];

/** Of the function that reads a stream; its age is in milliseconds. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
const ofStreams: readonly Wanted[] = [
  {
    when: 'is late',
    namespace: 'AWS/Lambda',
    metric: 'IteratorAge',
    statistic: 'Maximum',
    threshold: [60_000, 600_000],
    minutes: [3, 10],
  },
  ...['Errors', 'Throttles'].map((metric) => ({
    when: metric === 'Errors' ? 'fails again and again' : 'may not run',
    namespace: 'AWS/Lambda',
    metric,
    statistic: 'Sum',
    threshold: [0, 0] as const,
    minutes: [10, 10] as const,
    datapoints: 3,
  })),
  {
    when: 'is not read',
    namespace: 'AWS/DynamoDB',
    metric: 'SuccessfulRequestLatency',
    statistic: 'SampleCount',
    threshold: [1, 1],
    minutes: [10, 10],
    tooLittle: true,
  },
];

/** Reported with each failed probe and with each look at an open circuit: rarely, when few messages wait. */
const ofCircuits: Wanted = {
  when: 'is open',
  namespace: 'Millrace',
  metric: 'CircuitOpen',
  statistic: 'Sum',
  threshold: [0, 0],
  minutes: [5, 5],
  datapoints: 1,
};

/** Besides its dead letters, a consumer is watched for being late, for deferring and for having stopped, a relay for being late, for failing and for not running, and a provider's circuit for being open. */
export const consumerAlarms: Rule = {
  name: 'consumer-alarms',
  why: 'a consumer that is late or has stopped leaves no dead letters: only its queue tells',
  check(service) {
    const alarms = entriesOf(service, 'AWS::CloudWatch::Alarm');
    const callers = entriesOf(service, 'AWS::Lambda::Function').filter(
      ({ properties }) => at(properties, 'Environment', 'Variables', 'MILLRACE_CIRCUIT_OPEN_SECONDS') !== undefined,
    );
    const circuits = circuitsOf[service.name] ?? [];
    const unwatched = callers.flatMap(({ id }) => {
      if (circuits.length === 0)
        return [{ resource: id, problem: 'calls through a circuit that circuitsOf does not name' }];
      return circuits
        .filter((name) => !alarms.some((alarm) => fits(alarm, ofCircuits, circuitDimensions(service.name, name))))
        .map((name) => ({ resource: id, problem: `no alarm goes off when the circuit ${name} is open` }));
    });
    const ofMappings = entriesOf(service, 'AWS::Lambda::EventSourceMapping').flatMap(({ id, properties }) => {
      const source = referenceTo(properties.EventSourceArn) ?? '';
      const queue = service.template.Resources?.[source];
      const isQueue = queue?.Type === 'AWS::SQS::Queue';
      const handler = service.template.Resources?.[referenceTo(properties.FunctionName) ?? '']?.Properties;
      const dimension = isQueue
        ? { Name: 'QueueName', Value: { 'Fn::GetAtt': [source, 'QueueName'] } }
        : { Name: 'FunctionName', Value: handler?.FunctionName };
      // Nothing of a FIFO queue can be deferred.
      const wanted = isQueue
        ? ofQueues.filter(({ when }) => !queue?.Properties?.FifoQueue || when === 'is late')
        : ofStreams;
      const missing = wanted
        .filter((each) => {
          const dimensions = each.namespace === 'AWS/DynamoDB' ? streamReadDimensions(source) : [dimension];
          return !alarms.some((alarm) => fits(alarm, each, dimensions));
        })
        .map(({ when }) => `no alarm goes off when ${source} ${when}`);
      const stopped =
        isQueue && !alarms.some((alarm) => hasStopped(alarm, source))
          ? [`no alarm goes off when ${source} is not emptied`]
          : [];
      return [...missing, ...stopped].map((problem) => ({ resource: id, problem }));
    });
    return [...ofMappings, ...unwatched];
  },
};

function fits({ properties }: Entry, wanted: Wanted, dimensions: object[]): boolean {
  const { Namespace, MetricName, Statistic, Period, Dimensions } = properties;
  return (
    Namespace === wanted.namespace &&
    MetricName === wanted.metric &&
    Statistic === wanted.statistic &&
    Period === 60 &&
    isSame(Dimensions, dimensions) &&
    isPrompt(properties, wanted)
  );
}

/** Goes off within minutes, and only for something. */
function isPrompt(
  properties: Record<string, unknown>,
  { threshold, minutes, datapoints, tooLittle }: Omit<Wanted, 'when' | 'namespace' | 'metric' | 'statistic'>,
): boolean {
  const { Threshold, EvaluationPeriods, DatapointsToAlarm, ComparisonOperator, TreatMissingData } = properties;
  return (
    ComparisonOperator === (tooLittle ? 'LessThanThreshold' : 'GreaterThanThreshold') &&
    TreatMissingData === (tooLittle ? 'breaching' : 'notBreaching') &&
    DatapointsToAlarm === datapoints &&
    isWithin(EvaluationPeriods, minutes) &&
    isWithin(Threshold, threshold)
  );
}

function isWithin(value: unknown, [least, most]: readonly [number, number]): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

/** Messages wait and none is received. */
function hasStopped({ properties }: Entry, queue: string): boolean {
  const [waiting, received, result, ...others] = list(properties.Metrics);
  const isMetric = (metric: unknown, id: string, name: string, statistic: string) =>
    at(metric, 'Id') === id &&
    at(metric, 'MetricStat', 'Metric', 'Namespace') === 'AWS/SQS' &&
    at(metric, 'MetricStat', 'Metric', 'MetricName') === name &&
    at(metric, 'MetricStat', 'Stat') === statistic &&
    referenceTo(at(list(at(metric, 'MetricStat', 'Metric', 'Dimensions'))[0], 'Value')) === queue;
  return (
    others.length === 0 &&
    isMetric(waiting, 'waiting', 'ApproximateNumberOfMessagesVisible', 'Minimum') &&
    isMetric(received, 'received', 'NumberOfMessagesReceived', 'Sum') &&
    at(result, 'Id') === 'stopped' &&
    at(result, 'Expression') === 'IF(waiting > 0 AND FILL(received, 0) < 1, 1, 0)' &&
    isPrompt(properties, { threshold: [0, 0], minutes: [5, 30] })
  );
}
