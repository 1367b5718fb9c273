import { type Place, placeId } from './key-schema.ts';
import type { Table } from './table.ts';

/** An item of a table. */
export interface ItemReference {
  table: Table;
  place: Place;
}

/**
 * The items of transactions that have begun and not ended. Whatever touches one of them meanwhile is refused.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 */
export class OpenTransactions {
  readonly #held = new Set<string>();

  /** Whether a transaction is about to change the item. */
  holds(item: ItemReference): boolean {
    return this.#held.size > 0 && this.#held.has(idOf(item));
  }

  /** Begins a transaction on these items. @returns ends it */
  hold(items: readonly ItemReference[]): () => void {
    const ids = items.map(idOf);
    for (const id of ids) this.#held.add(id);
    return () => {
      for (const id of ids) this.#held.delete(id);
    };
  }
}

function idOf({ table, place }: ItemReference): string {
  return `${table.name} ${placeId(place)}`;
}
