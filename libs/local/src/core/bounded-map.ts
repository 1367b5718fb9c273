/**
 * Remembers values that can be found out again, or that are only told of: as many as fit, and the oldest go first. For what depends on
 * names that callers choose, so that no number of them fills the memory.
 *
 * @example
 * const compiled = new BoundedMap<string, Policy>(1000);
 * const policy = compiled.get(text) ?? compiled.set(text, compilePolicy(text));
 */
export class BoundedMap<Key, Value> {
  readonly #limit: number;
  readonly #values = new Map<Key, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key);
  }

  /** @returns the value */
  set(key: Key, value: Value): Value {
    this.#values.set(key, value);
    if (this.#values.size > this.#limit) {
      const [oldest] = this.#values.keys();
      this.#values.delete(oldest as Key);
    }
    return value;
  }

  /** Oldest first. */
  values(): Value[] {
    return [...this.#values.values()];
  }
}
