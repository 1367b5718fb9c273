import type { BuildAppOptions } from 'fauxqs';
import { AwsError } from '../../core/aws-error.ts';

/** A message as ReceiveMessage gives it, with all of its attributes. */
export interface ReceivedMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  md5OfBody: string;
  /** SentTimestamp, ApproximateReceiveCount, MessageGroupId … */
  attributes: Record<string, string>;
  messageAttributes: Record<string, { dataType: string; stringValue?: string; binaryValue?: string /* base64 */ }>;
}

/** What an event source mapping needs of a queue. */
export interface SqsQueue {
  readonly queueArn: string;
  readonly region: string;
  readonly visibilityTimeoutSeconds: number;
  /**
   * Receives up to `max` (at most 10) messages, waiting up to `waitSeconds` for the first. An abort ends the wait with no messages;
   * it never loses any.
   */
  receive(options: { max: number; waitSeconds: number; signal: AbortSignal }): Promise<ReceivedMessage[]>;
  /** Deletes messages; a handle that has expired is ignored, as by SQS. */
  deleteBatch(receiptHandles: string[]): Promise<void>;
}

/** Where the fauxqs of this process keeps its queues. */
export type FauxqsStore = NonNullable<BuildAppOptions['stores']>['sqsStore'];
type FauxqsQueue = NonNullable<ReturnType<FauxqsStore['getQueueByArn']>>;

export interface InProcessQueueOptions {
  /** The X-Ray trace header that a message was sent with. */
  traceHeaderOf?: (messageId: string) => string | undefined;
  /** Throws AwsError when messages may not be taken at the moment. */
  authorize?: () => void;
}

/**
 * A queue of the fauxqs that runs in this process. A message sent by anybody wakes the receiver at once, and receiving costs
 * microseconds where a request over HTTP costs a millisecond.
 *
 * The queue may be deleted and created again: whatever has its name then is used.
 *
 * @throws AwsError ResourceNotFoundException when the store has no such queue
 */
export function inProcessQueue(
  store: FauxqsStore,
  queueArn: string,
  { traceHeaderOf = () => undefined, authorize = () => {} }: InProcessQueueOptions = {},
): SqsQueue {
  const found = (): FauxqsQueue => {
    const queue = store.getQueueByArn(queueArn);
    if (!queue) throw new AwsError('ResourceNotFoundException', `The queue ${queueArn} does not exist`, 404);
    return queue;
  };
  found();
  const take = (max: number): ReceivedMessage[] => {
    const queue = found();
    authorize();
    return queue
      .dequeue(Math.min(max, 10), undefined, (arn) => store.getQueueByArn(arn))
      .map((message) => ({
        messageId: message.MessageId,
        receiptHandle: message.ReceiptHandle,
        body: message.Body,
        md5OfBody: message.MD5OfBody,
        attributes: systemAttributes(queue, message.ReceiptHandle, traceHeaderOf(message.MessageId)),
        messageAttributes: Object.fromEntries(
          Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => [
            name,
            {
              dataType: DataType,
              ...(StringValue === undefined ? {} : { stringValue: StringValue }),
              ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
            },
          ]),
        ),
      }));
  };
  return {
    queueArn,
    region: queueArn.split(':')[3] ?? '',
    get visibilityTimeoutSeconds() {
      return Number(found().attributes.VisibilityTimeout);
    },
    async receive({ max, waitSeconds, signal }) {
      const deadline = Date.now() + waitSeconds * 1000;
      while (!signal.aborted) {
        const messages = take(max);
        const left = deadline - Date.now();
        if (messages.length > 0 || left <= 0) return messages;
        await waitForMessages(found(), left / 1000, signal);
      }
      return [];
    },
    async deleteBatch(receiptHandles) {
      const queue = found();
      for (const receiptHandle of receiptHandles) queue.deleteMessage(receiptHandle);
    },
  };
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
function systemAttributes(
  queue: FauxqsQueue,
  receiptHandle: string,
  traceHeader: string | undefined,
): Record<string, string> {
  const message = queue.inflightMessages.get(receiptHandle)?.message;
  if (!message) return {};
  return {
    ApproximateReceiveCount: String(message.approximateReceiveCount),
    SentTimestamp: String(message.sentTimestamp),
    SenderId: queue.arn.split(':')[4] ?? '',
    ApproximateFirstReceiveTimestamp: String(message.approximateFirstReceiveTimestamp),
    ...(message.sequenceNumber === undefined ? {} : { SequenceNumber: message.sequenceNumber }),
    ...(message.messageGroupId === undefined ? {} : { MessageGroupId: message.messageGroupId }),
    ...(message.messageDeduplicationId === undefined ? {} : { MessageDeduplicationId: message.messageDeduplicationId }),
    ...(traceHeader === undefined ? {} : { AWSTraceHeader: traceHeader }),
  };
}

async function waitForMessages(queue: FauxqsQueue, seconds: number, signal: AbortSignal): Promise<void> {
  const woken = queue.waitForMessages(seconds);
  const waiter = queue.pollWaiters.at(-1);
  const abort = (): void => {
    if (!waiter) return;
    clearTimeout(waiter.timer);
    queue.pollWaiters = queue.pollWaiters.filter((other) => other !== waiter);
    waiter.resolve();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    await woken;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
