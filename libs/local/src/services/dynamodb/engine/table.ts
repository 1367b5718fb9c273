import { type Item, itemSize } from './attribute-value.ts';
import { validationError } from './dynamodb-error.ts';
import type { ExpiryQueue } from './expiry-queue.ts';
import { type ItemStorage, MemoryStorage } from './item-storage.ts';
import type { Journal } from './journal.ts';
import { assertFitsIndex, assertHasKey, type KeySchema, keyOf, type Place, placeId, placeOf } from './key-schema.ts';
import type { TableDefinition, TableIndex } from './table-definition.ts';
import type { TableStream } from './table-stream.ts';

export const MAX_ITEM_BYTES = 400 * 1024;

/** What a table needs of the engine. */
export interface TableEnvironment {
  /** Milliseconds since 1970. */
  now: () => number;
  region: string;
  accountId: string;
  journal: Journal;
  expiries: ExpiryQueue;
}

/** What of a table is kept beside its items and its stream. */
export interface TableState {
  id: string;
  createdAt: number;
  definition: TableDefinition;
  /** The attribute of Time to Live, once it is enabled. */
  timeToLive?: string | undefined;
  tags: Readonly<Record<string, string>>;
  /** Point-in-time recovery was asked for; nothing is backed up here. */
  recoverable?: boolean;
}

/** A table with its indexes. It knows items and places, and nothing of requests. */
export class Table {
  readonly arn: string;
  readonly items: ItemStorage = new MemoryStorage();
  /** Of the table now; an earlier one may still be read. */
  stream: TableStream | undefined;
  readonly #environment: TableEnvironment;
  #indexes: ReadonlyMap<string, { index: TableIndex; items: ItemStorage }> = new Map();
  #state: TableState;
  /** How to take back what is to expire, by place. */
  readonly #expiries = new Map<string, () => void>();

  constructor(state: TableState, environment: TableEnvironment) {
    const { region, accountId, journal } = environment;
    this.#state = state;
    this.#environment = environment;
    this.arn = `arn:aws:dynamodb:${region}:${accountId}:table/${this.name}`;
    for (const { value } of journal.load(this.#collection)) {
      this.items.set(this.placeOf(value as Item), value as Item);
    }
    this.#takeOver(state);
    this.#scheduleAll();
  }

  get name(): string {
    return this.#state.definition.name;
  }

  get definition(): TableDefinition {
    return this.#state.definition;
  }

  get key(): KeySchema {
    return this.#state.definition.key;
  }

  get state(): TableState {
    return this.#state;
  }

  /** Changes the table. Indexes that are new are filled with the items that are there. */
  change(changes: Partial<TableState>): void {
    const before = this.#state;
    // A stream is opened or ended in the same moment, after this.
    const { stream } = this;
    const scheduled = before.timeToLive;
    this.#takeOver({ ...before, ...changes });
    if (this.#state.timeToLive !== scheduled) this.#scheduleAll();
    this.#environment.journal.put('tables', this.name, this.#state, () => {
      this.#takeOver(before);
      this.stream = stream;
      this.#scheduleAll();
    });
  }

  /** Forgets the table's items on disk and when they expire. */
  drop(): void {
    for (const takeBack of this.#expiries.values()) takeBack();
    this.#environment.journal.drop(this.#collection, () => this.#scheduleAll());
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
    if (!before && !after) return;
    this.#place(place, before, after);
    const { journal } = this.#environment;
    const undo = (): void => this.#place(place, after, before);
    if (after) journal.put(this.#collection, placeId(place), after, undo);
    else journal.remove(this.#collection, placeId(place), undo);
    this.stream?.add({ keys: keyOf(key, this.key), before, after, expired });
  }

  get #collection(): string {
    return `items ${this.#state.id}`;
  }

  #place(place: Place, before: Item | undefined, after: Item | undefined): void {
    if (after) this.items.set(place, after);
    else this.items.delete(place);
    if (this.#indexes.size > 0) {
      const tie = placeId(place);
      for (const { index, items } of this.#indexes.values()) {
        const old = before && placeOf(before, index.key, tie);
        if (old) items.delete(old);
        const current = after && placeOf(after, index.key, tie);
        if (current) items.set(current, after);
      }
    }
    if (this.#state.timeToLive !== undefined) this.#schedule(place, after);
  }

  #takeOver(state: TableState): void {
    this.#state = state;
    const present = this.#indexes;
    this.#indexes = new Map(
      state.definition.indexes.map((index) => [
        index.name,
        { index, items: present.get(index.name)?.items ?? this.#filled(index) },
      ]),
    );
  }

  #filled({ key }: TableIndex): ItemStorage {
    const items = new MemoryStorage();
    for (const { place, item } of this.items.scan()) {
      const indexed = placeOf(item, key, placeId(place));
      if (indexed) items.set(indexed, item);
    }
    return items;
  }

  #scheduleAll(): void {
    for (const takeBack of this.#expiries.values()) takeBack();
    this.#expiries.clear();
    if (this.#state.timeToLive === undefined) return;
    for (const { place, item } of this.items.scan()) this.#schedule(place, item);
  }

  #schedule(place: Place, item: Item | undefined): void {
    const id = placeId(place);
    this.#expiries.get(id)?.();
    this.#expiries.delete(id);
    const { timeToLive } = this.#state;
    const value = item && timeToLive !== undefined && Object.hasOwn(item, timeToLive) ? item[timeToLive] : undefined;
    if (!item || !value || !('N' in value)) return;
    const takeBack = this.#environment.expiries.add(Number(value.N), () => {
      this.#expiries.delete(id);
      this.write(item, undefined, true);
    });
    if (takeBack) this.#expiries.set(id, takeBack);
  }
}
