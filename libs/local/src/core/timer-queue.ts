/** A callback that is due at a time. */
export interface TimerEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly callback: () => void;
}

interface Node extends TimerEntry {
  /** Breaks ties: of two entries for the same time the one that was added first comes first. */
  readonly order: number;
  /** Where it is in the heap, so that it can be removed without a search; -1 once it is gone. */
  index: number;
}

/**
 * Timers ordered by their time: a binary heap. Adding and removing take logarithmic time, because most of the timers of a local
 * cloud never fire: each received message sets one that its deletion removes.
 */
export class TimerQueue {
  readonly #heap: Node[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** @returns a function that removes the entry; it does nothing once the entry is gone */
  add(at: number, callback: () => void): () => void {
    const node: Node = { at, callback, order: this.#added, index: this.#heap.length };
    this.#added += 1;
    this.#heap.push(node);
    this.#rise(node);
    return () => this.#remove(node);
  }

  /** The entry that is due first. */
  peek(): TimerEntry | undefined {
    return this.#heap[0];
  }

  /** Takes the first entry out if it is due by a time. */
  takeDue(time: number): TimerEntry | undefined {
    const first = this.#heap[0];
    if (!first || first.at > time) return undefined;
    this.#remove(first);
    return first;
  }

  clear(): void {
    for (const node of this.#heap) node.index = -1;
    this.#heap.length = 0;
  }

  #remove(node: Node): void {
    const { index } = node;
    if (index < 0) return;
    node.index = -1;
    const last = this.#heap.pop();
    if (!last || last === node) return;
    this.#place(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(node: Node): void {
    while (node.index > 0) {
      const parent = this.#heap[(node.index - 1) >> 1];
      if (!parent || isBefore(parent, node)) return;
      this.#swap(parent, node);
    }
  }

  #sink(node: Node): void {
    for (;;) {
      const left = this.#heap[2 * node.index + 1];
      const right = this.#heap[2 * node.index + 2];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || isBefore(node, child)) return;
      this.#swap(node, child);
    }
  }

  #swap(one: Node, other: Node): void {
    const { index } = one;
    this.#place(one, other.index);
    this.#place(other, index);
  }

  #place(node: Node, index: number): void {
    node.index = index;
    this.#heap[index] = node;
  }
}

function isBefore(one: Node, other: Node): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
