import { sqsLimits } from '../limits.ts';

/** What the sender of a duplicate is told: what the first one was. */
export interface DeduplicationEntry {
  readonly messageId: string;
  readonly uid: number;
  readonly sentAt: number;
}

/** Told of what has to be stored. */
interface DeduplicationJournal {
  save(key: string, entry: DeduplicationEntry): void;
  remove(key: string): void;
}

/**
 * The messages that a FIFO queue has accepted in the last five minutes, also those that have been deleted since.
 *
 * An entry keeps the scope that it was made in: another DeduplicationScope of the queue does not make it forgotten.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
 */
export class Deduplication {
  /** In the order of `sentAt`. */
  readonly #entries = new Map<string, DeduplicationEntry>();
  readonly #journal: DeduplicationJournal;
  /** The oldest keys come first; those before `#head` are gone. */
  #order: string[] = [];
  #head = 0;

  constructor(journal: DeduplicationJournal) {
    this.#journal = journal;
  }

  /** The message that was accepted before with this id. */
  find(deduplicationId: string, groupId: string, now: number): DeduplicationEntry | undefined {
    this.#expire(now);
    return this.#entries.get(queueKey(deduplicationId)) ?? this.#entries.get(groupKey(deduplicationId, groupId));
  }

  add(deduplicationId: string, groupId: string, scope: 'queue' | 'messageGroup', entry: DeduplicationEntry): void {
    const key = scope === 'queue' ? queueKey(deduplicationId) : groupKey(deduplicationId, groupId);
    this.restore(key, entry);
    this.#journal.save(key, entry);
  }

  /** Takes back an entry that was stored. Entries come in the order of `sentAt`. */
  restore(key: string, entry: DeduplicationEntry): void {
    this.#entries.set(key, entry);
    this.#order.push(key);
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#journal.remove(key);
    this.#entries.clear();
    this.#order = [];
    this.#head = 0;
  }

  #expire(now: number): void {
    for (; this.#head < this.#order.length; this.#head += 1) {
      const key = this.#order[this.#head] ?? '';
      const entry = this.#entries.get(key);
      if (entry && entry.sentAt + sqsLimits.deduplicationMs > now) break;
      this.#entries.delete(key);
      this.#journal.remove(key);
    }
    if (this.#head < 1000 || this.#head * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#head);
    this.#head = 0;
  }
}

const queueKey = (deduplicationId: string): string => `queue ${deduplicationId}`;

/** Neither a deduplication id nor a group id can have a space. */
const groupKey = (deduplicationId: string, groupId: string): string => `group ${groupId} ${deduplicationId}`;
