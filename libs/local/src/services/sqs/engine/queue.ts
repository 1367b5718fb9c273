import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../core/clock.ts';
import { changeAttributes, type QueueAttributes } from '../attributes/queue-attributes.ts';
import { type QueueSettings, settingsOf } from '../attributes/queue-settings.ts';
import { sqsLimits } from '../limits.ts';
import { Availability } from './availability.ts';
import { Deduplication } from './deduplication.ts';
import type { Journal, QueueRecord } from './journal.ts';
import { createMessage, type Message, type MessageContent, type MessageDraft } from './message.ts';
import { newCounters, type QueueCounters } from './queue-counters.ts';
import { QueueMessages } from './queue-messages.ts';
import { createReceiptHandle, type Receipt } from './receipt-handle.ts';
import { ReceiveAttempts } from './receive-attempts.ts';
import type { Shuffle } from './shuffle.ts';

/** What a queue shares with all others. */
export interface QueueSurroundings {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly shuffle: Shuffle | undefined;
  /** The next number of a message or queue. */
  nextUid(): number;
  find(arn: string): Queue | undefined;
}

/** A queue: its attributes, its messages and who waits for them. */
export class Queue {
  readonly uid: number;
  readonly name: string;
  readonly arn: string;
  readonly fifo: boolean;
  readonly createdAt: number;
  readonly messages: QueueMessages;
  readonly deduplication: Deduplication;
  readonly availability: Availability;
  readonly counters: QueueCounters = newCounters();
  readonly #attempts = new ReceiveAttempts();
  readonly #shared: QueueSurroundings;
  #attributes: QueueAttributes;
  #settings: QueueSettings;
  #tags: Readonly<Record<string, string>>;
  #modifiedAt: number;
  #purgedAt = Number.NEGATIVE_INFINITY;
  #deleted = false;

