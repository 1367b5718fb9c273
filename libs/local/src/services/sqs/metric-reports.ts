import type { Clock } from '../../core/clock.ts';
import type { Host } from '../../core/service.ts';
import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import { readMetric } from './metrics.ts';

const MINUTE_MS = 60_000;

const GAUGES = [
  ...['ApproximateNumberOfMessagesVisible', 'ApproximateNumberOfMessagesNotVisible'],
  ...['ApproximateNumberOfMessagesDelayed', 'ApproximateAgeOfOldestMessage'],
];
/** What tells that a queue is in use. Event source mappings cause empty receives all the time. */
const COUNTERS = ['NumberOfMessagesSent', 'NumberOfMessagesReceived', 'NumberOfMessagesDeleted'];
const EMPTY_RECEIVES = 'NumberOfEmptyReceives';

/** What SQS reports to CloudWatch here. */
export const REPORTED_QUEUE_METRICS: readonly string[] = [...GAUGES, ...COUNTERS, EMPTY_RECEIVES];

/**
 * Reports the metrics of all queues to CloudWatch once a minute, and nothing of a queue that has been empty and unused in that minute
 * and the one before. Alarms do not wait for it: they read queues themselves.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
 *
 * @returns ends it
 */
export function reportQueueMetrics(
  queues: Pick<Queues, 'list'>,
  { clock, metric }: { clock: Clock; metric: Host['metric'] },
): () => void {
  const counted = new WeakMap<Queue, Map<string, number>>();
  const used = new WeakSet<Queue>();

  const report = (queue: Queue): void => {
    const before = counted.get(queue);
    const now = new Map([...COUNTERS, EMPTY_RECEIVES].map((name) => [name, readMetric(queue, name) ?? 0]));
    counted.set(queue, now);
    const values = new Map([
      ...GAUGES.map((name) => [name, readMetric(queue, name) ?? 0] as const),
      ...[...now].map(([name, count]) => [name, count - (before?.get(name) ?? 0)] as const),
    ]);
    const isUsed = [...values].some(([name, value]) => name !== EMPTY_RECEIVES && value > 0);
    if (isUsed || used.has(queue)) {
      for (const [name, value] of values) {
        const unit = name === 'ApproximateAgeOfOldestMessage' ? 'Seconds' : 'Count';
        metric({ namespace: 'AWS/SQS', name, value, dimensions: { QueueName: queue.name }, unit });
      }
    }
    if (isUsed) used.add(queue);
    else used.delete(queue);
  };

  const tick = (): void => {
    for (const queue of queues.list()) report(queue);
    timer = clock.setTimer(clock.now() + MINUTE_MS, tick);
  };
  let timer = clock.setTimer(clock.now() + MINUTE_MS, tick);
  return () => timer.cancel();
}
