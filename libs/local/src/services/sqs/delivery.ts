import { type DeliverOptions, textAttribute } from '../../core/delivery.ts';
import { queueDoesNotExist } from './errors.ts';
import { sendMessage } from './operations/message-operations.ts';
import type { QueueDirectory } from './queue-directory.ts';

/** What a message that a service delivers has beside its body. */
export type MessageDelivery = Pick<
  DeliverOptions,
  'messageAttributes' | 'messageGroupId' | 'messageDeduplicationId' | 'traceHeader'
>;

/**
 * Sends a message for another service.
 *
 * @returns resolves when the message is kept; it is in the queue before
 * @throws AwsError at once: QueueDoesNotExist, or because the message is not one that SQS takes
 */
export function deliverMessage(
  { queues, accountId }: QueueDirectory,
  queueArn: string,
  body: string,
  { messageAttributes, messageGroupId, messageDeduplicationId, traceHeader }: MessageDelivery = {},
): Promise<void> {
  const queue = queues.byArn(queueArn);
  if (!queue) throw queueDoesNotExist();
  const given = {
    MessageBody: body,
    MessageAttributes: messageAttributes,
    MessageSystemAttributes: traceHeader === undefined ? undefined : { AWSTraceHeader: textAttribute(traceHeader) },
    MessageGroupId: messageGroupId,
    MessageDeduplicationId: messageDeduplicationId,
  };
  sendMessage(queue, given, accountId);
  return queues.journal.committed() ?? Promise.resolve();
}