  constructor(record: QueueRecord, arn: string, shared: QueueSurroundings) {
    this.uid = record.uid;
    this.name = record.name;
    this.arn = arn;
    this.fifo = record.name.endsWith('.fifo');
    this.createdAt = record.createdAt;
    this.#modifiedAt = record.modifiedAt;
    this.#attributes = record.attributes;
    this.#settings = settingsOf(record.attributes);
    this.#tags = record.tags;
    this.#shared = shared;
    const { journal, clock, shuffle } = shared;
    this.messages = new QueueMessages({
      fifo: this.fifo,
      shuffle,
      journal: {
        insert: (message) => journal.insertMessage(this.uid, message),
        update: (message) => journal.updateMessage(message),
        remove: (message) => journal.removeMessage(message),
      },
    });
    this.deduplication = new Deduplication({
      save: (key, entry) => journal.saveDeduplication(this.uid, key, entry),
      remove: (key) => journal.removeDeduplication(this.uid, key),
    });
    this.availability = new Availability(clock, () => this.messages.nextDue);
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  get attributes(): QueueAttributes {
    return this.#attributes;
  }

  get tags(): Readonly<Record<string, string>> {
    return this.#tags;
  }

  get modifiedAt(): number {
    return this.#modifiedAt;
  }

  /** Whether the queue has been deleted: who still waits for its messages finds out by this. */
  get deleted(): boolean {
    return this.#deleted;
  }

  get record(): QueueRecord {
    const { uid, name, createdAt } = this;
    return { uid, name, attributes: this.#attributes, tags: this.#tags, createdAt, modifiedAt: this.#modifiedAt };
  }

  /** @throws AwsError as `changeAttributes` does */
  setAttributes(changes: QueueAttributes): void {
    const { delayMs } = this.#settings;
    this.#attributes = changeAttributes(this.#attributes, changes, this.fifo);
    this.#settings = settingsOf(this.#attributes);
    this.#modifiedAt = this.advance();
    // Of a FIFO queue also those that are there already.
    if (this.fifo && this.#settings.delayMs !== delayMs) {
      this.messages.delay(this.#settings.delayMs, this.#modifiedAt);
      this.availability.notify();
    }
    this.#shared.journal.saveQueue(this.record);
  }

  setTags(tags: Readonly<Record<string, string>>): void {
    this.#tags = tags;
    this.#shared.journal.saveQueue(this.record);
  }

  /** Brings delays, visibility timeouts and retention up to now. Everything that is asked of the messages comes after it. */
  advance(): number {
    const now = this.#shared.clock.now();
    this.messages.advance(now, this.#settings.retentionMs);
    return now;
  }

  /** @returns the message's id and number; those of the first one for a duplicate */
  send(draft: MessageDraft): { messageId: string; uid: number } {
    const now = this.advance();
    const { groupId = '', deduplicationId } = draft;
    const deduplicates = this.fifo && deduplicationId !== undefined;
    const earlier = deduplicates ? this.deduplication.find(deduplicationId, groupId, now) : undefined;
    this.counters.NumberOfMessagesSent += 1;
    this.counters.SentMessageSize += draft.size;
    if (earlier) {
      this.counters.NumberOfDeduplicatedSentMessages += 1;
      return earlier;
    }
    const messageId = randomUUID();
    const uid = this.#shared.nextUid();
    const content: MessageContent = {
      ...draft,
      messageId,
      sentAt: now,
      arrivedAt: now,
      receivesBefore: 0,
      deadLetterSourceArn: undefined,
    };
    const progress = { receives: 0, firstReceivedAt: undefined, receivedAt: undefined, visibleAt: now + draft.delayMs };
    this.#add(createMessage(uid, content, progress), now);
    if (deduplicates) {
      const entry = { messageId, uid, sentAt: now };
      this.deduplication.add(deduplicationId, groupId, this.#settings.deduplicationScope, entry);
    }
    return { messageId, uid };
  }

  /**
   * Receives what can be received now. Messages that were received too often go to the dead-letter queue instead.
   *
   * @param attemptId ReceiveRequestAttemptId, with which a receive can be repeated
   */
  receive(max: number, visibilityMs: number = this.#settings.visibilityMs, attemptId?: string): Message[] {
    const now = this.advance();
    const repeated =
      attemptId === undefined ? undefined : this.#attempts.find(attemptId, now, (uid) => this.messages.get(uid));
    if (repeated) for (const message of repeated) this.messages.hide(message, visibilityMs, now);
    const { redrivePolicy } = this.#settings;
    const deadLetterQueue = redrivePolicy && this.#shared.find(redrivePolicy.deadLetterTargetArn);
    const received =
      repeated ??
      this.messages.receive(max, visibilityMs, now, (message) => {
        const receivesHere = message.receives - message.receivesBefore;
        if (!deadLetterQueue || receivesHere < redrivePolicy.maxReceiveCount) return false;
        this.messages.remove(message);
        deadLetterQueue.acceptDeadLetter(message, this.arn);
        return true;
      });
    if (attemptId !== undefined && received.length > 0) this.#attempts.add(attemptId, received, now);
    this.counters.NumberOfMessagesReceived += received.length;
    if (received.length === 0) this.counters.NumberOfEmptyReceives += 1;
    this.availability.reschedule();
    return [...received];
  }

  receiptHandleOf(message: Message): string {
    return createReceiptHandle({ queueUid: this.uid, messageUid: message.uid, receives: message.receives });
  }

  /**
   * Finds the message that a receipt handle of this queue is for.
   * @returns undefined when it has been deleted, or received again since: then another handle is valid
   */
  find({ messageUid, receives }: Receipt): Message | undefined {
    this.advance();
    const message = this.messages.get(messageUid);
    return message?.receives === receives ? message : undefined;
  }

  /** @param message undefined for one that is already gone: deleting it again succeeds, and counts */
  delete(message: Message | undefined): void {
    this.counters.NumberOfMessagesDeleted += 1;
    if (!message) return;
    this.messages.delete(message, this.#shared.clock.now());
    this.availability.notify();
  }

  hide(message: Message, visibilityMs: number): void {
    this.messages.hide(message, visibilityMs, this.#shared.clock.now());
    if (visibilityMs === 0) this.availability.notify();
    else this.availability.reschedule();
  }

  /** How long ago the last purge was, in milliseconds. */
  get sincePurge(): number {
    return this.#shared.clock.now() - this.#purgedAt;
  }

  /** Deletes all messages, and forgets which ones were sent. */
  purge(): void {
    this.#purgedAt = this.#shared.clock.now();
    this.#clear();
  }

  /** The queue has been deleted. */
  close(): void {
    this.#deleted = true;
    this.#clear();
    this.availability.wakeAll();
  }

  /**
   * Takes in a message that failed too often in another queue. A standard queue's keeps the time it was sent at, so its
   * retention goes on; in a FIFO queue it begins anew, and the message's id takes the place of its deduplication id.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
   */
  acceptDeadLetter(message: Message, sourceArn: string): void {
    const now = this.advance();
    const content = {
      ...message,
      sentAt: this.fifo ? now : message.sentAt,
      deduplicationId: this.fifo ? message.messageId : message.deduplicationId,
      arrivedAt: now,
      receivesBefore: message.receives,
      deadLetterSourceArn: sourceArn,
    };
    const { receives, firstReceivedAt, receivedAt } = message;
    const progress = { receives, firstReceivedAt, receivedAt, visibleAt: now };
    this.#add(createMessage(this.#shared.nextUid(), content, progress), now);
  }

  /** Takes in a message that a move task took out of a dead-letter queue: a new one, but for its content. */
  acceptRedriven(message: Message): void {
    const now = this.advance();
    const content = {
      ...message,
      ...{ messageId: randomUUID(), sentAt: now, arrivedAt: now, receivesBefore: 0, deadLetterSourceArn: undefined },
    };
    const progress = {
      receives: 0,
      firstReceivedAt: undefined,
      receivedAt: undefined,
      visibleAt: now + this.#settings.delayMs,
    };
    this.#add(createMessage(this.#shared.nextUid(), content, progress), now);
  }

  /** Whether so many messages are in flight that no more can be received. */
  get isFull(): boolean {
    return this.messages.counts.hidden >= sqsLimits.messagesInFlight;
  }

  #add(message: Message, now: number): void {
    this.messages.add(message, now);
    if (message.state === 'visible') this.availability.notify();
    else this.availability.reschedule();
  }

  #clear(): void {
    this.messages.clear();
    this.deduplication.clear();
    this.#attempts.clear();
  }
}
