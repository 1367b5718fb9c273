/**
 * For how long consumers and the re-emitter remember an event's id, in seconds. Longer than the 14 days a dead-letter
 * queue keeps a message, so that a late redrive is still recognised; whatever is older must not come back.
 */
export const DEDUPLICATION_SECONDS = 30 * 24 * 60 * 60;

/** A margin for what is still under way when the marks of its event expire, in seconds. */
const MARGIN_SECONDS = 24 * 60 * 60;

/**
 * Whether an event is so old that a consumer that has handled it may not know so any more.
 * @param timestamp `metadata.timestamp`, ISO 8601
 */
export function hasOutlivedItsMarks(timestamp: string, now: Date): boolean {
  return now.getTime() - Date.parse(timestamp) > (DEDUPLICATION_SECONDS - MARGIN_SECONDS) * 1000;
}
