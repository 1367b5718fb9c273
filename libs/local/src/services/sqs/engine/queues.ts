import type { Clock } from '../../../core/clock.ts';
import { changeAttributes, type QueueAttributes } from '../attributes/queue-attributes.ts';
import { sqsLimits } from '../limits.ts';
import { type Journal, noJournal } from './journal.ts';
import { createMessage } from './message.ts';
import { MoveTasks } from './move-tasks.ts';
import { Queue, type QueueSurroundings } from './queue.ts';
import { Shuffle, type ShuffleOptions } from './shuffle.ts';

export interface QueuesOptions {
  accountId: string;
  region: string;
  clock: Clock;
  /** Where changes are kept. Without one, queues are in memory. */
  journal?: Journal;
  /** Makes standard queues reorder and duplicate on purpose. */
  shuffle?: ShuffleOptions | undefined;
}

/**
 * The queues of one account in one region, without any protocol.
 *
 * @example
 * const queues = new Queues({ accountId: '000000000000', region: 'us-east-1', clock: systemClock });
 * const queue = queues.create('orders', {});
 */
export class Queues {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly tasks: MoveTasks;
  readonly #arnPrefix: string;
  readonly #byName = new Map<string, Queue>();
  readonly #surroundings: QueueSurroundings;
  /** By name, the oldest first. Those that no longer matter are forgotten with the next deletion. */
  readonly #deletedAt = new Map<string, number>();
  #lastUid: number;

  constructor({ accountId, region, clock, journal = noJournal, shuffle }: QueuesOptions) {
    this.clock = clock;
    this.journal = journal;
    this.#arnPrefix = `arn:aws:sqs:${region}:${accountId}:`;
    // More than a million messages a second would be needed to get ahead of the clock, so no number is used again.
    this.#lastUid = clock.now() * 1000;
    this.#surroundings = {
      clock,
      journal,
      shuffle: shuffle && new Shuffle(shuffle),
      nextUid: () => {
        this.#lastUid += 1;
        return this.#lastUid;
      },
      find: (arn) => this.byArn(arn),
    };
    this.tasks = new MoveTasks(this.#surroundings);
    this.#restore();
  }

  /** All queues, by name. */
  list(): Queue[] {
    return [...this.#byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  get(name: string): Queue | undefined {
    return this.#byName.get(name);
  }

  byArn(arn: string): Queue | undefined {
    return arn.startsWith(this.#arnPrefix) ? this.#byName.get(arn.slice(this.#arnPrefix.length)) : undefined;
  }

  /** The ARN that the queue of this name has, or would have. */
  arnOf(name: string): string {
    return `${this.#arnPrefix}${name}`;
  }

  /** @throws AwsError for attributes that SQS refuses */
  create(name: string, attributes: QueueAttributes, tags: Readonly<Record<string, string>> = {}): Queue {
    const now = this.clock.now();
    const record = {
      uid: this.#surroundings.nextUid(),
      name,
      attributes: changeAttributes(undefined, attributes, name.endsWith('.fifo')),
      tags,
      createdAt: now,
      modifiedAt: now,
    };
    const queue = new Queue(record, this.arnOf(name), this.#surroundings);
    this.#byName.set(name, queue);
    this.journal.saveQueue(record);
    return queue;
  }

  delete(queue: Queue): void {
    for (const name of this.#deletedAt.keys()) {
      if (!this.wasDeletedRecently(name)) this.#deletedAt.delete(name);
    }
    this.#byName.delete(queue.name);
    this.#deletedAt.set(queue.name, this.clock.now());
    queue.close();
    this.tasks.forget(queue.arn);
    this.journal.removeQueue(queue.uid);
  }

  /** True if a queue of this name was deleted so recently that there cannot be another yet. */
  wasDeletedRecently(name: string): boolean {
    const deletedAt = this.#deletedAt.get(name);
    return deletedAt !== undefined && this.clock.now() < deletedAt + sqsLimits.deletedMs;
  }

  /** The queues whose dead-letter queue this one is. */
  sourcesOf(deadLetterArn: string): Queue[] {
    return this.list().filter(({ settings }) => settings.redrivePolicy?.deadLetterTargetArn === deadLetterArn);
  }

  /** Ends all waits and tasks of this process. What is stored stays as it is. */
  close(): void {
    this.tasks.close();
    for (const queue of this.#byName.values()) queue.availability.close();
  }

  #restore(): void {
    const state = this.journal.load();
    const byUid = new Map<number, Queue>();
    for (const record of state.queues) {
      const queue = new Queue(record, this.arnOf(record.name), this.#surroundings);
      this.#byName.set(record.name, queue);
      byUid.set(record.uid, queue);
      this.#lastUid = Math.max(this.#lastUid, record.uid);
    }
    const now = this.clock.now();
    for (const { queueUid, uid, content, progress } of state.messages) {
      byUid.get(queueUid)?.messages.add(createMessage(uid, content, progress), now, true);
      this.#lastUid = Math.max(this.#lastUid, uid);
    }
    for (const { queueUid, key, entry } of state.deduplication) byUid.get(queueUid)?.deduplication.restore(key, entry);
    for (const task of state.tasks) this.tasks.restore(task);
  }
}
