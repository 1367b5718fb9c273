import type { Queue } from './engine/queue.ts';
import { newCounters, type QueueCounters } from './engine/queue-counters.ts';

/** What SQS reports of a queue at one moment. */
const gauges = {
  ApproximateNumberOfMessagesVisible: ({ messages }: Queue) => messages.counts.visible,
  ApproximateNumberOfMessagesNotVisible: ({ messages }: Queue) => messages.counts.hidden,
  ApproximateNumberOfMessagesDelayed: ({ messages }: Queue) => messages.counts.delayed,
  ApproximateNumberOfGroupsWithInflightMessages: ({ messages }: Queue) => messages.groupsInFlight,
  ApproximateAgeOfOldestMessage: ({ messages }: Queue, now: number) =>
    Math.floor((now - (messages.oldestArrival ?? now)) / 1000),
} satisfies Record<string, (queue: Queue, now: number) => number>;

export type QueueGauge = keyof typeof gauges;
export type QueueMetric = QueueGauge | keyof QueueCounters;

export function isGauge(metric: string): metric is QueueGauge {
  return Object.hasOwn(gauges, metric);
}

const counterNames = newCounters();

export function isCounter(metric: string): metric is keyof QueueCounters {
  return Object.hasOwn(counterNames, metric);
}

/**
 * Reads a metric of a queue: a gauge as it is now, a counter since the queue was created or this process started.
 *
 * A message that SQS moved to a dead-letter queue counts there from its arrival, and was not sent to it. In a standard queue,
 * the age of the oldest leaves out messages that were received three times.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 * @returns undefined for a metric that SQS does not have
 * @example readMetric(queue, 'ApproximateAgeOfOldestMessage')
 */
export function readMetric(queue: Queue, metric: string): number | undefined {
  const now = queue.advance();
  if (isGauge(metric)) return gauges[metric](queue, now);
  return isCounter(metric) ? queue.counters[metric] : undefined;
}
