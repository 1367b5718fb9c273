const yieldToPromises = setImmediate;

/** Something that is to happen. */
export interface Scheduled {
  readonly at: number;
  cancel(): void;
}

interface Entry extends Scheduled {
  sequence: number;
  run: () => void;
  cancelled: boolean;
  /** It is no work: the history is over when nothing else is left. */
  idle: boolean;
}

/**
 * A queue of events in simulated time. One event runs at a time, and the next one only when all promises that it has
 * settled have had their say: which of two handlers goes on first is decided here alone.
 */
export class Scheduler {
  /** Milliseconds since 1970. */
  now: number;
  readonly #heap: Entry[] = [];
  #sequence = 0;
  #work = 0;
  /** How many events have run. */
  steps = 0;

  constructor(now: number) {
    this.now = now;
  }

  /** Runs something later. `idle`: only if there is other work by then, for example a look at the clock. */
  after(ms: number, run: () => void, { idle = false }: { idle?: boolean } = {}): Scheduled {
    this.#sequence += 1;
    const entry: Entry = {
      at: this.now + Math.max(0, ms),
      sequence: this.#sequence,
      run,
      cancelled: false,
      idle,
      cancel: () => {
        if (entry.cancelled) return;
        entry.cancelled = true;
        if (!idle) this.#work -= 1;
      },
    };
    if (!idle) this.#work += 1;
    this.#push(entry);
    return entry;
  }

  /** Whether nothing but idle events is left. */
  get isQuiet(): boolean {
    return this.#work === 0;
  }

  /** Runs events until nothing but idle ones is left, simulated time has come to `until`, or so many events have run. */
  async run(until = Number.POSITIVE_INFINITY, maxSteps = Number.POSITIVE_INFINITY): Promise<void> {
    // What was begun before goes on first.
    await settled();
    while (!this.isQuiet && this.steps < maxSteps) {
      const entry = this.#pop();
      if (!entry) return;
      if (entry.cancelled) continue;
      if (entry.at > until) {
        this.#push(entry);
        return;
      }
      entry.cancelled = true;
      if (!entry.idle) this.#work -= 1;
      this.now = Math.max(this.now, entry.at);
      this.steps += 1;
      entry.run();
      await settled();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent] as Entry)) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || first === last) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

/** Resolves when no promise has anything left to do. */
function settled(): Promise<void> {
  return new Promise((resolve) => yieldToPromises(() => resolve()));
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
