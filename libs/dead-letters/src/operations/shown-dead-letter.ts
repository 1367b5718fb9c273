import { type EventContract, parseEnvelope } from '@millrace/events';
import { guardOf, redact, shownIdentifier } from '@millrace/privacy';
import type { DeadEvent, DeadLetter, DeadLetterReason, Origin } from '../dead-letter.ts';

/** The attributes that consumers, EventBridge and the re-emitter write; a letter of somebody else may have any. */
const reasonAttributes = new Set([
  ...['ErrorCode', 'FailureKind', 'Consumer', 'ErrorMessage', 'Attempts', 'FirstFailedAt', 'LastFailedAt'],
  ...['CorrelationId', 'EventDigest', 'FunctionName', 'ParkedFrom', 'CauseCode', 'CauseKind', 'CauseMessage'],
  ...['RULE_ARN', 'TARGET_ARN', 'ERROR_CODE', 'ERROR_MESSAGE', 'EXHAUSTED_RETRY_CONDITION', 'RETRY_ATTEMPTS'],
]);

/** A letter as it may be shown to everybody: with its reason, and with nothing personal of its event. */
export interface ShownDeadLetter {
  messageId: string;
  origin: Origin;
  reason: DeadLetterReason;
  /** Those that tell of the reason. */
  attributes: Record<string, string>;
  event?: DeadEvent;
  sentAt: Date;
  receiveCount: number;
  messageGroupId?: string;
  /** Of the body. */
  bytes: number;
  /** The event's detail without its personal fields. Absent when the body satisfies no contract: then nothing is known of it. */
  detail?: { metadata: unknown; data: unknown };
}

/**
 * What of a letter may be shown. Identities that do not look like one are not repeated: the body may be anything.
 *
 * @param contracts by detail-type; they say what is personal in an event
 * @param consumerOf the consumer that a rule feeds: EventBridge's dead letters name the rule only
 */
export function shownDeadLetter(
  letter: DeadLetter,
  contracts: ReadonlyMap<string, EventContract>,
  consumerOf: (ruleName: string) => string | undefined = () => undefined,
): ShownDeadLetter {
  const { messageId, origin, reason, attributes, event, sentAt, receiveCount, messageGroupId, body } = letter;
  const detail = shownDetail(body, contracts);
  return {
    messageId,
    origin,
    reason: {
      ...reason,
      code: shownIdentifier(reason.code),
      ...(origin === 'rule' && { consumer: consumerOf(reason.consumer ?? '') ?? reason.consumer }),
      ...(reason.correlationId !== undefined && { correlationId: shownIdentifier(reason.correlationId) }),
    },
    attributes: shownAttributes(attributes),
    ...(event && { event: shownTexts(event) as DeadEvent }),
    sentAt,
    receiveCount,
    ...(messageGroupId !== undefined && { messageGroupId: shownIdentifier(messageGroupId) }),
    bytes: Buffer.byteLength(body),
    ...(detail && { detail }),
  };
}

function shownAttributes(attributes: DeadLetter['attributes']): Record<string, string> {
  const known = Object.entries(attributes).filter(([name]) => reasonAttributes.has(name));
  return Object.fromEntries(
    known.map(([name, text]) => [name, /message$/i.test(name) ? text : shownIdentifier(text)] as const),
  );
}

function shownDetail(body: string, contracts: ReadonlyMap<string, EventContract>): ShownDeadLetter['detail'] {
  try {
    const envelope = parseEnvelope(body);
    const event = contracts.get(envelope['detail-type'])?.parse(envelope);
    const redaction = event && guardOf(event);
    if (!redaction) return undefined;
    const { metadata, data } = redact(event, redaction) as { metadata?: unknown; data?: unknown };
    // Metadata are identities, times and terms; their schema lets any text be one.
    return { metadata: shownTexts(metadata), data };
  } catch {
    return undefined;
  }
}

function shownTexts(value: unknown): unknown {
  if (typeof value === 'string') return shownIdentifier(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [shownIdentifier(name), shownTexts(part)]));
}
