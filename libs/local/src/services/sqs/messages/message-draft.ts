import { hash } from 'node:crypto';
import type { MessageDraft } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, missingParameter, sqsError } from '../errors.ts';
import { sqsLimits } from '../limits.ts';
import { bodyMd5 } from './md5.ts';
import {
  attributesSize,
  checkMessageAttributes,
  checkSystemAttributes,
  type GivenAttribute,
} from './message-attributes.ts';
import { checkBody } from './text.ts';

/** What SendMessage, and each entry of SendMessageBatch, say about a message. */
export interface GivenMessage {
  MessageBody?: string | undefined;
  DelaySeconds?: number | undefined;
  MessageAttributes?: Readonly<Record<string, GivenAttribute>> | undefined;
  MessageSystemAttributes?: Readonly<Record<string, GivenAttribute>> | undefined;
  MessageDeduplicationId?: string | undefined;
  MessageGroupId?: string | undefined;
}

/** Letters, digits and punctuation, up to 128. */
const ID = /^[A-Za-z0-9!-/:-@[-`{-~]{1,128}$/;

/**
 * Checks a message that is to be sent to a queue.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 * @throws AwsError InvalidMessageContents, InvalidParameterValueException, MissingRequiredParameterException
 */
export function draftMessage(queue: Queue, given: GivenMessage, senderId: string): MessageDraft {
  const body = given.MessageBody ?? '';
  if (body === '') throw missingParameter('MessageBody');
  const delayMs = delayOf(queue, given.DelaySeconds);
  checkIds(queue, given);
  const attributes = checkMessageAttributes(given.MessageAttributes);
  const system = checkSystemAttributes(given.MessageSystemAttributes);
  const size = Buffer.byteLength(body) + attributesSize(attributes);
  const { maximumMessageSize, contentBasedDeduplication } = queue.settings;
  if (size > maximumMessageSize) {
    throw sqsError(
      'InvalidParameterValueException',
      `One or more parameters are invalid. Reason: Message must be shorter than ${maximumMessageSize} bytes.`,
    );
  }
  checkBody(body);
  return {
    body,
    bodyMd5: bodyMd5(body),
    attributes,
    traceHeader: system?.AWSTraceHeader?.StringValue,
    senderId,
    groupId: given.MessageGroupId,
    deduplicationId:
      given.MessageDeduplicationId ?? (contentBasedDeduplication && queue.fifo ? hash('sha256', body) : undefined),
    delayMs,
    size,
  };
}

/** A FIFO queue needs to know a message's group, and how to tell it from another. @throws AwsError */
export function checkFifoIds(queue: Queue, { MessageGroupId, MessageDeduplicationId }: GivenMessage): void {
  if (!queue.fifo) return;
  if (MessageGroupId === undefined) throw missingParameter('MessageGroupId');
  if (MessageDeduplicationId === undefined && !queue.settings.contentBasedDeduplication) {
    throw sqsError(
      'InvalidParameterValueException',
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    );
  }
}

/** A message of a FIFO queue has the queue's delay. */
function delayOf({ fifo, settings }: Queue, seconds: number | undefined): number {
  if (seconds === undefined) return settings.delayMs;
  if (seconds < 0 || seconds > sqsLimits.delaySeconds) {
    throw invalidParameter('DelaySeconds', seconds, 'DelaySeconds must be >= 0 and <= 900.');
  }
  if (!fifo) return seconds * 1000;
  if (seconds > 0) {
    throw invalidParameter(
      'DelaySeconds',
      seconds,
      'The request include parameter that is not valid for this queue type.',
    );
  }
  return settings.delayMs;
}

function checkIds(queue: Queue, given: GivenMessage): void {
  const { MessageGroupId, MessageDeduplicationId } = given;
  if (!queue.fifo && MessageDeduplicationId !== undefined) {
    throw invalidParameter(
      'MessageDeduplicationId',
      MessageDeduplicationId,
      'The request include parameter that is not valid for this queue type.',
    );
  }
  for (const [name, id] of Object.entries({ MessageGroupId, MessageDeduplicationId })) {
    if (id === undefined || ID.test(id)) continue;
    throw invalidParameter(
      name,
      id,
      `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
    );
  }
  checkFifoIds(queue, given);
}
