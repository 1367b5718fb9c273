import type { Item } from './attribute-value.ts';
import type { SortRange } from './expressions/key-condition.ts';
import type { Place } from './key-schema.ts';

/** An item and its place. */
export interface Placed {
  place: Place;
  item: Item;
}

/**
 * Where the items of a table or of an index are kept, in order. The engine changes an item by replacing it: an item that
 * a storage has handed out never changes.
 */
export interface ItemStorage {
  get(place: Place): Item | undefined;
  set(place: Place, item: Item): void;
  delete(place: Place): void;
  /** How many items there are. */
  readonly size: number;
  /**
   * The items of one partition in the order of their sort keys.
   * @param after only those behind this place, in the direction of reading
   */
  query(
    partition: string,
    range: SortRange,
    options?: { backward?: boolean; after?: Place | undefined },
  ): Iterable<Placed>;
  /** The items of a segment, partition by partition in the order of the partitions' hashes. */
  scan(options?: { after?: Place | undefined; segment?: number; totalSegments?: number }): Iterable<Placed>;
}

/** A storage in memory. */
export class MemoryStorage implements ItemStorage {
  readonly #partitions = new Map<string, Placed[]>();
  /** The partitions in the order of a scan, until there is another one. */
  #order: { partition: string; hash: number }[] | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(place: Place): Item | undefined {
    const items = this.#partitions.get(place.partition);
    if (!items) return undefined;
    const found = items[firstAtOrBehind(items, place)];
    return found && comparePlaces(found.place, place) === 0 ? found.item : undefined;
  }

  set(place: Place, item: Item): void {
    const items = this.#partitions.get(place.partition);
    if (!items) {
      this.#partitions.set(place.partition, [{ place, item }]);
      this.#order = undefined;
      this.#size += 1;
      return;
    }
    const index = firstAtOrBehind(items, place);
    const found = items[index];
    if (found && comparePlaces(found.place, place) === 0) items[index] = { place, item };
    else {
      items.splice(index, 0, { place, item });
      this.#size += 1;
    }
  }

  delete(place: Place): void {
    const items = this.#partitions.get(place.partition);
    if (!items) return;
    const index = firstAtOrBehind(items, place);
    const found = items[index];
    if (!found || comparePlaces(found.place, place) !== 0) return;
    items.splice(index, 1);
    this.#size -= 1;
    if (items.length > 0) return;
    this.#partitions.delete(place.partition);
    this.#order = undefined;
  }

  *query(
    partition: string,
    { from, to, excludeFrom, excludeTo }: SortRange,
    { backward = false, after }: { backward?: boolean; after?: Place | undefined } = {},
  ): Iterable<Placed> {
    const all = this.#partitions.get(partition) ?? [];
    const start = from === undefined ? 0 : firstOfSort(all, from, excludeFrom);
    const end = to === undefined ? all.length : firstOfSort(all, to, !excludeTo);
    // A copy: the reader may write between two items.
    const items = all.slice(start, Math.max(start, end));
    if (backward) items.reverse();
    for (const placed of items) {
      if (!after || comparePlaces(placed.place, after) * (backward ? -1 : 1) > 0) yield placed;
    }
  }

  *scan({
    after,
    segment = 0,
    totalSegments = 1,
  }: {
    after?: Place | undefined;
    segment?: number;
    totalSegments?: number;
  } = {}): Iterable<Placed> {
    this.#order ??= [...this.#partitions.keys()]
      .map((partition) => ({ partition, hash: hashOf(partition) }))
      .sort((a, b) => a.hash - b.hash || (a.partition < b.partition ? -1 : 1));
    const start = after && { partition: after.partition, hash: hashOf(after.partition) };
    for (const { partition, hash } of this.#order) {
      if (Math.floor((hash / 2 ** 32) * totalSegments) !== segment) continue;
      if (start && (hash < start.hash || (hash === start.hash && partition < start.partition))) continue;
      yield* this.query(partition, {}, { after: start?.partition === partition ? after : undefined });
    }
  }
}

function firstAtOrBehind(items: readonly Placed[], place: Place): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePlaces((items[middle] as Placed).place, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first item with this sort key, or a later one; with `behind` the first with a later one. */
function firstOfSort(items: readonly Placed[], sort: string, behind = false): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { place } = items[middle] as Placed;
    if (place.sort < sort || (behind && place.sort === sort)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function comparePlaces(a: Place, b: Place): number {
  if (a.sort !== b.sort) return a.sort < b.sort ? -1 : 1;
  return a.tie === b.tie ? 0 : a.tie < b.tie ? -1 : 1;
}

/** The segment of a scan that a partition is in. */
export function segmentOf(partition: string, totalSegments: number): number {
  return Math.floor((hashOf(partition) / 2 ** 32) * totalSegments);
}

/** FNV-1a with the finish of MurmurHash3, so that keys that are alike are far apart. */
function hashOf(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
