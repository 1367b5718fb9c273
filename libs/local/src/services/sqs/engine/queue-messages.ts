import type { DeliveryOrder } from './delivery-order.ts';
import { FifoOrder } from './fifo-order.ts';
import { IndexedHeap } from './indexed-heap.ts';
import type { Message, MessageState } from './message.ts';
import type { Shuffle } from './shuffle.ts';
import { StandardOrder } from './standard-order.ts';

/**
 * A message that a standard queue has handed out this often no longer counts for the age of the oldest.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
const POISON_RECEIVES = 3;

/** Told of what has to be stored. */
interface MessageJournal {
  insert(message: Message): void;
  update(message: Message): void;
  remove(message: Message): void;
}

/**
 * The messages of one queue. Adding, receiving, changing and deleting one takes O(log n).
 *
 * Nothing happens by itself: `advance` brings everything up to a moment, and must be called before anything is asked.
 */
export class QueueMessages {
  readonly #byUid = new Map<number, Message>();
  /** Delayed and hidden messages, by when they become visible. */
  readonly #timers = new IndexedHeap<'timerIndex', Message>(
    'timerIndex',
    (one, other) => one.visibleAt < other.visibleAt,
  );
  readonly #retention = new IndexedHeap<'retentionIndex', Message>(
    'retentionIndex',
    (one, other) => one.sentAt < other.sentAt,
  );
  /** Those that count for the age of the oldest. */
  readonly #ages = new IndexedHeap<'ageIndex', Message>('ageIndex', (one, other) => one.arrivedAt < other.arrivedAt);
  readonly #counts: Record<MessageState, number> = { visible: 0, delayed: 0, hidden: 0 };
  readonly #order: DeliveryOrder;
  readonly #fifo: FifoOrder | undefined;
  readonly #shuffle: Shuffle | undefined;
  readonly #journal: MessageJournal;

  constructor({ fifo, shuffle, journal }: { fifo: boolean; shuffle: Shuffle | undefined; journal: MessageJournal }) {
    this.#fifo = fifo ? new FifoOrder() : undefined;
    this.#shuffle = fifo ? undefined : shuffle;
    this.#order = this.#fifo ?? new StandardOrder(shuffle);
    this.#journal = journal;
  }

  /** How many messages can be received, have a delay, and are in flight. */
  get counts(): Readonly<Record<MessageState, number>> {
    return this.#counts;
  }

  /** How many message groups have messages in flight. */
  get groupsInFlight(): number {
    return this.#fifo?.groupsInFlight ?? 0;
  }

  /** When the next delay or visibility timeout ends. */
  get nextDue(): number | undefined {
    return this.#timers.first?.visibleAt;
  }

  /** When the oldest message came, leaving out those of a standard queue that were received three times. */
  get oldestArrival(): number | undefined {
    return this.#ages.first?.arrivedAt;
  }

  /** All messages, in the order in which they came. */
  *[Symbol.iterator](): Generator<Message> {
    yield* this.#byUid.values();
  }

  get(uid: number): Message | undefined {
    return this.#byUid.get(uid);
  }

  /** Takes in a message that is new, or that was stored. */
  add(message: Message, now: number, stored = false): void {
    message.state = 'visible';
    if (message.visibleAt > now) message.state = message.receives > message.receivesBefore ? 'hidden' : 'delayed';
    this.#byUid.set(message.uid, message);
    this.#counts[message.state] += 1;
    this.#retention.set(message);
    this.#keepAge(message);
    if (message.state !== 'visible') this.#timers.set(message);
    this.#order.update(message);
    if (message.state === 'hidden') this.#fifo?.countInFlight(message, 1);
    if (!stored) this.#journal.insert(message);
  }

  /** Ends delays, visibility timeouts and retention periods that are over. */
  advance(now: number, retentionMs: number): void {
    for (let next = this.#timers.first; next && next.visibleAt <= now; next = this.#timers.first) {
      this.#setState(next, 'visible', next.visibleAt);
    }
    for (
      let oldest = this.#retention.first;
      oldest && oldest.sentAt + retentionMs <= now;
      oldest = this.#retention.first
    ) {
      this.remove(oldest);
    }
  }

  /**
   * Receives up to `max` messages.
   *
   * @param divert removes a message that is to go somewhere else, and returns true then
   */
  receive(max: number, visibilityMs: number, now: number, divert: (message: Message) => boolean): Message[] {
    const received: Message[] = [];
    this.#order.offer(max, (message) => {
      if (divert(message)) return false;
      message.receives += 1;
      message.firstReceivedAt ??= now;
      message.receivedAt = now;
      this.#keepAge(message);
      if (visibilityMs > 0) this.#setState(message, 'hidden', now + visibilityMs);
      else message.visibleAt = now;
      this.#journal.update(message);
      received.push(message);
      return true;
    });
    return received;
  }

  /**
   * Takes visible messages out of the queue, in the order in which they would be received.
   *
   * @param take puts a message somewhere else; false when it cannot, which ends it
   */
  takeOut(max: number, take: (message: Message) => boolean): void {
    let ended = false;
    this.#order.offer(max, (message) => {
      ended ||= !take(message);
      if (!ended) this.remove(message);
      return true;
    });
  }

  /** Hides a message for so long from now on; 0 makes it visible. */
  hide(message: Message, visibilityMs: number, now: number): void {
    this.#setState(message, visibilityMs > 0 ? 'hidden' : 'visible', now + visibilityMs);
    this.#journal.update(message);
  }

  /** Gives all messages that have not been received here the delay that the queue has now. */
  delay(delayMs: number, now: number): void {
    for (const message of this.#byUid.values()) {
      if (message.receives > message.receivesBefore) continue;
      const visibleAt = message.arrivedAt + delayMs;
      this.#setState(message, visibleAt > now ? 'delayed' : 'visible', visibleAt);
      this.#journal.update(message);
    }
  }

  /** Deletes a message for a consumer. With a `shuffle`, it may come once more. */
  delete(message: Message, now: number): void {
    if (!this.#shuffle?.duplicates(message)) {
      this.remove(message);
      return;
    }
    // It comes from a copy that missed the last receive: it is not nearer to the dead-letter queue than that one was.
    message.receives -= 1;
    this.hide(message, 0, now);
  }

  /** Takes a message out of the queue. */
  remove(message: Message): void {
    if (!this.#byUid.delete(message.uid)) return;
    if (message.state === 'hidden') this.#fifo?.countInFlight(message, -1);
    this.#counts[message.state] -= 1;
    this.#timers.delete(message);
    this.#retention.delete(message);
    this.#ages.delete(message);
    this.#order.remove(message);
    this.#journal.remove(message);
  }

  clear(): void {
    for (const message of this.#byUid.values()) this.#journal.remove(message);
    this.#byUid.clear();
    this.#timers.clear();
    this.#retention.clear();
    this.#ages.clear();
    this.#order.clear();
    Object.assign(this.#counts, { visible: 0, delayed: 0, hidden: 0 });
  }

  #setState(message: Message, state: MessageState, visibleAt: number): void {
    const { state: before } = message;
    if (state === before && state === 'visible') return;
    message.visibleAt = visibleAt;
    if (state === 'visible') this.#timers.delete(message);
    else this.#timers.set(message);
    if (state === before) return;
    message.state = state;
    this.#counts[before] -= 1;
    this.#counts[state] += 1;
    if (before === 'hidden') this.#fifo?.countInFlight(message, -1);
    if (state === 'hidden') this.#fifo?.countInFlight(message, 1);
    this.#order.update(message);
  }

  #keepAge(message: Message): void {
    // A FIFO queue keeps the order: it does not pass over a message that fails.
    const poison = !this.#fifo && message.receives - message.receivesBefore >= POISON_RECEIVES;
    if (poison) this.#ages.delete(message);
    else if (message.ageIndex < 0) this.#ages.set(message);
  }
}
