import { randomUUID } from 'node:crypto';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { lambdaContext, sqsRecord } from './lambda-events.ts';

/** What a consumer sends, as far as this queue understands it. */
interface SentInput {
  QueueUrl?: string;
  MessageBody?: string;
  DelaySeconds?: number;
  MessageAttributes?: Record<string, { DataType: string; StringValue?: string }>;
  ReceiptHandle?: string;
  VisibilityTimeout?: number;
}

interface Message {
  record: SQSRecord;
  receives: number;
  /** In the queue's own time. */
  visibleAt: number;
}

/** Of a message that is being handled. */
const HIDDEN = Number.POSITIVE_INFINITY;
/** In seconds. */
const VISIBILITY_TIMEOUT = 60;

type Consumer = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

export interface QueueOptions {
  queueUrl: string;
  deadLetterQueueUrl: string;
  maxReceiveCount: number;
}

/**
 * A standard queue with its dead-letter queue in memory, for the handlers of one consumer: it delivers batches to several
 * containers at once, and again what they report as failed, as Lambda and SQS do. Delays pass at once: when nothing is
 * visible and no batch is under way, its time goes on to the next message.
 *
 * Give `queue.sqs` to `consume` in place of an SQSClient.
 * @example
 * const queue = new SqsQueue(settings);
 * queue.send(...bodies);
 * await queue.drain([containerA, containerB], { batchSize: 10 });
 * expect(queue.deadLetters).toEqual([]);
 */
export class SqsQueue {
  readonly #options: QueueOptions;
  readonly #messages = new Map<string, Message>();
  #now = 0;
  /** Bodies, in the order in which they died. */
  readonly deadLetters: string[] = [];
  /** Copies that the consumer sent to its own queue. */
  deferrals = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  readonly sqs = {
    send: async ({ input }: { input: SentInput }): Promise<never> => {
      const { QueueUrl, MessageBody, ReceiptHandle, VisibilityTimeout } = input;
      if (VisibilityTimeout !== undefined) {
        const message = this.#messages.get(ReceiptHandle ?? '');
        if (message) message.visibleAt = this.#now + VisibilityTimeout;
      } else if (QueueUrl === this.#options.deadLetterQueueUrl) {
        this.deadLetters.push(MessageBody ?? '');
      } else {
        this.deferrals += 1;
        this.#add(MessageBody ?? '', input);
      }
      return {} as never;
    },
  };

  /** Puts messages into the queue. */
  send(...bodies: string[]): void {
    for (const body of bodies) this.#add(body, {});
  }

  /**
   * Delivers until the queue is empty, each consumer one batch at a time.
   * @param options.timeoutMs of the function
   */
  async drain(
    consumers: readonly Consumer[],
    { batchSize, timeoutMs = 10_000 }: { batchSize: number; timeoutMs?: number },
  ): Promise<void> {
    let working = 0;
    const work = async (consume: Consumer): Promise<void> => {
      while (this.#messages.size > 0) {
        const batch = this.#receive(batchSize, working === 0);
        if (batch.length === 0) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          continue;
        }
        working += 1;
        const startedAt = performance.now();
        const context = lambdaContext(() => timeoutMs - (performance.now() - startedAt));
        try {
          const { batchItemFailures } = await consume({ Records: batch.map(({ record }) => record) }, context);
          const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
          for (const message of batch) {
            const { messageId, receiptHandle } = message.record;
            if (!failed.has(messageId)) this.#messages.delete(receiptHandle);
            else if (message.visibleAt === HIDDEN) message.visibleAt = this.#now + VISIBILITY_TIMEOUT;
          }
        } finally {
          working -= 1;
        }
      }
    };
    await Promise.all(consumers.map(work));
  }

  #receive(batchSize: number, isIdle: boolean): Message[] {
    const waiting = [...this.#messages.values()].filter(({ visibleAt }) => visibleAt !== HIDDEN);
    if (isIdle && waiting.length > 0)
      this.#now = Math.max(this.#now, Math.min(...waiting.map(({ visibleAt }) => visibleAt)));
    const batch: Message[] = [];
    for (const message of waiting) {
      if (message.visibleAt > this.#now || batch.length === batchSize) continue;
      if (message.receives >= this.#options.maxReceiveCount) {
        this.#messages.delete(message.record.receiptHandle);
        this.deadLetters.push(message.record.body);
        continue;
      }
      message.receives += 1;
      message.record.attributes.ApproximateReceiveCount = String(message.receives);
      message.visibleAt = HIDDEN;
      batch.push(message);
    }
    return batch;
  }

  #add(body: string, { DelaySeconds = 0, MessageAttributes = {} }: SentInput): void {
    const messageAttributes = Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType, StringValue = '' }]) => [
        name,
        { dataType: DataType as 'String', stringValue: StringValue },
      ]),
    );
    const record = sqsRecord(body, { receiptHandle: `handle-${randomUUID()}`, messageAttributes });
    this.#messages.set(record.receiptHandle, { record, receives: 0, visibleAt: this.#now + DelaySeconds });
  }
}
