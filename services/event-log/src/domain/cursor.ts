/** A place in the log: the time of an event and its id, `2026-01-31T12:00:00.000Z#…`. */
const placePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#./;

/** What a client hands back to go on behind a place. */
export function cursorOf(place: string): string {
  return Buffer.from(place).toString('base64url');
}

/** The place that a cursor means; undefined when `cursorOf` has not made it. */
export function placeOf(cursor: string): string | undefined {
  const place = Buffer.from(cursor, 'base64url').toString();
  return placePattern.test(place) && cursorOf(place) === cursor ? place : undefined;
}
