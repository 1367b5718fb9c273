import { AwsError } from '../../core/aws-error.ts';
import type { Queue } from './engine/queue.ts';
import type { Queues } from './engine/queues.ts';
import { sqsError } from './errors.ts';
import { sqsLimits } from './limits.ts';
import { deleteMessage } from './messages/receipts.ts';
import { receiveMessages } from './messages/receive.ts';
import { showMessage } from './messages/received-message.ts';
import { type QueueUsage, requestsOf } from './usage.ts';

/** A message as an event source mapping gets it: with all of its attributes. */
export interface SourceMessage {
  messageId: string;
  receiptHandle: string;
  body: string;
  md5OfBody: string;
  /** SentTimestamp, ApproximateReceiveCount, MessageGroupId … */
  attributes: Record<string, string>;
  messageAttributes: Record<string, { dataType: string; stringValue?: string; binaryValue?: string /* base64 */ }>;
}

/** A queue as an event source mapping uses it. */
export interface QueueSource {
  readonly queueArn: string;
  readonly region: string;
  readonly visibilityTimeoutSeconds: number;
  /**
   * Receives up to `max` (at most 10) messages, waiting up to `waitSeconds` for the first, or without an end for Infinity. An
   * abort ends the wait with no messages; it never loses any.
   */
  receive(options: { max: number; waitSeconds: number; signal: AbortSignal }): Promise<SourceMessage[]>;
  /** Deletes messages; a handle that has expired is ignored. */
  deleteBatch(receiptHandles: string[]): Promise<void>;
}

const ALL = { system: ['All'], message: ['All'] };

export interface QueueSourceOptions {
  /** Throws AwsError when messages may not be taken at the moment. */
  authorize?: () => void;
  /**
   * Told of receives that had messages, and of deletions. A wait that ends without messages is not counted: there is one poller here,
   * and at AWS there are several, whether anything is in the queue or not.
   */
  onUsage?: ((usage: QueueUsage) => void) | undefined;
}

/**
 * A queue for an event source mapping in this process: no HTTP, and no polling while nothing is there.
 *
 * The queue may be deleted and created again: whatever has its name then is used.
 *
 * @throws AwsError QueueDoesNotExist
 */
export function queueSource(
  queues: Queues,
  queueArn: string,
  { authorize = () => {}, onUsage }: QueueSourceOptions = {},
): QueueSource {
  const use = (operation: string, requests: number): void =>
    onUsage?.({ operation, requests, queueName: queueArn.slice(queueArn.lastIndexOf(':') + 1) });
  const found = (): Queue => {
    const queue = queues.byArn(queueArn);
    if (!queue) throw sqsError('QueueDoesNotExist', `The queue ${queueArn} does not exist`);
    return queue;
  };
  found();
  return {
    queueArn,
    region: queueArn.split(':')[3] ?? '',
    get visibilityTimeoutSeconds() {
      return found().settings.visibilityMs / 1000;
    },
    async receive({ max, waitSeconds, signal }) {
      const queue = found();
      authorize();
      const options = { max: Math.min(max, sqsLimits.receivedMessages), waitMs: waitSeconds * 1000, signal };
      const messages = await receiveMessages(queue, options);
      const shown = messages.map((message) => showMessage(message, queue, ALL));
      await queues.journal.committed();
      const bytes = shown.reduce((sum, { Body }) => sum + Buffer.byteLength(Body), 0);
      if (shown.length > 0) use('ReceiveMessage', requestsOf(bytes));
      return shown.map((message) => ({
        messageId: message.MessageId,
        receiptHandle: message.ReceiptHandle,
        body: message.Body,
        md5OfBody: message.MD5OfBody,
        attributes: message.Attributes ?? {},
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
    },
    async deleteBatch(receiptHandles) {
      const queue = found();
      for (const handle of receiptHandles) {
        try {
          deleteMessage(queue, handle);
        } catch (error) {
          // Expired, or of a queue that had this name before: there is nothing left to delete.
          if (!(error instanceof AwsError)) throw error;
        }
      }
      use('DeleteMessageBatch', Math.ceil(receiptHandles.length / sqsLimits.batchEntries));
      await queues.journal.committed();
    },
  };
}
