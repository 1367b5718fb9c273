import {
  derivedId,
  type EventContract,
  isPastDeduplicationWindow,
  parseEnvelope,
  SchemaViolationError,
} from '@millrace/events';
import { MAX_EVENT_BYTES } from '../reemission.ts';

/** An event that takes the place of a dead one. */
export interface Replacement {
  /** `metadata.id` */
  id: string;
  /** JSON of the envelope. */
  body: string;
}

/** What is wrong with an edited event. */
export interface EditProblem {
  /** Of the value, e.g. `detail.data.total`; empty for the event as a whole. */
  path: string;
  message: string;
}

/**
 * Makes a new event of an edited one. Everything is as edited, the time included, because the event tells of the same
 * moment; but it has an id of its own, names the old event as its cause, and belongs to the same correlation.
 *
 * The id follows from the old id and the content: the same edit imported again makes the same event.
 * https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 *
 * @param edited the envelope as edited
 * @param original of the dead event
 */
export function replacementOf(
  edited: Record<string, unknown>,
  original: { id: string; correlationId?: string | undefined },
): Replacement {
  const id = replacementId(original.id, edited);
  const detail = edited.detail as { metadata?: object } | undefined;
  // Of a replay only the old event was a part.
  const { 'replay-name': _, ...envelope } = edited;
  const metadata = {
    ...detail?.metadata,
    id,
    causationId: original.id,
    ...(original.correlationId !== undefined && { correlationId: original.correlationId }),
  };
  return { id, body: JSON.stringify({ ...envelope, id, detail: { ...detail, metadata } }) };
}

/** The id of the event that replaces another, see `replacementOf`. */
export function replacementId(originalId: string, edited: unknown): string {
  return derivedId([originalId, sorted(edited)]);
}

/**
 * Checks an event against its contract, and that consumers will take it: an event past the deduplication window they
 * refuse.
 *
 * @param contracts by detail-type
 * @returns everything that is wrong with it
 */
export function problemsOf(
  { body }: Replacement,
  contracts: ReadonlyMap<string, EventContract>,
  now: Date,
): EditProblem[] {
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_EVENT_BYTES) return [{ path: '', message: `${bytes} bytes; at most ${MAX_EVENT_BYTES} fit` }];
  try {
    const envelope = parseEnvelope(body);
    const contract = contracts.get(envelope['detail-type']);
    if (!contract) return [{ path: 'detail-type', message: `no contract defines ${envelope['detail-type']}` }];
    const { metadata } = contract.parse(envelope) as { metadata: { timestamp: string } };
    if (!isPastDeduplicationWindow(metadata.timestamp, now)) return [];
    const message =
      'is more than 29 days ago, so consumers refuse the event as EVENT_TOO_OLD. If you know that the consumer has not ' +
      'handled it, set timestamp and timestampEpoch to the present';
    return [{ path: 'detail.metadata.timestamp', message }];
  } catch (error) {
    if (error instanceof SchemaViolationError) {
      return error.issues.map(({ path, message }) => ({ path: `detail.${path}`, message }));
    }
    return [{ path: '', message: (error as Error).message }];
  }
}

/** The same value with the members of every object in one order, so that formatting by an editor changes nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, sorted(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
