import { PermanentError, UnavailableError } from '@millrace/errors';

/**
 * The codes this library raises.
 * @public
 */
export const errorCodes = {
  CONCURRENCY_CONFLICT: 'Another writer changed the stream or item first.',
  STORE_BUSY: 'DynamoDB refused because of a competing transaction or a throttle.',
  TRANSACTION_TOO_LARGE: 'A transaction has more writes than DynamoDB takes; nothing was written.',
  EVENT_TOO_LARGE: 'An event does not fit into DynamoDB or onto the bus; nothing was written.',
  EVENT_FROM_NEWER_CODE: 'A stored event has a schema version that this code does not know.',
  UPCASTER_MISSING: 'The chain of upcasters of an event type has a gap.',
  OUTBOX_UNREADABLE: 'A row has an outbox that is not an event.',
  PAYLOAD_STORE_MISSING: "An event's content is in a payload store, and this reader was given none.",
  PAYLOAD_MISSING: "An event's content is not in the payload store.",
  PAYLOAD_CORRUPT: "An event's content is not what was stored.",
} as const;

/**
 * Another writer was faster: load again, decide again, append again. When others keep being faster the item is busy, which
 * is not the fault of the event that was to change it.
 */
export class ConcurrencyConflictError extends UnavailableError {
  constructor(message: string, options?: ErrorOptions) {
    super('CONCURRENCY_CONFLICT', message, options);
  }
}

/** A stream has moved on since its writer loaded it. */
export class StreamConflictError extends ConcurrencyConflictError {
  readonly streamId: string;
  readonly expectedVersion: number;
  /** The stream's version when the append was refused. */
  readonly actualVersion: number;

  constructor(streamId: string, expectedVersion: number, actualVersion: number, options?: ErrorOptions) {
    super(`Stream ${streamId} is no longer at version ${expectedVersion}: it is at ${actualVersion}`, options);
    this.streamId = streamId;
    this.expectedVersion = expectedVersion;
    this.actualVersion = actualVersion;
  }
}

/** The same request may succeed in a moment. */
export class StoreBusyError extends UnavailableError {
  constructor(reasons: string, options?: ErrorOptions) {
    super('STORE_BUSY', `DynamoDB is busy: ${reasons}`, options);
  }
}

/** The writes do not fit into one transaction: divide them. */
export class TransactionTooLargeError extends PermanentError {
  constructor(writes: number, limit: number) {
    super('TRANSACTION_TOO_LARGE', `The transaction has ${writes} writes, and DynamoDB takes ${limit}`);
  }
}

/** An event is refused before anything is written. */
export class EventTooLargeError extends PermanentError {
  constructor(message: string) {
    super('EVENT_TOO_LARGE', message);
  }
}

/** What is stored in a row's outbox is not an event. `where` names the row. */
export class UnreadableOutboxError extends PermanentError {
  constructor(where: string, reason: string) {
    super('OUTBOX_UNREADABLE', `${where} cannot be emitted: ${reason}`);
  }
}

/** A stored event is there and cannot be understood. `where` names its stream and version. */
export class UnreadableEventError extends PermanentError {
  constructor(code: UnreadableEventCode, where: string, reason: string, options?: ErrorOptions) {
    super(code, `${where} cannot be read: ${reason}`, options);
  }
}

type UnreadableEventCode = Extract<
  keyof typeof errorCodes,
  'EVENT_FROM_NEWER_CODE' | 'UPCASTER_MISSING' | 'PAYLOAD_STORE_MISSING' | 'PAYLOAD_MISSING' | 'PAYLOAD_CORRUPT'
>;
