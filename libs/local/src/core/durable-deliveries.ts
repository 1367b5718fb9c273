import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Clock, Timer } from './clock.ts';
import { isRetryable } from './delivery.ts';

export interface DurableDeliveriesOptions<Content> {
  /** Has the deliveries in a table of its own. */
  database: DatabaseSync;
  clock: Clock;
  /** Makes one attempt. An error that says `retryable: false` is the last. The signal aborts when the deliveries end. */
  attempt: (content: Content, signal: AbortSignal) => Promise<void>;
  /** Milliseconds to the next attempt after so many have failed; undefined after the last. */
  retryAfter: (failures: number, content: Content) => number | undefined;
  /** Called for a delivery that is given up. It is removed afterwards. */
  giveUp: (content: Content, error: Error) => Promise<void>;
  /** Told when the database cannot be used, e.g. on a full disk. A delivery whose outcome is not written down is made again. */
  warn: (line: string) => void;
}

/** How long deliveries wait for a database that cannot be used. */
const UNWRITTEN_PAUSE_MS = 10_000;

/** Attempts under way at the same time. */
const CONCURRENCY = 32;

/**
 * Deliveries that are made at least once, however often this process ends in between: each is a row, added in the transaction
 * that is the reason for it, and removed after it has arrived.
 *
 * @example
 * transaction(database, () => { insertObject(); deliveries.add({ arn, payload }); });
 */
export class DurableDeliveries<Content> implements AsyncDisposable {
  readonly #options: DurableDeliveriesOptions<Content>;
  readonly #insert: StatementSync;
  readonly #due: StatementSync;
  readonly #next: StatementSync;
  readonly #postpone: StatementSync;
  readonly #remove: StatementSync;
  readonly #attempts = new Map<number, Promise<void>>();
  readonly #stopped = new AbortController();
  #isStarted = false;
  #isWoken = false;
  #timer: Timer | undefined;

  constructor(options: DurableDeliveriesOptions<Content>) {
    this.#options = options;
    const { database } = options;
    database.exec(
      `CREATE TABLE IF NOT EXISTS deliveries (
         id INTEGER PRIMARY KEY AUTOINCREMENT, lane TEXT, content TEXT NOT NULL, failures INTEGER NOT NULL, due_at INTEGER NOT NULL
       );
       CREATE INDEX IF NOT EXISTS deliveries_by_lane ON deliveries (lane, id);
       CREATE INDEX IF NOT EXISTS deliveries_by_time ON deliveries (due_at)`,
    );
    // A lane is NULL where the order does not matter, and NULL equals nothing.
    const isFirst =
      'NOT EXISTS (SELECT 1 FROM deliveries AS earlier WHERE earlier.lane = deliveries.lane AND earlier.id < deliveries.id)';
    this.#insert = database.prepare('INSERT INTO deliveries (lane, content, failures, due_at) VALUES (?, ?, 0, ?)');
    this.#due = database.prepare(
      `SELECT * FROM deliveries WHERE due_at <= ? AND ${isFirst} ORDER BY due_at, id LIMIT ?`,
    );
    this.#next = database.prepare(`SELECT MIN(due_at) AS due_at FROM deliveries WHERE due_at > ?`);
    this.#postpone = database.prepare('UPDATE deliveries SET failures = ?, due_at = ? WHERE id = ?');
    this.#remove = database.prepare('DELETE FROM deliveries WHERE id = ?');
  }

  /** Makes the deliveries that are there, and those that are added from now on. */
  start(): void {
    this.#isStarted = true;
    this.#wake();
  }

  /**
   * Adds a delivery. It is made soon after the current transaction, if there is one, and not before the start.
   *
   * @param content is kept as JSON
   * @param lane those of one lane are made one after the other, in the order in which they were added
   */
  add(content: Content, lane?: string): void {
    this.#insert.run(lane ?? null, JSON.stringify(content), this.#options.clock.now());
    this.#wake();
  }

  /** Ends after the attempts under way. What has not arrived is delivered by the next one on this database. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#timer?.cancel();
    await Promise.all(this.#attempts.values());
  }

  #wake(): void {
    if (this.#isWoken || this.#stopped.signal.aborted || !this.#isStarted) return;
    this.#isWoken = true;
    queueMicrotask(() => {
      this.#isWoken = false;
      if (this.#stopped.signal.aborted) return;
      try {
        this.#startDue();
      } catch (error) {
        void this.#pause(error as Error).then(() => this.#wake());
      }
    });
  }

  #startDue(): void {
    this.#timer?.cancel();
    const now = this.#options.clock.now();
    for (const row of this.#due.all(now, CONCURRENCY + this.#attempts.size)) {
      if (this.#attempts.size >= CONCURRENCY) return;
      const id = Number(row.id);
      if (this.#attempts.has(id)) continue;
      const outcome = this.#attempt(id, row).catch((error: Error) => this.#pause(error));
      const attempt = outcome.finally(() => {
        this.#attempts.delete(id);
        this.#wake();
      });
      this.#attempts.set(id, attempt);
    }
    const next = this.#next.get(now)?.due_at;
    if (next !== null && next !== undefined) {
      this.#timer = this.#options.clock.setTimer(Number(next), () => this.#wake());
    }
  }

  async #attempt(id: number, row: Record<string, SQLOutputValue>): Promise<void> {
    const { clock, attempt, retryAfter, giveUp } = this.#options;
    const content = JSON.parse(String(row.content)) as Content;
    try {
      await attempt(content, this.#stopped.signal);
    } catch (error) {
      // What it needs may have ended before: that says nothing about the target.
      if (this.#stopped.signal.aborted) return;
      const failures = Number(row.failures) + 1;
      const delay = isRetryable(error) ? retryAfter(failures, content) : undefined;
      if (delay !== undefined) {
        this.#postpone.run(failures, clock.now() + delay, id);
        return;
      }
      await giveUp(content, error instanceof Error ? error : new Error(String(error))).catch(() => {});
    }
    this.#remove.run(id);
  }

  async #pause(error: Error): Promise<void> {
    const { clock, warn } = this.#options;
    warn(`Deliveries wait ${UNWRITTEN_PAUSE_MS / 1000} seconds, as their database cannot be used: ${error.message}`);
    await clock.sleep(UNWRITTEN_PAUSE_MS, this.#stopped.signal).catch(() => {});
  }
}
