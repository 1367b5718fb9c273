/** Where a listing goes on: at a key, or behind it. */
export interface ListingStart {
  from: string;
  exclusive?: boolean;
  /** Behind this version of the key. */
  beforeId?: number;
}

export interface ListingRequest {
  prefix: string;
  delimiter: string | undefined;
  start: ListingStart;
  maximum: number;
}

export interface Listing<Row> {
  rows: Row[];
  /** What the keys that contain the delimiter behind the prefix are rolled up to. */
  commonPrefixes: string[];
  /** Undefined after the last entry. */
  next: ListingStart | undefined;
}

/** How many rows are read at a time where most may be rolled up. */
const ROLL_UP_BATCH = 100;

/**
 * Lists keys in the order of their UTF-8 bytes, and rolls up those with a delimiter. A common prefix counts as one entry, and
 * the keys below it are stepped over, however many they are.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
 *
 * @param read reads the rows from a start on, in order
 */
export function listKeys<Row extends { key: string; id: number }>(
  { prefix, delimiter, start, maximum }: ListingRequest,
  read: (start: ListingStart, limit: number) => Row[],
): Listing<Row> {
  const listing: Listing<Row> = { rows: [], commonPrefixes: [], next: undefined };
  let position: ListingStart | undefined = isBefore(start.from, prefix) ? { from: prefix } : start;
  position = stepOverMarker(position, prefix, delimiter);
  if (maximum === 0) return listing;
  let entries = 0;
  while (position) {
    const limit: number = delimiter ? ROLL_UP_BATCH : maximum - entries + 1;
    const batch = read(position, limit);
    let stepped = false;
    for (const row of batch) {
      if (!row.key.startsWith(prefix)) return listing;
      if (entries === maximum) return { ...listing, next: position };
      const commonPrefix = rollUp(row.key, prefix, delimiter);
      if (commonPrefix === undefined) {
        listing.rows.push(row);
        position = { from: row.key, exclusive: true, beforeId: row.id };
      } else {
        listing.commonPrefixes.push(commonPrefix);
        const behind = successor(commonPrefix);
        position = behind === undefined ? undefined : { from: behind };
        stepped = true;
      }
      entries += 1;
      if (stepped) break;
    }
    if (!stepped && batch.length < limit) return listing;
  }
  return listing;
}

/** A marker that is a common prefix skips all keys below it. */
function stepOverMarker(start: ListingStart, prefix: string, delimiter: string | undefined): ListingStart | undefined {
  if (!start.exclusive || !start.from.startsWith(prefix) || rollUp(start.from, prefix, delimiter) !== start.from)
    return start;
  const behind = successor(start.from);
  return behind === undefined ? undefined : { from: behind };
}

function rollUp(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (!delimiter) return undefined;
  const found = key.indexOf(delimiter, prefix.length);
  return found < 0 ? undefined : key.slice(0, found + delimiter.length);
}

/** The smallest text behind all those that begin with this one; undefined if it does not exist. */
export function successor(text: string): string | undefined {
  const characters = [...text];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0) as number;
    if (code < 0x10ffff) return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1);
  }
  return undefined;
}

function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}
