/**
 * Keeps what the engine has in memory, as entries of collections. The engine tells it of every change in the moment it
 * makes it; what happens in one turn of the event loop is kept as a whole or not at all.
 */
export interface Journal {
  /**
   * @param value JSON that does not change afterwards
   * @param undo takes the change back in memory; called when it could not be kept
   */
  put(collection: string, key: string, value: unknown, undo: () => void): void;
  remove(collection: string, key: string, undo: () => void): void;
  /** Removes a collection with all its entries. */
  drop(collection: string, undo: () => void): void;
  /**
   * Resolves when everything that has been changed so far is kept; undefined when it is already.
   * @throws Error when it could not be kept: it has been undone then
   */
  committed(): Promise<void> | undefined;
  /** The entries of a collection, in the order of their keys. */
  load(collection: string): Iterable<{ key: string; value: unknown }>;
}

/** Keeps nothing: everything ends with the process. */
export const noJournal: Journal = {
  put: () => undefined,
  remove: () => undefined,
  drop: () => undefined,
  committed: () => undefined,
  load: () => [],
};
