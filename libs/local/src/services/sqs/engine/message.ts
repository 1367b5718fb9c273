import type { MessageAttribute } from '../../../core/delivery.ts';
import type { Linked } from './linked-list.ts';

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** What a message has from its sender. */
interface SentContent {
  readonly body: string;
  readonly bodyMd5: string;
  readonly attributes: MessageAttributes | undefined;
  /** The system attribute AWSTraceHeader. */
  readonly traceHeader: string | undefined;
  readonly senderId: string;
  readonly groupId: string | undefined;
  /** Of a FIFO queue: the sender's, or the hash of the body. */
  readonly deduplicationId: string | undefined;
}

/** A message that has been checked and is to be sent. */
export interface MessageDraft extends SentContent {
  readonly delayMs: number;
  /** In bytes, with its attributes. */
  readonly size: number;
}

/** What of a message stays the same from its arrival in a queue on. */
export interface MessageContent extends SentContent {
  readonly messageId: string;
  /** SentTimestamp, from which the retention period counts. */
  readonly sentAt: number;
  /** When it came into this queue: later than `sentAt` in a dead-letter queue. */
  readonly arrivedAt: number;
  /** How often it had been received when it came into this queue: in the queues that it failed in. */
  readonly receivesBefore: number;
  /** The queue that it failed in. */
  readonly deadLetterSourceArn: string | undefined;
}

/** What receiving changes about a message. */
export interface MessageProgress {
  receives: number;
  firstReceivedAt: number | undefined;
  /** When it was received last. */
  receivedAt: number | undefined;
  /** When it can be received: after its delay, or after its visibility timeout. */
  visibleAt: number;
}

/** `hidden` messages have been received and not been deleted: they are in flight. */
export type MessageState = 'visible' | 'delayed' | 'hidden';

/** A message in a queue. */
export interface Message extends MessageContent, MessageProgress, Linked<Message> {
  /** Unique on this machine, growing. Order of arrival, and the base of sequence numbers. */
  readonly uid: number;
  state: MessageState;
  /** Whether it is in the list of those that can be received; of a standard queue only. */
  listed: boolean;
  timerIndex: number;
  retentionIndex: number;
  ageIndex: number;
}

/** @param progress of a message that was stored and is read back */
export function createMessage(uid: number, content: MessageContent, progress: MessageProgress): Message {
  return {
    uid,
    messageId: content.messageId,
    body: content.body,
    bodyMd5: content.bodyMd5,
    attributes: content.attributes,
    traceHeader: content.traceHeader,
    senderId: content.senderId,
    groupId: content.groupId,
    deduplicationId: content.deduplicationId,
    sentAt: content.sentAt,
    arrivedAt: content.arrivedAt,
    receivesBefore: content.receivesBefore,
    deadLetterSourceArn: content.deadLetterSourceArn,
    receives: progress.receives,
    firstReceivedAt: progress.firstReceivedAt,
    receivedAt: progress.receivedAt,
    visibleAt: progress.visibleAt,
    state: 'visible',
    listed: false,
    previous: undefined,
    next: undefined,
    timerIndex: -1,
    retentionIndex: -1,
    ageIndex: -1,
  };
}

/**
 * The sequence number of a message in a FIFO queue: 20 digits, growing.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#SQS-SendMessage-response-SequenceNumber
 */
export function sequenceNumber(uid: number): string {
  return `188${String(uid).padStart(17, '0')}`;
}
