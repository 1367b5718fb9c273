import { type DeadLetter, isEdited, type ParkingReason } from '@millrace/dead-letters';
import { MillraceError } from '@millrace/errors';
import { type EmittableEvent, entryOfEnvelope, entrySize, hasOutlivedItsMarks } from '@millrace/events';
import { reemissionTraceHeader } from './trace-header.ts';

/** How often one dead event of one queue may be re-emitted: what dies a third time needs a person. */
export const MAX_REEMISSIONS = 2;

/**
 * Bytes of an entry. The bus takes 1 MiB, but so do the queues behind it, with the envelope, and with the reason when
 * the event dies again: 16 KiB are left for those.
 */
export const MAX_ENTRY_BYTES = 1024 * 1024 - 16 * 1024;

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
  if (isEdited(letter)) {
    return park('EVENT_EDITED', 'The body is not what the consumer gave up; import an edited event as a new one');
  }
  if (identity.replayName !== undefined) {
    const reason = `belongs to the replay ${identity.replayName}; on the bus it would be an ordinary event: redrive it`;
    return { do: 'keep', code: 'EVENT_REPLAYED', reason };
  }
  if (reemitted.has(letter.messageId)) return { do: 'delete' };
  const { timestamp, traceparent } = metadataOf(letter.body);
  if (typeof timestamp !== 'string' || hasOutlivedItsMarks(timestamp, now)) {
    const reason = 'Consumers that have handled it may not know so any more: redrive it to the one that has not';
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
  if (size > MAX_ENTRY_BYTES) return park('EVENT_TOO_LARGE', `${size} bytes; at most ${MAX_ENTRY_BYTES} get through`);
  return { do: 'emit', event, eventId: identity.id };
}

function park(code: string, message: string): Decision {
  return { do: 'park', reason: { code, message } };
}

function metadataOf(body: string): { timestamp?: unknown; traceparent?: unknown } {
  return JSON.parse(body).detail.metadata;
}
