import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { callBatch, type EntryFailure } from '../batch-call.ts';
import { batches, MAX_BATCH_ENTRIES } from '../batches.ts';
import { type DeadLetter, readDeadLetter, receiveEverything } from '../dead-letter.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { StageQueue } from './stage-queues.ts';

/** For how long a letter is hidden at first, and at most after a look has died. In seconds. */
const VISIBILITY_SECONDS = 30;
/** Letters whose visibility can be extended per second of visibility: beyond 3,000 held ones it must be longer. */
const HELD_PER_SECOND = 100;
/** Calls at once when many letters are extended or released. */
const CONCURRENCY = 4;
/** Consecutive receives without a letter after which a queue is taken to be empty though its count says otherwise. */
const MAX_EMPTY = 2;
/** The same when everything that was counted has been found: these receives do not wait, so each asks some servers only. */
const MAX_EMPTY_WHEN_COMPLETE = 3;
/** Consecutive receives with nothing but letters that arrived during the look, after which it ends. */
const MAX_ARRIVALS_ONLY = 20;
/** How long letters that somebody else holds are waited for: a look that was killed hides them for a little less. */
const WAIT_FOR_IN_FLIGHT_MS = (VISIBILITY_SECONDS + 5) * 1_000;

export interface LookOptions {
  /** Letters sent after it are not handed out: without that, a drain of letters that die again would never end. */
  startedAt: Date;
  /** Whether to wait for letters that somebody else held when the look began. */
  waitForInFlight?: boolean;
  signal?: AbortSignal | undefined;
}

interface Held {
  receiptHandle: string;
  /** On the monotonic clock, in ms. */
  hiddenUntil: number;
}

/**
 * A look into a dead-letter queue. SQS has no peek: each letter is received once and hidden from others while the look
 * lasts, also those nobody asked for, because they would be received over and over. `close` gives back what is left.
 *
 * Of a FIFO queue's message group, SQS hands out as many letters as it can in one receive, and the next only when those
 * have been deleted: a look sees up to ten letters of each group.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
 */
export class Look {
  readonly #sqs: Pick<SQSClient, 'send'>;
  readonly #queue: StageQueue;
  readonly #options: LookOptions;
  /** By message id. */
  readonly #held = new Map<string, Held>();
  readonly #seen = new Set<string>();
  readonly #deleted = new Set<string>();
  #heartbeat: NodeJS.Timeout | undefined;
  #extending: Promise<void> = Promise.resolve();
  #ended = false;
  #closed = false;
  #empty = 0;
  #arrivalsOnly = 0;
  #lastFound = performance.now();
  #found = 0;
  #arrived = 0;

  constructor(sqs: Pick<SQSClient, 'send'>, queue: StageQueue, options: LookOptions) {
    this.#sqs = sqs;
    this.#queue = queue;
    this.#options = options;
    this.#scheduleHeartbeat();
  }

  /** Letters handed out. */
  get found(): number {
    return this.#found;
  }

  /** Letters that were sent to the queue since the look began. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Letters that are hidden from others at the moment. */
  get held(): number {
    return this.#held.size;
  }

  /** Letters the look ought to find. */
  get expected(): number {
    const { visible, inFlight, delayed } = this.#queue;
    return this.#options.waitForInFlight ? visible + inFlight + delayed : visible;
  }

