import type { Clock } from '../../core/clock.ts';
import { createApi, type SqsApi } from './api.ts';
import { consoleOf } from './console.ts';
import { deliverMessage, type MessageDelivery } from './delivery.ts';
import { noJournal } from './engine/journal.ts';
import { Queues } from './engine/queues.ts';
import type { ShuffleOptions } from './engine/shuffle.ts';
import { readMetric } from './metrics.ts';
import { QueueDirectory } from './queue-directory.ts';
import { type QueueSource, queueSource } from './queue-source.ts';
import { SqliteJournal } from './storage/sqlite-journal.ts';
import { type QueueUsage, requestsOf } from './usage.ts';

export interface SqsOptions {
  accountId: string;
  region: string;
  /** Of queue URLs: `http://127.0.0.1:4566`. */
  origin: string;
  /** Where queues and messages are kept; in memory without one. */
  dataDirectory?: string | undefined;
  clock: Clock;
  /** Makes standard queues reorder and duplicate on purpose, as they may. */
  shuffle?: ShuffleOptions | undefined;
  /** Told of what services do with queues. Calls of the API are not among it. */
  onUsage?: ((usage: QueueUsage) => void) | undefined;
}

/** SQS in this process. */
export interface Sqs {
  api: SqsApi;
  queues: Queues;
  directory: QueueDirectory;
  /**
   * Sends a message without a request, for rules, pipes and schedules. It is in the queue when this returns, so that a
   * receiver that it wakes finds everything that was sent before; it is kept when the promise resolves.
   *
   * @throws AwsError at once: QueueDoesNotExist, or because the message is not one that SQS takes
   */
  deliver(queueArn: string, body: string, options?: MessageDelivery): Promise<void>;
  /** A queue for an event source mapping. @throws AwsError QueueDoesNotExist */
  source(queueArn: string, authorize?: () => void): QueueSource;
  /** A metric of a queue; undefined when the queue or the metric does not exist. */
  metric(queueName: string, metric: string): number | undefined;
  /** The policy of a queue, as JSON. */
  policyOf(queueArn: string): string | undefined;
  console(): unknown;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts SQS in this process. It listens nowhere.
 *
 * @throws Error when the data directory cannot be used
 * @example
 * await using sqs = startSqs({ accountId: '000000000000', region: 'us-east-1', origin: 'http://127.0.0.1:4566', clock });
 * await sqs.api.call('CreateQueue', { QueueName: 'orders' });
 */
export function startSqs({ accountId, region, origin, dataDirectory, clock, shuffle, onUsage }: SqsOptions): Sqs {
  const journal = dataDirectory === undefined ? noJournal : new SqliteJournal(dataDirectory);
  const queues = new Queues({ accountId, region, clock, journal, shuffle });
  const directory = new QueueDirectory(queues, { origin, accountId });
  return {
    api: createApi(directory, journal),
    queues,
    directory,
    deliver: (queueArn, body, options) => {
      const kept = deliverMessage(directory, queueArn, body, options);
      const queueName = queueArn.slice(queueArn.lastIndexOf(':') + 1);
      const requests = requestsOf(Buffer.byteLength(body));
      onUsage?.({ operation: 'SendMessage', requests, queueName });
      return kept;
    },
    source: (queueArn, authorize) => queueSource(queues, queueArn, { ...(authorize && { authorize }), onUsage }),
    metric: (queueName, metric) => {
      const queue = queues.get(queueName);
      return queue && readMetric(queue, metric);
    },
    policyOf: (queueArn) => queues.byArn(queueArn)?.attributes.Policy,
    console: () => consoleOf(queues),
    async [Symbol.asyncDispose]() {
      queues.close();
      await journal.close();
    },
  };
}
