import { type Item, itemSize } from './attribute-value.ts';
import { validationError } from './dynamodb-error.ts';
import { type ItemStorage, MemoryStorage } from './item-storage.ts';
import { assertFitsIndex, assertHasKey, type KeySchema, keyOf, type Place, placeOf } from './key-schema.ts';
import type { TableDefinition, TableIndex } from './table-definition.ts';
import { TableStream } from './table-stream.ts';

export const MAX_ITEM_BYTES = 400 * 1024;

/** Five years: what expired longer ago is not deleted. */
const MAX_EXPIRED_SECONDS = 5 * 365 * 24 * 60 * 60;

/** What a table needs of the engine. */
export interface TableEnvironment {
  /** Milliseconds since 1970. */
  now: () => number;
  region: string;
  accountId: string;
  /** Makes the storage of a table or, with an index's name, of one of its indexes. */
  storage?: (tableName: string, indexName?: string) => ItemStorage;
}

/** A table with its indexes and its stream. It knows items and places, and nothing of requests. */
export class Table {
  readonly definition: TableDefinition;
  readonly arn: string;
  readonly createdAt: number;
  readonly stream: TableStream | undefined;
  readonly items: ItemStorage;
  readonly #indexes: ReadonlyMap<string, { index: TableIndex; items: ItemStorage }>;
  readonly #now: () => number;
  /** The attribute of Time to Live, once it is enabled. */
  timeToLive: string | undefined;

  constructor(
    definition: TableDefinition,
    { now, region, accountId, storage = () => new MemoryStorage() }: TableEnvironment,
  ) {
    const { name, streamViewType } = definition;
    this.definition = definition;
    this.arn = `arn:aws:dynamodb:${region}:${accountId}:table/${name}`;
    this.createdAt = now();
    this.items = storage(name);
    this.#now = now;
    this.#indexes = new Map(
      definition.indexes.map((index) => [index.name, { index, items: storage(name, index.name) }]),
    );
    this.stream =
      streamViewType && new TableStream({ tableArn: this.arn, tableName: name, region, viewType: streamViewType, now });
  }

  get name(): string {
    return this.definition.name;
  }

  get key(): KeySchema {
    return this.definition.key;
  }

  /** The index, or undefined for the table itself. @throws DynamoDbError ValidationException when there is no such index */
  index(name: string | undefined): { index: TableIndex; items: ItemStorage } | undefined {
    if (name === undefined) return undefined;
    const found = this.#indexes.get(name);
    if (found) return found;
    throw validationError(`The table does not have the specified index: ${name}`);
  }

  placeOf(itemOrKey: Item): Place {
    const place = placeOf(itemOrKey, this.key);
    if (!place) throw new TypeError('The key was not checked');
    return place;
  }

  get(key: Item): Item | undefined {
    return this.items.get(this.placeOf(key));
  }

  /** @throws DynamoDbError ValidationException when the item does not fit the table, its indexes or the size of an item */
  assertStorable(item: Item, tooLarge = 'Item size has exceeded the maximum allowed size'): void {
    assertHasKey(item, this.key);
    for (const { index } of this.#indexes.values()) assertFitsIndex(item, index.name, index.key);
    if (itemSize(item) > MAX_ITEM_BYTES) throw validationError(tooLarge);
  }

  /**
   * Replaces the item with the key of `key` by `after`; without one it is removed. The indexes and the stream follow.
   * @param after must be storable, see `assertStorable`
   */
  write(key: Item, after: Item | undefined, expired = false): void {
    const place = this.placeOf(key);
    const before = this.items.get(place);
    if (after) this.items.set(place, after);
    else this.items.delete(place);
    const tie = `${place.partition}\u0000${place.sort}`;
    for (const { index, items } of this.#indexes.values()) {
      const [old, current] = [before, after].map((item) => item && placeOf(item, index.key, tie));
      if (old) items.delete(old);
      if (current && after) items.set(current, after);
    }
    this.stream?.add({ keys: keyOf(key, this.key), before, after, expired });
  }

  /** Removes what Time to Live has expired. @returns how many items */
  expire(): number {
    const { timeToLive } = this;
    if (timeToLive === undefined) return 0;
    const now = Math.floor(this.#now() / 1000);
    const expired = [...this.items.scan()].filter(({ item }) => {
      const value = item[timeToLive];
      const at = value && 'N' in value ? Number(value.N) : Number.NaN;
      return at < now && at > now - MAX_EXPIRED_SECONDS;
    });
    for (const { item } of expired) this.write(item, undefined, true);
    return expired.length;
  }
}
