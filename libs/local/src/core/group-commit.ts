/**
 * Commits everything that changes in one turn of the event loop together, so that a thousand requests that come at once cost one
 * commit. They are answered after it.
 *
 * @example
 * const commits = new GroupCommit(() => transaction(database, () => write(changes.splice(0))));
 * changes.push(change);
 * commits.schedule();
 * await commits.pending; // the change is in the database
 */
export class GroupCommit {
  readonly #commit: () => void;
  #next: { done: Promise<void>; run: () => void; immediate: NodeJS.Immediate } | undefined;

  /** @param commit writes what has changed since the last time. What it throws rejects `pending` */
  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** Settles with the commit that has been scheduled; undefined when none has. */
  get pending(): Promise<void> | undefined {
    return this.#next?.done;
  }

  /** Asks for a commit at the end of this turn. Call it after each change. */
  schedule(): void {
    if (this.#next) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A change that is made in the background has no request that waits for it.
    promise.catch(() => undefined);
    const run = (): void => {
      this.#next = undefined;
      try {
        this.#commit();
        resolve();
      } catch (error) {
        reject(error);
      }
    };
    this.#next = { done: promise, run, immediate: setImmediate(run) };
  }

  /** Makes the scheduled commit at once, before the database is closed. */
  flush(): void {
    clearImmediate(this.#next?.immediate);
    this.#next?.run();
  }
}
