/** Where an item is in the heap that uses this slot; -1 while it is not in one. */
type Indexed<Slot extends string> = Record<Slot, number>;

/**
 * A binary heap whose items know their place, so that any of them can be removed or moved in O(log n).
 *
 * An item can be in several heaps at once: each heap keeps its place in a property ("slot") of its own.
 * @example const timers = new IndexedHeap('timerIndex', (one, other) => one.visibleAt < other.visibleAt);
 */
export class IndexedHeap<Slot extends string, Item extends Indexed<Slot>> {
  readonly #slot: Slot;
  readonly #before: (one: Item, other: Item) => boolean;
  readonly #items: Item[] = [];

  constructor(slot: Slot, before: (one: Item, other: Item) => boolean) {
    this.#slot = slot;
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The item that comes before all others. */
  get first(): Item | undefined {
    return this.#items[0];
  }

  /** Adds an item, or finds its new place after its key has changed. */
  set(item: Item): void {
    const index = this.#indexOf(item);
    if (index < 0) this.#siftUp(item, this.#items.length);
    else this.#place(item, index);
  }

  /** Removes an item, if it is here. */
  delete(item: Item): void {
    const index = this.#indexOf(item);
    if (index < 0) return;
    this.#put(item, -1);
    const last = this.#items.pop();
    if (last !== undefined && last !== item) this.#place(last, index);
  }

  clear(): void {
    for (const item of this.#items) this.#put(item, -1);
    this.#items.length = 0;
  }

  #place(item: Item, index: number): void {
    const parent = this.#items[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && this.#before(item, parent)) this.#siftUp(item, index);
    else this.#siftDown(item, index);
  }

  #siftUp(item: Item, start: number): void {
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (parent === undefined || !this.#before(item, parent)) break;
      this.#write(parent, index);
      index = parentIndex;
    }
    this.#write(item, index);
  }

  #siftDown(item: Item, start: number): void {
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#items[childIndex];
      if (child === undefined) break;
      const right = this.#items[childIndex + 1];
      if (right !== undefined && this.#before(right, child)) {
        childIndex += 1;
        child = right;
      }
      if (!this.#before(child, item)) break;
      this.#write(child, index);
      index = childIndex;
    }
    this.#write(item, index);
  }

  #write(item: Item, index: number): void {
    this.#items[index] = item;
    this.#put(item, index);
  }

  #indexOf(item: Item): number {
    return item[this.#slot];
  }

  #put(item: Item, index: number): void {
    (item as Indexed<Slot>)[this.#slot] = index;
  }
}
