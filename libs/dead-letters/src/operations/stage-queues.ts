import { GetQueueAttributesCommand, ListQueuesCommand, QueueDoesNotExist, type SQSClient } from '@aws-sdk/client-sqs';
import { similarNames, squash, UsageError } from '@millrace/command-line';
import { consumerKey } from './consumer-name.ts';
import { mapConcurrently } from './map-concurrently.ts';

/** Calls at once when the queues of a stage are read. */
const CONCURRENCY = 8;

/** A queue, with how many messages SQS says are in it: approximately. */
export interface StageQueue {
  name: string;
  url: string;
  arn: string;
  fifo: boolean;
  /** Messages that can be received now. */
  visible: number;
  /** Messages that somebody has received and neither deleted nor given back. */
  inFlight: number;
  /** Messages that were sent with a delay. */
  delayed: number;
  /** ARN of the queue that SQS moves its messages to after their last receive. */
  deadLetterTargetArn?: string;
}

/** All messages of a queue, approximately. */
export function depthOf({ visible, inFlight, delayed }: StageQueue): number {
  return visible + inFlight + delayed;
}

/** The queues of one stage: which hold dead letters, and where those came from. */
export class StageQueues {
  readonly stage: string;
  readonly #queues: readonly StageQueue[];

  constructor(stage: string, queues: readonly StageQueue[]) {
    this.stage = stage;
    this.#queues = queues;
  }

  /**
   * Reads the queues whose names start with `millrace-` and belong to the stage.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
   */
  static async load(sqs: Pick<SQSClient, 'send'>, stage: string): Promise<StageQueues> {
    const urls: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'millrace-', MaxResults: 1000, NextToken }));
      urls.push(...(page.QueueUrls ?? []));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    const ofStage = new RegExp(`^millrace-.+?-${stage}-.`);
    const queues = await mapConcurrently(
      urls.filter((url) => ofStage.test(nameOf(url))),
      CONCURRENCY,
      (url) => readQueue(sqs, url),
    );
    return new StageQueues(
      stage,
      queues.filter((queue) => queue !== undefined),
    );
  }

  /** Where messages end: the dead-letter queues of consumers, rules and relays, and the parking queue. */
  get deadLetterQueues(): StageQueue[] {
    return this.#queues.filter(({ name }) => /-dlq(\.fifo)?$/.test(name) || name === this.parkingQueueName);
  }

  /** True if the stage has no queue at all: it is not deployed there. */
  get isEmpty(): boolean {
    return this.#queues.length === 0;
  }

  get parkingQueueName(): string {
    return `millrace-re-emitter-${this.stage}-parking`;
  }

  /** @throws UsageError when the stage has none */
  get parkingQueue(): StageQueue {
    const queue = this.byName(this.parkingQueueName);
    if (!queue) throw new UsageError(`There is no queue ${this.parkingQueueName}: deploy services/re-emitter`);
    return queue;
  }

  byName(name: string): StageQueue | undefined {
    return this.#queues.find((queue) => queue.name === name);
  }

  byArn(arn: string): StageQueue | undefined {
    return this.#queues.find((queue) => queue.arn === arn);
  }

  /** The queues whose redrive policy names this one. */
  sourcesOf(deadLetterQueue: StageQueue): StageQueue[] {
    return this.#queues.filter(({ deadLetterTargetArn }) => deadLetterTargetArn === deadLetterQueue.arn);
  }

  /**
   * Finds a dead-letter queue by its name, by its consumer (`inventory.onOrderPlaced`), by its consumer's queue, or by a
   * part of its name that no other has.
   *
   * @throws UsageError that names what may have been meant
   */
  find(text: string): StageQueue {
    const candidates = this.deadLetterQueues;
    const exact = candidates.find(({ name }) => name === text || name === `millrace-${text}`);
    if (exact) return exact;
    const source = this.byName(text) ?? this.byName(`millrace-${text}`);
    const behind = source && candidates.find(({ arn }) => arn === source.deadLetterTargetArn);
    if (behind) return behind;

    const keyOf = ({ name }: StageQueue): string => consumerKey(name, this.stage);
    const wanted = squash(text);
    const ofConsumer = candidates.filter((queue) => keyOf(queue) === wanted);
    const matching =
      ofConsumer.length > 0 ? ofConsumer : candidates.filter(({ name }) => wanted && squash(name).includes(wanted));
    // A consumer has two: its own, which is meant, and its rule's.
    const [only, ...others] = matching.length === 1 ? matching : matching.filter((queue) => !isRuleQueue(queue));
    if (only && others.length === 0 && matching.every((queue) => keyOf(queue) === keyOf(only))) return only;
    if (matching.length > 0) {
      throw new UsageError(`"${text}" may be any of ${matching.map(({ name }) => name).join(', ')}`);
    }
    if (candidates.length === 0) throw new UsageError(`Stage ${this.stage} has no dead-letter queues`);
    const similar = similarNames(
      candidates.map(({ name }) => name),
      text,
    );
    throw new UsageError(
      `Stage ${this.stage} has no dead-letter queue "${text}"; did you mean ${similar.join(' or ')}?`,
    );
  }
}

/**
 * The service whose relay has this dead-letter queue; undefined for any other queue.
 * @example relayServiceOf({ name: 'millrace-orders-dev-relay-dlq' }, 'dev') // 'orders'
 */
export function relayServiceOf({ name }: Pick<StageQueue, 'name'>, stage: string): string | undefined {
  const suffix = `-${stage}-relay-dlq`;
  return name.startsWith('millrace-') && name.endsWith(suffix)
    ? name.slice('millrace-'.length, -suffix.length)
    : undefined;
}

function isRuleQueue({ name }: StageQueue): boolean {
  return name.endsWith('-rule-dlq');
}

function nameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/**
 * Reads one queue.
 *
 * @returns undefined when it does not exist any more
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
export async function readQueue(sqs: Pick<SQSClient, 'send'>, url: string): Promise<StageQueue | undefined> {
  try {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
    );
    const { deadLetterTargetArn } = JSON.parse(Attributes.RedrivePolicy || '{}') as { deadLetterTargetArn?: string };
    return {
      name: nameOf(url),
      url,
      arn: Attributes.QueueArn ?? '',
      fifo: Attributes.FifoQueue === 'true',
      visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
      ...(deadLetterTargetArn !== undefined && { deadLetterTargetArn }),
    };
  } catch (error) {
    // Deleted since it was listed.
    if (error instanceof QueueDoesNotExist) return undefined;
    throw error;
  }
}
