import type { FauxqsStore } from '../fauxqs/queue.ts';

type Queue = NonNullable<ReturnType<FauxqsStore['getQueueByName']>>;
type Message = Queue['messages'][number];

/** What SQS reports of a queue at one moment. */
const GAUGES = [
  'ApproximateNumberOfMessagesVisible',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateAgeOfOldestMessage',
] as const;

/** What SQS counts. */
const COUNTERS = ['NumberOfMessagesReceived', 'NumberOfMessagesSent', 'NumberOfMessagesDeleted'] as const;

type Gauge = (typeof GAUGES)[number];
type Counter = (typeof COUNTERS)[number];
export type QueueMetric = Gauge | Counter;

export const isGauge = (metric: string): metric is Gauge => GAUGES.some((name) => name === metric);
export const isCounter = (metric: string): metric is Counter => COUNTERS.some((name) => name === metric);

/** A message received this often no longer counts for the age of the oldest. */
const POISON_RECEIVES = 3;

/**
 * The metrics of the queues in this process.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export class QueueMetrics {
  readonly #store: FauxqsStore;
  readonly #counts = new Map<string, Record<Counter, number>>();
  readonly #counted = new WeakSet<Queue>();
  /** When a message was moved here from the queue that it had failed in, and how often it had been received till then. */
  readonly #moved = new WeakMap<Message, { at: number; receives: number }>();

  constructor(store: FauxqsStore) {
    this.#store = store;
  }

  /**
   * Reads one metric: a gauge as it is now, a counter since the queue was first asked for.
   *
   * @param now milliseconds since 1970
   * @returns undefined while there is no such queue
   */
  read(queueName: string, metric: QueueMetric, now: number): number | undefined {
    const queue = this.#store.getQueueByName(queueName);
    if (!queue) return undefined;
    const counts = this.#countsOf(queue);
    if (isCounter(metric)) return counts[metric];
    switch (metric) {
      case 'ApproximateNumberOfMessagesVisible':
        return visible(queue, now);
      case 'ApproximateNumberOfMessagesNotVisible':
        return hidden(queue, now);
      case 'ApproximateNumberOfMessagesDelayed':
        return delayed(queue, now);
      case 'ApproximateAgeOfOldestMessage':
        return this.#ageOfOldest(queue, now);
    }
  }

  /** Counts what happens in a queue from here on; again when the queue has been deleted and another has its name. */
  #countsOf(queue: Queue): Record<Counter, number> {
    const counts = this.#counts.get(queue.name) ?? {
      NumberOfMessagesReceived: 0,
      NumberOfMessagesSent: 0,
      NumberOfMessagesDeleted: 0,
    };
    if (this.#counted.has(queue)) return counts;
    this.#counted.add(queue);
    this.#counts.set(queue.name, counts);

    // Event source mappings receive in this process and other receivers over HTTP: both end in these methods.
    const enqueue = queue.enqueue.bind(queue);
    const dequeue = queue.dequeue.bind(queue);
    const deleteMessage = queue.deleteMessage.bind(queue);
    queue.enqueue = (message) => {
      // A message that failed in another queue comes with its receives, and was not sent to this one.
      if (message.approximateReceiveCount === 0) counts.NumberOfMessagesSent += 1;
      else this.#moved.set(message, { at: Date.now(), receives: message.approximateReceiveCount });
      enqueue(message);
    };
    queue.dequeue = (...options) => {
      const messages = dequeue(...options);
      counts.NumberOfMessagesReceived += messages.length;
      return messages;
    };
    queue.deleteMessage = (receiptHandle) => {
      const deleted = deleteMessage(receiptHandle);
      if (deleted) counts.NumberOfMessagesDeleted += 1;
      return deleted;
    };
    return counts;
  }

  #ageOfOldest(queue: Queue, now: number): number {
    let oldest = now;
    for (const message of messagesIn(queue)) {
      const moved = this.#moved.get(message);
      // A FIFO queue keeps the order, so it has no messages that are passed over.
      const receives = queue.isFifo() ? 0 : message.approximateReceiveCount - (moved?.receives ?? 0);
      if (receives < POISON_RECEIVES) oldest = Math.min(oldest, moved?.at ?? message.sentTimestamp);
    }
    return Math.floor((now - oldest) / 1000);
  }
}

/** A message whose timeout or delay is over is visible, even if nobody has looked at the queue since. */
function visible(queue: Queue, now: number): number {
  let count = queue.messages.length;
  for (const group of queue.fifoMessages.values()) count += group.length;
  for (const message of delayedIn(queue)) if ((message.delayUntil ?? 0) <= now) count += 1;
  for (const { visibilityDeadline } of queue.inflightMessages.values()) if (visibilityDeadline <= now) count += 1;
  return count;
}

function hidden(queue: Queue, now: number): number {
  let count = 0;
  for (const { visibilityDeadline } of queue.inflightMessages.values()) if (visibilityDeadline > now) count += 1;
  return count;
}

function delayed(queue: Queue, now: number): number {
  let count = 0;
  for (const { delayUntil = 0 } of delayedIn(queue)) if (delayUntil > now) count += 1;
  return count;
}

function* messagesIn(queue: Queue): Generator<Message> {
  yield* queue.messages;
  for (const group of queue.fifoMessages.values()) yield* group;
  yield* delayedIn(queue);
  for (const { message } of queue.inflightMessages.values()) yield message;
}

function* delayedIn(queue: Queue): Generator<Message> {
  yield* queue.delayedMessages;
  for (const group of queue.fifoDelayed.values()) yield* group;
}