  /**
   * Receives once. May be called again before it has answered.
   *
   * @returns up to ten letters that have not been handed out before; undefined when there are no more
   * @throws what the SDK throws, e.g. OverLimit when more letters are held than SQS allows
   */
  async next(): Promise<DeadLetter[] | undefined> {
    if (this.#ended || this.#options.signal?.aborted) return undefined;
    const messages = await this.#receive();
    const letters = await this.#take(messages);
    this.#found += letters.length;
    if (letters.length > 0) {
      this.#empty = 0;
      this.#arrivalsOnly = 0;
      this.#lastFound = performance.now();
      return letters;
    }
    if (messages.length > 0) this.#arrivalsOnly += 1;
    else this.#empty += 1;
    if (this.#isExhausted()) this.#ended = true;
    return this.#ended ? undefined : [];
  }

  /** Ends the look for all that call `next`. */
  end(): void {
    this.#ended = true;
  }

  /** Whether the letter is still hidden from others, so that it may be handled. */
  holds({ messageId }: Pick<DeadLetter, 'messageId'>): boolean {
    const held = this.#held.get(messageId);
    return held !== undefined && held.hiddenUntil > performance.now();
  }

  /** The letter with the newest of its receipt handles: SQS accepts no other for sure. */
  current(letter: DeadLetter): DeadLetter {
    return { ...letter, receiptHandle: this.#held.get(letter.messageId)?.receiptHandle ?? letter.receiptHandle };
  }

  /**
   * Deletes letters from the queue.
   *
   * @returns those that are still there
   * @throws what the SDK throws when SQS cannot be reached
   */
  async delete(letters: readonly DeadLetter[]): Promise<Map<DeadLetter, EntryFailure>> {
    const left = new Map<DeadLetter, EntryFailure>();
    for (const batch of batches(letters, { maxCount: MAX_BATCH_ENTRIES })) {
      const failures = await callBatch(batch, (entries) =>
        this.#sqs.send(
          new DeleteMessageBatchCommand({
            QueueUrl: this.#queue.url,
            Entries: entries.map(({ Id, item }) => ({ Id, ReceiptHandle: this.current(item).receiptHandle })),
          }),
        ),
      );
      for (const letter of batch) {
        const failure = failures.get(letter);
        if (failure) left.set(letter, failure);
        else this.forget(letter);
      }
    }
    return left;
  }

  /** Whether the letter has been deleted, so far as is known. */
  hasDeleted({ messageId }: Pick<DeadLetter, 'messageId'>): boolean {
    return this.#deleted.has(messageId);
  }

  /** Is told of a letter that somebody else has deleted. */
  forget({ messageId }: Pick<DeadLetter, 'messageId'>): void {
    this.#held.delete(messageId);
    this.#deleted.add(messageId);
  }

  /** Gives back everything that is held. What cannot be given back comes back by itself after its visibility timeout. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#closed = true;
    clearTimeout(this.#heartbeat);
    await this.#extending;
    const held = [...this.#held.keys()];
    // The letters of a message group are put back from the last to the first.
    if (this.#queue.fifo) await this.#changeVisibility(held.reverse(), 0, 1);
    else await this.#changeVisibility(held, 0, CONCURRENCY);
    this.#held.clear();
  }

  /** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html */
  async #receive(): Promise<Message[]> {
    const { Messages = [] } = await this.#sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#queue.url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: this.#visibility(),
        // A long poll asks all of SQS's servers; once everything is found, asking some of them several times is enough.
        WaitTimeSeconds: this.#isComplete() ? 0 : 1,
        ...receiveEverything,
      }),
    );
    return Messages;
  }

  async #take(messages: readonly Message[]): Promise<DeadLetter[]> {
    const hiddenUntil = performance.now() + this.#visibility() * 1_000;
    const returned: DeadLetter[] = [];
    const letters = messages.map(readDeadLetter).filter((letter) => {
      const { messageId, receiptHandle } = letter;
      // SQS delivers at least once, also what has been deleted.
      if (this.#deleted.has(messageId)) {
        returned.push(letter);
        return false;
      }
      this.#held.set(messageId, { receiptHandle, hiddenUntil });
      if (this.#seen.has(messageId)) return false;
      this.#seen.add(messageId);
      if (letter.sentAt <= this.#options.startedAt) return true;
      this.#arrived += 1;
      return false;
    });
    if (returned.length > 0) await this.delete(returned);
    return letters;
  }

  /** Whether as many letters have been found as SQS counted, which is approximate. */
  #isComplete(): boolean {
    return this.expected > 0 && this.#found >= this.expected;
  }

  #isExhausted(): boolean {
    if (this.#arrivalsOnly > MAX_ARRIVALS_ONLY) return true;
    if (this.#isComplete()) return this.#empty >= MAX_EMPTY_WHEN_COMPLETE;
    if (this.expected === 0) return true;
    if (this.#options.waitForInFlight && this.#queue.inFlight > 0) {
      return performance.now() - this.#lastFound > WAIT_FOR_IN_FLIGHT_MS;
    }
    return this.#empty >= MAX_EMPTY;
  }

  #visibility(): number {
    return Math.max(VISIBILITY_SECONDS, Math.ceil(this.#held.size / HELD_PER_SECOND));
  }

  #scheduleHeartbeat(): void {
    this.#heartbeat = setTimeout(
      () => {
        this.#extending = this.#extend().finally(() => {
          if (!this.#closed) this.#scheduleHeartbeat();
        });
      },
      (this.#visibility() * 1_000) / 3,
    ).unref();
  }

  async #extend(): Promise<void> {
    const seconds = this.#visibility();
    const due = performance.now() + (seconds * 1_000 * 3) / 4;
    const ids = [...this.#held].filter(([, { hiddenUntil }]) => hiddenUntil < due).map(([id]) => id);
    await this.#changeVisibility(ids, seconds, CONCURRENCY);
  }

  /**
   * Never throws: a letter whose visibility could not be changed comes back by itself, and `holds` tells.
   * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
   */
  async #changeVisibility(ids: readonly string[], seconds: number, concurrency: number): Promise<void> {
    await mapConcurrently(batches(ids, { maxCount: MAX_BATCH_ENTRIES }), concurrency, async (batch) => {
      const entries = batch.flatMap((id) => {
        const held = this.#held.get(id);
        return held ? [{ id, held }] : [];
      });
      if (entries.length === 0) return;
      const changedAt = performance.now();
      const command = new ChangeMessageVisibilityBatchCommand({
        QueueUrl: this.#queue.url,
        Entries: entries.map(({ held }, index) => ({
          Id: String(index),
          ReceiptHandle: held.receiptHandle,
          VisibilityTimeout: seconds,
        })),
      });
      const { Successful = [] } = await this.#sqs.send(command).catch(() => ({ Successful: [] }));
      for (const { Id } of Successful) {
        const held = entries[Number(Id)]?.held;
        if (held) held.hiddenUntil = changedAt + seconds * 1_000;
      }
    });
  }
}
