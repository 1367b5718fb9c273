import type { Queue } from '../engine/queue.ts';
import { type Receipt, readReceiptHandle } from '../engine/receipt-handle.ts';
import { invalidParameter, invalidReceiptHandle } from '../errors.ts';
import { sqsLimits } from '../limits.ts';

/**
 * Deletes the message that a receipt handle is for. A standard queue ignores a handle that is not the newest, and takes one
 * whose visibility timeout has ended; a FIFO queue refuses both.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
 * @throws AwsError ReceiptHandleIsInvalid, InvalidParameterValueException
 */
export function deleteMessage(queue: Queue, handle: string): void {
  const receipt = receiptOf(queue, handle);
  const message = queue.find(receipt);
  const current = queue.messages.get(receipt.messageUid);
  if (queue.fifo && current && (current !== message || current.state !== 'hidden')) {
    throw invalidParameter('ReceiptHandle', handle, 'The receipt handle has expired.');
  }
  queue.delete(message);
}

/**
 * Changes how long a message stays hidden from now on. A standard queue's message can be hidden again after its timeout has
 * ended, as long as it was not received again.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
 * @throws AwsError ReceiptHandleIsInvalid, InvalidParameterValueException
 */
export function changeVisibility(queue: Queue, handle: string, seconds: number): void {
  const { visibilityTimeout: visibilitySeconds } = sqsLimits;
  if (seconds < 0 || seconds > visibilitySeconds) {
    throw invalidParameter(
      'VisibilityTimeout',
      seconds,
      `VisibilityTimeout must be between 0 and ${visibilitySeconds}.`,
    );
  }
  const message = queue.find(receiptOf(queue, handle));
  if (!message) {
    const reason = 'Message does not exist or is not available for visibility timeout change.';
    throw invalidParameter('ReceiptHandle', handle, reason);
  }
  if (queue.fifo && message.state !== 'hidden') {
    throw invalidParameter('ReceiptHandle', handle, 'The receipt handle has expired.');
  }
  const now = queue.advance();
  if (now + seconds * 1000 > (message.receivedAt ?? now) + visibilitySeconds * 1000) {
    const reason = `Total VisibilityTimeout for the message is beyond the limit [${visibilitySeconds} seconds].`;
    throw invalidParameter('VisibilityTimeout', seconds, reason);
  }
  queue.hide(message, seconds * 1000);
}

function receiptOf(queue: Queue, handle: string): Receipt {
  const receipt = readReceiptHandle(handle);
  if (receipt?.queueUid !== queue.uid) throw invalidReceiptHandle(handle);
  return receipt;
}
