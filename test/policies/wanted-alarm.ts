import { type Entry, isSame } from './template.ts';

/** An alarm on one metric that there has to be, with the thresholds and minutes that make sense for it. */
export interface WantedAlarm extends WantedMoment {
  namespace: string;
  metric: string;
  statistic: string;
}

/** When an alarm goes off. */
export interface WantedMoment {
  threshold: readonly [least: number, most: number];
  minutes: readonly [least: number, most: number];
  /** Minutes that are enough, of these. */
  datapoints?: number;
  /** Goes off when there is too little of something, or nothing. */
  tooLittle?: true;
}

/** Messages of a queue, or records of a stream, are handled too late. */
export function lateAlarm(
  namespace: string,
  metric: string,
  threshold: WantedMoment['threshold'],
): WantedAlarm & { when: string } {
  return { when: 'is late', namespace, metric, statistic: 'Maximum', threshold, minutes: [3, 10] };
}

/** Of a queue. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
export const lateQueue = lateAlarm('AWS/SQS', 'ApproximateAgeOfOldestMessage', [60, 3600]);

/** The dimensions of the metrics of a queue, by its logical id. */
export function queueDimensions(queue: string): object[] {
  return [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }];
}

/** True if an alarm watches what it should, and goes off when it should. */
export function fits({ properties }: Entry, wanted: WantedAlarm, dimensions: object[]): boolean {
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
export function isPrompt(
  properties: Record<string, unknown>,
  { threshold, minutes, datapoints, tooLittle }: WantedMoment,
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
