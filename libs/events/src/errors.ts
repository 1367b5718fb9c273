import { PermanentError, TransientError } from '@millrace/errors';
import { shownIdentifier } from '@millrace/privacy';
import type { EmittableEvent } from './emittable-event.ts';

/**
 * The codes this library raises.
 * @public
 */
export const errorCodes = {
  MALFORMED_EVENT: 'The message is not an EventBridge event with a { metadata, data } detail.',
  SCHEMA_VIOLATION: 'The event does not satisfy its contract.',
  ENVELOPE_MISMATCH: 'The metadata say that it is another event than the envelope says.',
  UNEXPECTED_EVENT: 'No contract was given for the detail-type, or it comes from a source that does not own it.',
  UPCAST_FAILED: 'No event of a newer version could be made of an older one that satisfies its contract.',
  EMIT_FAILED: 'EventBridge did not accept some events, however often they were tried.',
} as const;

/** The message is not an event at all. */
export class MalformedEventError extends PermanentError {
  constructor(reason: string) {
    super('MALFORMED_EVENT', `Not an event: ${reason}`);
  }
}

/** One way in which a value breaks its schema. */
export interface SchemaIssue {
  /** Where, e.g. `data.lines.0.quantity`. */
  path: string;
  message: string;
}

/** The event breaks its contract. The message names paths and expectations, never values: they may be personal data. */
export class SchemaViolationError extends PermanentError {
  readonly issues: readonly SchemaIssue[];

  constructor(detailType: string, issues: readonly SchemaIssue[]) {
    const listed = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
    super('SCHEMA_VIOLATION', `${detailType} breaks its contract: ${listed}`);
    this.issues = issues;
  }
}

/** Envelope and metadata disagree about which event it is or whose: it was not made by its contract. */
export class EnvelopeMismatchError extends PermanentError {
  constructor(detailType: string, mismatches: readonly string[]) {
    super('ENVELOPE_MISMATCH', `${detailType} contradicts itself: ${mismatches.join('; ')}`);
  }
}

/** The event is sound, but this consumer has no contract for it. */
export class UnexpectedEventError extends PermanentError {
  constructor(source: string, detailType: string, expected: readonly string[]) {
    const got = `${shownIdentifier(detailType)} from ${shownIdentifier(source)}`;
    super('UNEXPECTED_EVENT', `Got ${got}; this consumer handles ${expected.join(', ')}`);
  }
}

/** The upcaster threw, or what it made breaks the newer contract: the same will happen whenever the event is read. */
export class UpcastFailedError extends PermanentError {
  /** @param cause a SchemaViolationError, or what the upcaster threw: its message may quote data and is not repeated */
  constructor(from: string, to: string, cause: unknown) {
    const reason = cause instanceof SchemaViolationError ? cause.message : 'the upcaster threw';
    super('UPCAST_FAILED', `${from} could not be upcast to ${to}: ${reason}`, { cause });
  }
}

/** An event that could not be emitted, with EventBridge's reason. */
export interface UnsentEvent {
  event: EmittableEvent;
  errorCode: string;
  /** It may quote the event: it belongs neither into logs nor into letters. */
  errorMessage: string;
  /** Set when EventBridge will never accept this event from this sender: no retry can help. */
  refused?: true;
}

/** Some events could not be emitted. All others were accepted. */
export class EmitFailedError extends TransientError {
  readonly unsent: readonly UnsentEvent[];

  constructor(unsent: readonly UnsentEvent[], total: number, options?: ErrorOptions) {
    const reasons = [...new Set(unsent.map(({ errorCode }) => errorCode))].join(', ');
    super('EMIT_FAILED', `${unsent.length} of ${total} events could not be emitted: ${reasons}`, options);
    this.unsent = unsent;
  }
}
