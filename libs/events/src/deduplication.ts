/**
 * For how long consumers and the re-emitter remember an event's id, in seconds. Longer than the 14 days a dead-letter
 * queue keeps a message, so that a late redrive is still recognised; whatever is older must not come back.
 */
export const DEDUPLICATION_SECONDS = 30 * 24 * 60 * 60;

/** Identifies one effect: a consumer stores it in the transaction of its effect. */
export interface InboxKey {
  /** Who handles the event: `inventory.onOrderPlaced`. */
  consumer: string;
  eventId: string;
}

/**
 * The key of the mark that a consumer leaves in its service's idempotency table when it has handled an event with all its
 * steps. A consumer with an inbox marks an event in the transaction of its effect instead.
 *
 * @example handledMarkId('notifications.onOrderOutcome', eventId) // handled#notifications.onOrderOutcome#0b9f…
 */
export function handledMarkId(consumer: string, eventId: string): string {
  return `handled#${consumer}#${eventId}`;
}

/** A margin for clocks that differ and for work that is under way when the marks of its event expire, in seconds. */
const MARGIN_SECONDS = 24 * 60 * 60;

/**
 * True if an event is so old that a consumer that has handled it may have forgotten it: handling it again could repeat its
 * effect. A mark is made after its event and kept for `DEDUPLICATION_SECONDS`, so a younger event still has it.
 *
 * @param timestamp `metadata.timestamp`, ISO 8601
 * @example isPastDeduplicationWindow('2026-01-01T00:00:00Z', new Date('2026-02-01T00:00:00Z')) // true: 31 days
 */
export function isPastDeduplicationWindow(timestamp: string, now: Date): boolean {
  return now.getTime() - Date.parse(timestamp) > (DEDUPLICATION_SECONDS - MARGIN_SECONDS) * 1000;
}
