import type { DeadLetter } from './dead-letter.ts';

/** Why a dead letter is put aside, for a person to decide on. */
export interface ParkingReason {
  /** Stable code, e.g. `EVENT_EDITED`. */
  code: string;
  message: string;
}

/** The codes of the tools of this repository; operators may give others. */
export const parkingCodes = {
  MALFORMED_EVENT: 'The body is not an event any more: nothing can be re-emitted.',
  ENVELOPE_MISMATCH: 'Envelope and metadata disagree: every consumer refuses the event.',
  EVENT_TOO_LARGE: 'The event is larger than the bus and the queues behind it take.',
  EVENT_EDITED: 'The body is not what the consumer gave up: an edited event must be a new event.',
  EVENT_TOO_OLD: 'It is more than 29 days old: consumers that have handled it may have forgotten so.',
  REEMITTED_TOO_OFTEN: 'It has been re-emitted twice, and died again.',
  EVENT_REFUSED: 'EventBridge will never accept it.',
  EVENT_REPLACED: 'An edited copy, a new event, has taken its place.',
  PARKED: 'An operator put it aside.',
} as const;

/**
 * The attributes of a letter in the parking queue: why it is parked, where it came from, and why it was dead before.
 * Ten at most, as SQS allows.
 *
 * @param queueName the dead-letter queue it stood in
 * @returns texts by name, the most important first
 */
export function parkingAttributes(
  { attributes, reason }: DeadLetter,
  { code, message }: ParkingReason,
  queueName: string,
): Record<string, string | undefined> {
  return {
    ErrorCode: code,
    ParkedFrom: queueName,
    FailureKind: 'parked',
    ErrorMessage: message,
    CauseCode: reason.code,
    CauseKind: reason.kind,
    CauseMessage: reason.message,
    CorrelationId: reason.correlationId,
    ...(attributes.RULE_ARN === undefined
      ? { Consumer: reason.consumer, EventDigest: attributes.EventDigest }
      : { RULE_ARN: attributes.RULE_ARN, TARGET_ARN: attributes.TARGET_ARN }),
  };
}

/**
 * The attributes with which a parked letter goes back into the dead-letter queue it came from: those it died with, as
 * far as parking kept them.
 *
 * @param attributes of a letter in the parking queue
 */
export function unparkedAttributes(attributes: DeadLetter['attributes']): Record<string, string | undefined> {
  const { CauseCode, CauseKind, CauseMessage, CorrelationId, Consumer, EventDigest, RULE_ARN, TARGET_ARN } = attributes;
  if (RULE_ARN !== undefined) {
    return { RULE_ARN, TARGET_ARN, ERROR_CODE: CauseCode, ERROR_MESSAGE: CauseMessage };
  }
  return {
    ErrorCode: CauseCode,
    FailureKind: CauseKind,
    Consumer,
    ErrorMessage: CauseMessage,
    CorrelationId,
    EventDigest,
  };
}
