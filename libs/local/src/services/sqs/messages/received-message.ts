import { unknownAttribute } from '../attributes/queue-attributes.ts';
import { type Message, type MessageAttributes, sequenceNumber } from '../engine/message.ts';
import type { Queue } from '../engine/queue.ts';
import { attributesMd5 } from './md5.ts';

/** A message as ReceiveMessage gives it. */
export interface ReceivedMessage {
  MessageId: string;
  ReceiptHandle: string;
  MD5OfBody: string;
  Body: string;
  Attributes?: Record<string, string>;
  MD5OfMessageAttributes?: string;
  MessageAttributes?: MessageAttributes;
}

/** What of a message's attributes is asked for. */
export interface WantedAttributes {
  /** Message system attributes; `All` for all of them. */
  system: readonly string[];
  /** Message attributes: names, prefixes as `foo.*`, or `All`. */
  message: readonly string[];
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
const systemAttributes: Readonly<Record<string, (message: Message, queue: Queue) => string | undefined>> = {
  SenderId: ({ senderId }) => senderId,
  SentTimestamp: ({ sentAt }) => String(sentAt),
  ApproximateReceiveCount: ({ receives }) => String(receives),
  ApproximateFirstReceiveTimestamp: ({ firstReceivedAt }) => String(firstReceivedAt),
  SequenceNumber: ({ uid }, { fifo }) => (fifo ? sequenceNumber(uid) : undefined),
  MessageDeduplicationId: ({ deduplicationId }) => deduplicationId,
  MessageGroupId: ({ groupId }) => groupId,
  AWSTraceHeader: ({ traceHeader }) => traceHeader,
  DeadLetterQueueSourceArn: ({ deadLetterSourceArn }) => deadLetterSourceArn,
};

/** @throws AwsError InvalidAttributeName */
export function checkSystemAttributeNames(names: readonly string[]): void {
  for (const name of names) {
    if (name !== 'All' && !Object.hasOwn(systemAttributes, name)) throw unknownAttribute(name);
  }
}

/** Shows a message that was received, with those of its attributes that are wanted. */
export function showMessage(message: Message, queue: Queue, wanted: WantedAttributes): ReceivedMessage {
  const shown: ReceivedMessage = {
    MessageId: message.messageId,
    ReceiptHandle: queue.receiptHandleOf(message),
    MD5OfBody: message.bodyMd5,
    Body: message.body,
  };
  const system = systemAttributesOf(message, queue, wanted.system);
  if (system) shown.Attributes = system;
  const attributes = selectAttributes(message.attributes, wanted.message);
  if (attributes) {
    shown.MessageAttributes = attributes;
    const md5 = attributesMd5(attributes);
    if (md5 !== undefined) shown.MD5OfMessageAttributes = md5;
  }
  return shown;
}

function systemAttributesOf(
  message: Message,
  queue: Queue,
  wanted: readonly string[],
): Record<string, string> | undefined {
  if (wanted.length === 0) return undefined;
  const all = wanted.includes('All');
  const shown: Record<string, string> = {};
  let any = false;
  for (const name in systemAttributes) {
    const value = all || wanted.includes(name) ? systemAttributes[name]?.(message, queue) : undefined;
    if (value === undefined) continue;
    shown[name] = value;
    any = true;
  }
  return any ? shown : undefined;
}

function selectAttributes(
  attributes: MessageAttributes | undefined,
  wanted: readonly string[],
): MessageAttributes | undefined {
  if (!attributes || wanted.length === 0) return undefined;
  if (wanted.some((name) => name === 'All' || name === '.*' || name === '*')) return attributes;
  const prefixes = wanted.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -2));
  const selected = Object.entries(attributes).filter(
    ([name]) => wanted.includes(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  );
  return selected.length > 0 ? Object.fromEntries(selected) : undefined;
}
