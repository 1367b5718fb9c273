import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import { readMetric } from './metrics.ts';

/** What a console shows of a queue: no bodies, which may hold personal data. */
export interface ConsoleQueue {
  name: string;
  arn: string;
  visible: number;
  inFlight: number;
  delayed: number;
  oldestSeconds: number;
  sent: number;
  received: number;
  deleted: number;
  deadLetterQueue?: string;
}

/** All queues, by name, as a console shows them. */
export function consoleOf(queues: Queues): { queues: ConsoleQueue[] } {
  return { queues: queues.list().map(describe) };
}

function describe(queue: Queue): ConsoleQueue {
  const { name, arn, messages, counters, settings } = queue;
  const oldestSeconds = readMetric(queue, 'ApproximateAgeOfOldestMessage') ?? 0;
  const { visible, hidden, delayed } = messages.counts;
  const deadLetterArn = settings.redrivePolicy?.deadLetterTargetArn;
  return {
    ...{ name, arn, visible, inFlight: hidden, delayed, oldestSeconds },
    sent: counters.NumberOfMessagesSent,
    received: counters.NumberOfMessagesReceived,
    deleted: counters.NumberOfMessagesDeleted,
    ...(deadLetterArn !== undefined && { deadLetterQueue: deadLetterArn.slice(deadLetterArn.lastIndexOf(':') + 1) }),
  };
}
