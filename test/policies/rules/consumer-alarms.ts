import type { Rule } from '../rule.ts';
import {
  at,
  circuitDimensions,
  circuitsOf,
  type Entry,
  entriesOf,
  list,
  referenceTo,
  sourceTypeOf,
  streamNameOf,
  streamReadDimensions,
} from '../template.ts';
import { fits, isPrompt, lateAlarm, lateQueue, queueDimensions, type WantedAlarm } from '../wanted-alarm.ts';

type Wanted = WantedAlarm & { when: string };

/** Of the queue of a consumer. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
const ofQueues: readonly Wanted[] = [
  lateQueue,
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
  lateAlarm('AWS/Lambda', 'IteratorAge', [60_000, 600_000]),
  ...['Errors', 'Throttles'].map((metric) => ({
    when: metric === 'Errors' ? 'fails again and again' : 'may not run',
    namespace: 'AWS/Lambda',
    metric,
    statistic: 'Sum',
    threshold: [0, 0] as const,
    minutes: [10, 10] as const,
    datapoints: 3,
  })),
];

/** By the type of the stream. */
const ofReads: Readonly<Record<string, { wanted: Wanted; dimensions: (source: unknown) => object[] }>> = {
  'AWS::DynamoDB::Table': {
    wanted: notRead('AWS/DynamoDB', 'SuccessfulRequestLatency'),
    dimensions: (source) => streamReadDimensions(referenceTo(source) ?? ''),
  },
  // https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
  'AWS::Kinesis::Stream': {
    wanted: notRead('AWS/Kinesis', 'GetRecords.Success'),
    dimensions: (source) => [{ Name: 'StreamName', Value: streamNameOf(source) }],
  },
};

function notRead(namespace: string, metric: string): Wanted {
  const moment = { threshold: [1, 1], minutes: [10, 10], tooLittle: true } as const;
  return { when: 'is not read', namespace, metric, statistic: 'SampleCount', ...moment };
}

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
      const own = isQueue ? queueDimensions(source) : [{ Name: 'FunctionName', Value: handler?.FunctionName }];
      // Nothing of a FIFO queue can be deferred.
      const wanted = isQueue
        ? ofQueues.filter(({ when }) => !queue?.Properties?.FifoQueue || when === 'is late')
        : ofStreams;
      const reads = ofReads[String(sourceTypeOf(properties.EventSourceArn, service))];
      const watched = [
        ...wanted.map((each) => ({ wanted: each, dimensions: own })),
        ...(reads ? [{ wanted: reads.wanted, dimensions: reads.dimensions(properties.EventSourceArn) }] : []),
      ];
      const missing = watched
        .filter((each) => !alarms.some((alarm) => fits(alarm, each.wanted, each.dimensions)))
        .map((each) => `no alarm goes off when ${source || 'its stream'} ${each.wanted.when}`);
      const stopped =
        isQueue && !alarms.some((alarm) => hasStopped(alarm, source))
          ? [`no alarm goes off when ${source} is not emptied`]
          : [];
      return [...missing, ...stopped].map((problem) => ({ resource: id, problem }));
    });
    return [...ofMappings, ...unwatched];
  },
};

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
