import type { DeduplicationEntry } from './deduplication.ts';
import type { Message, MessageContent, MessageProgress } from './message.ts';
import type { MoveTaskState } from './move-task.ts';

/** A queue as it is stored. */
export interface QueueRecord {
  readonly uid: number;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export interface StoredMessage {
  queueUid: number;
  uid: number;
  content: MessageContent;
  progress: MessageProgress;
}

/** Everything that a journal has kept. */
export interface StoredState {
  queues: Iterable<QueueRecord>;
  /** By uid, growing. */
  messages: Iterable<StoredMessage>;
  deduplication: Iterable<{ queueUid: number; key: string; entry: DeduplicationEntry }>;
  tasks: Iterable<MoveTaskState>;
}

/**
 * Takes note of every change, so that it survives this process. What changes together, without waiting in between, is kept
 * together or not at all.
 */
export interface Journal {
  saveQueue(queue: QueueRecord): void;
  removeQueue(queueUid: number): void;
  insertMessage(queueUid: number, message: Message): void;
  /** The message's progress has changed. */
  updateMessage(message: Message): void;
  removeMessage(message: Message): void;
  saveDeduplication(queueUid: number, key: string, entry: DeduplicationEntry): void;
  removeDeduplication(queueUid: number, key: string): void;
  saveTask(task: MoveTaskState): void;
  removeTask(id: string): void;
  /** Resolves when everything so far is kept; undefined when it already is. */
  committed(): Promise<void> | undefined;
  load(): StoredState;
  close(): Promise<void>;
}

const nothing = (): void => {};

/** Keeps nothing: queues in memory. */
export const noJournal: Journal = {
  saveQueue: nothing,
  removeQueue: nothing,
  insertMessage: nothing,
  updateMessage: nothing,
  removeMessage: nothing,
  saveDeduplication: nothing,
  removeDeduplication: nothing,
  saveTask: nothing,
  removeTask: nothing,
  committed: () => undefined,
  load: () => ({ queues: [], messages: [], deduplication: [], tasks: [] }),
  close: () => Promise.resolve(),
};
