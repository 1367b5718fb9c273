import { type DeadLetter, isEdited, MAX_EVENT_BYTES, type ParkingReason } from '@millrace/dead-letters';
import { MillraceError } from '@millrace/errors';
import {
  type EmittableEvent,
  type EventEnvelope,
  entryOfEnvelope,
  entrySize,
  envelopeMismatches,
  isPastDeduplicationWindow,
} from '@millrace/events';
import { shownIdentifier } from '@millrace/privacy';
import { reemissionTraceHeader } from './trace-header.ts';

/** How often one dead event of one queue may be re-emitted: what dies a third time needs a person. */
export const MAX_REEMISSIONS = 2;

/**
 * Bytes of an event's id. The ledger's key has room for 2,048, and the queue's name stands in it, too.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
const MAX_ID_BYTES = 1024;

/** Whether the ledger can keep account of an event with this id. */
export function isAccountable(eventId: string): boolean {
  return eventId.isWellFormed() && Buffer.byteLength(eventId) <= MAX_ID_BYTES;
}

/** What to do with one dead letter. */
export type Decision =
  | { do: 'emit'; event: EmittableEvent; eventId: string }
  /** EventBridge has it already; an earlier run died before it could delete the letter. */
  | { do: 'delete' }
  | { do: 'park'; reason: ParkingReason }
  | { do: 'keep'; code: string; reason: string };

/**
 * Decides what becomes of one letter, without looking at what the event says.
 *
 * @param reemitted the SQS message ids under which this event was re-emitted from this queue before
 */
export function decide(
  letter: Pick<DeadLetter, 'messageId' | 'body' | 'attributes' | 'event'>,
  reemitted: ReadonlySet<string>,
  now: Date,
): Decision {
  const { event: identity } = letter;
  if (!identity) return park('MALFORMED_EVENT', 'The body is not an EventBridge event with a metadata.id');
  if (!isAccountable(identity.id)) {
    return park('MALFORMED_EVENT', `metadata.id has more than ${MAX_ID_BYTES} bytes, or half a character`);
  }
  if (isEdited(letter)) {
    return park('EVENT_EDITED', 'The body is not what the consumer gave up; import an edited event as a new one');
  }
  if (identity.replayName !== undefined) {
    const reason = `belongs to the replay ${shownIdentifier(identity.replayName)}; on the bus it would be an ordinary event: redrive it`;
    return { do: 'keep', code: 'EVENT_REPLAYED', reason };
  }
  if (reemitted.has(letter.messageId)) return { do: 'delete' };
  const envelope: EventEnvelope & { detail: { metadata: Record<string, unknown> } } = JSON.parse(letter.body);
  if (envelope.detail.metadata.category === 'transformed') {
    // On the domain bus every consumer of the event would get it, and refuse it.
    const reason = 'is an analytics variant, which only the relay of its owner puts on the analytics bus: redrive it';
    return { do: 'keep', code: 'ANALYTICS_VARIANT', reason };
  }
  const mismatches = envelopeMismatches(envelope);
  // Every consumer would refuse it again, and nothing may be changed in flight.
  if (mismatches.length > 0) {
    return park('ENVELOPE_MISMATCH', `${mismatches.join('; ')}: import what it should have been as a new event`);
  }
  const { timestamp, traceparent } = envelope.detail.metadata;
  if (typeof timestamp !== 'string' || isPastDeduplicationWindow(timestamp, now)) {
    const reason = 'It is more than 29 days old: consumers that have handled it may have forgotten so';
    return park('EVENT_TOO_OLD', reason);
  }
  if (reemitted.size >= MAX_REEMISSIONS) {
    return park('REEMITTED_TOO_OFTEN', `It was re-emitted ${reemitted.size} times and is dead again`);
  }

  let event: EmittableEvent;
  try {
    const traceHeader = reemissionTraceHeader(traceparent, reemitted.size + 1);
    event = entryOfEnvelope(letter.body, { traceHeader });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return park('MALFORMED_EVENT', error.message);
  }
  const size = entrySize(event);
  if (size > MAX_EVENT_BYTES) return park('EVENT_TOO_LARGE', `${size} bytes; at most ${MAX_EVENT_BYTES} get through`);
  return { do: 'emit', event, eventId: identity.id };
}

function park(code: string, message: string): Decision {
  return { do: 'park', reason: { code, message } };
}
