import { type EmittableEvent, entrySize, type InboxKey } from '@millrace/events';
import { eventBridgeLimits, sqsLimits } from '@millrace/events/aws-limits';
import type { ConditionalWrite } from './commit.ts';
import type { DomainEvent, NewEvent, StoredEvent } from './domain-event.ts';
import { EventTooLargeError } from './errors.ts';

export interface EventStream<Event extends DomainEvent> {
  events: StoredEvent<Event>[];
  /** Version of the last event; 0 for a stream that does not exist. */
  version: number;
}

/** Which events of a stream to read; all of them, from the first on, unless told otherwise. */
export interface ReadOptions {
  direction?: 'forward' | 'backward';
  /** The lowest version, included. */
  fromVersion?: number;
  /** The highest version, included. */
  toVersion?: number;
  /** How many events at most. */
  limit?: number;
  /**
   * The stream as it was at this time: everything before the first event that was recorded later. An event without
   * `recordedAt` counts as recorded when it happened.
   */
  asOf?: Date;
}

/** What an aggregate's state was at a version. A cache: losing one costs time, nothing else. */
export interface Snapshot {
  /** Shape of the state. Snapshots of different shapes stand side by side. */
  stateVersion: number;
  /** Version of the stream's last event that is in it. */
  version: number;
  /** The state, as its writer made text of it. */
  body: string;
}

/** Append-only streams of events. Two writers who read the same version cannot both append. */
export interface EventStore<Event extends DomainEvent> {
  /**
   * Reads a stream, strongly consistent, page by page as it is asked for. A stream that does not exist is empty.
   * @throws UnreadableEventError when an event cannot be upcast, or its content is not where it should be.
   */
  read(streamId: string, options?: ReadOptions): AsyncIterable<StoredEvent<Event>>;

  /** Reads a whole stream. @throws what `read` throws */
  load(streamId: string): Promise<EventStream<Event>>;

  /**
   * Appends events to a stream that was loaded at `expectedVersion` (0: it does not exist yet), in one transaction with
   * `alongside`, e.g. the inbox mark of the event that caused them. An append that is sent again with the same ids
   * (its answer was lost) succeeds and changes nothing.
   * @param newEvents 1 to 99
   * @throws StreamConflictError when the stream has moved on since; DuplicateEventError when the inbox mark is there;
   * whatever else `alongside` throws; before anything is written, EventTooLargeError, RangeError for none or too many
   * events and TypeError for one that is not JSON.
   */
  append(
    streamId: string,
    expectedVersion: number,
    newEvents: readonly NewEvent<Event>[],
    alongside?: readonly ConditionalWrite[],
  ): Promise<void>;

  /** The write that marks an event as handled by a consumer, for `alongside`. */
  inboxMark(key: InboxKey, now: Date): ConditionalWrite;

  /**
   * Marks an event as handled that changed nothing: every event that a consumer has handled leaves its mark, and whoever
   * looks for one can tell it from an event that never came.
   * @throws DuplicateEventError when the mark is there
   */
  recordHandled(key: InboxKey, now: Date): Promise<void>;

  /** The last snapshot of this shape, if there is one. */
  readSnapshot(streamId: string, stateVersion: number): Promise<Snapshot | undefined>;

  /** Keeps a snapshot unless one of the same shape is there that is as new. */
  writeSnapshot(streamId: string, snapshot: Snapshot): Promise<void>;
}

/** A DynamoDB transaction holds 100 actions, and one is left for the inbox mark. */
const MAX_EVENTS = 99;

/** Refuses what no store takes. @throws RangeError, EventTooLargeError */
export function assertAppendable(streamId: string, newEvents: readonly NewEvent<DomainEvent>[]): void {
  if (newEvents.length === 0) throw new RangeError(`Nothing to append to ${streamId}`);
  if (newEvents.length > MAX_EVENTS) throw new RangeError(`At most ${MAX_EVENTS} events fit in one append`);
  for (const { emit } of newEvents) if (emit) assertEmittable(emit, streamId);
}

/**
 * Bytes of an event, as EventBridge counts them, with which it fits into one PutEvents call and, in its envelope of some
 * hundred bytes, into one SQS message: 1 MiB both.
 */
const MAX_EMITTED_BYTES = Math.min(eventBridgeLimits.bytesPerPut, sqsLimits.messageBytes) - 1024;

/** Refuses an event that the bus would refuse once it is stored. @throws EventTooLargeError */
export function assertEmittable(emit: EmittableEvent, where: string): void {
  const size = entrySize(emit);
  if (size <= MAX_EMITTED_BYTES) return;
  throw new EventTooLargeError(
    `${emit.detailType} of ${where} has ${size} bytes, and a bus with SQS behind it takes ${MAX_EMITTED_BYTES}: emit a smaller event that refers to the rest`,
  );
}

/** A stream as a whole. */
export async function collect<Event extends DomainEvent>(
  stored: AsyncIterable<StoredEvent<Event>>,
): Promise<EventStream<Event>> {
  const events: StoredEvent<Event>[] = [];
  for await (const event of stored) events.push(event);
  return { events, version: events.at(-1)?.version ?? 0 };
}
