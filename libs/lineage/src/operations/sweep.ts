import { batches } from '@millrace/dead-letters';
import type { RelayOutcome, StoredOutbox, StoredRow, TimeWindow } from '@millrace/event-store';
import { isPastDeduplicationWindow } from '@millrace/events';
import type { DynamoDBRecord } from 'aws-lambda';

/**
 * What a sweep makes of a stored event. `young`: its relay may just be emitting it. `known`: it was emitted, as the event log
 * or one of its letters shows. `dead`: it is in the relay's dead-letter queue. `untold`: the log does not keep such events, or
 * no longer. `old`: consumers may not recognise it any more. `missing`: it was never emitted, as far as is known.
 */
export type SweptState = 'young' | 'known' | 'dead' | 'untold' | 'old' | 'missing';

export interface SweepOptions {
  outbox: Pick<StoredOutbox, 'scan'>;
  /** Which of some events were emitted. */
  knownOf: (ids: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Ids of events that are in the relay's dead-letter queue. */
  dead: ReadonlySet<string>;
  /** Whether the event log would have an event now, if it was emitted. */
  isKept: (event: { detailType: string; timestamp: Date; ttl?: number }, now: Date) => boolean;
  /** Has the service's relay emit rows. */
  emit: (records: readonly DynamoDBRecord[]) => Promise<readonly RelayOutcome[]>;
  /** When the events were stored. */
  windows: readonly TimeWindow[];
  /** Events stored less than this before `now` are left to the relay, in ms. */
  grace: number;
  now: Date;
  /** Only says what would be emitted. */
  dryRun?: boolean;
  /** Whether to emit events of which the log cannot tell, too. */
  emitUntold?: boolean;
  /** Parts of the table that are read side by side. */
  segments?: number;
  /** Ends the sweep after what is under way. */
  signal?: AbortSignal;
  /** Is told of each event that is not `known` or `young`, with what became of a `missing` or `untold` one that was to be emitted. */
  onEvent?: (row: StoredRow, state: SweptState, outcome?: Omit<RelayOutcome, 'eventId'>) => void;
  onProgress?: (progress: { scanned: number; stored: number; missing: number }) => void;
}

export interface SweepSummary {
  /** Items that were looked at. */
  scanned: number;
  /** Stored events in the windows: the sum of the next six. */
  stored: number;
  young: number;
  known: number;
  dead: number;
  untold: number;
  old: number;
  missing: number;
  /** Of the missing, and of the untold that were to be emitted: what became of them. */
  emitted: number;
  refused: number;
  failed: number;
  /** Stored events by window. */
  inWindow: number[];
  interrupted: boolean;
  /** Why it stopped early. */
  problem?: string;
}

/** Records in one call of the relay, as its mapping hands them over. */
const BATCH = 100;
/** Bytes of records in one call. Lambda takes 6 MB. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const BATCH_BYTES = 5_000_000;

/**
 * Finds stored events that were never emitted, and has their owner emit them. It may run at any time, beside a relay or
 * another sweep: what is emitted twice has the same id, and consumers ignore it.
 *
 * @returns what it came to; never throws for what the relay does, see `problem`
 * @throws what the SDK throws while the table or the log is read
 */
export async function sweep(options: SweepOptions): Promise<SweepSummary> {
  const { windows, segments = 1 } = options;
  const run = new Sweep(options);
  const [first] = windows;
  if (!first) return run.summary;
  const span = {
    from: new Date(Math.min(...windows.map(({ from }) => from.getTime()))),
    to: new Date(Math.max(...windows.map(({ to }) => to.getTime()))),
  };
  await Promise.all(Array.from({ length: segments }, (_, segment) => run.segment(span, segment, segments)));
  return run.summary;
}

class Sweep {
  readonly #options: SweepOptions;
  readonly summary: SweepSummary;

  constructor(options: SweepOptions) {
    this.#options = options;
    const states = { young: 0, known: 0, dead: 0, untold: 0, old: 0, missing: 0 };
    const outcomes = { emitted: 0, refused: 0, failed: 0 };
    const inWindow = options.windows.map(() => 0);
    this.summary = { scanned: 0, stored: 0, ...states, ...outcomes, inWindow, interrupted: false };
  }

  async segment(span: TimeWindow, segment: number, segments: number): Promise<void> {
    const { outbox, signal, onProgress } = this.#options;
    for await (const { rows, scanned } of outbox.scan(span, segment, segments)) {
      if (signal?.aborted) this.summary.interrupted = true;
      if (signal?.aborted || this.summary.problem !== undefined) return;
      this.summary.scanned += scanned;
      await this.#page(rows);
      const { stored, missing } = this.summary;
      onProgress?.({ scanned: this.summary.scanned, stored, missing });
    }
  }

  async #page(rows: readonly StoredRow[]): Promise<void> {
    const { windows, knownOf, dryRun, emitUntold, onEvent } = this.#options;
    const meant = rows.filter((row) => {
      const within = windows.map(({ from, to }) => from <= row.storedAt && row.storedAt <= to);
      for (const [index, isIn] of within.entries()) if (isIn) this.summary.inWindow[index] = this.#inWindow(index) + 1;
      return within.some(Boolean);
    });
    const known = await knownOf(meant.flatMap(({ eventId }) => eventId ?? []));
    const toEmit = new Map<StoredRow, SweptState>();
    for (const row of meant) {
      const state = this.#stateOf(row, known);
      this.summary.stored += 1;
      this.summary[state] += 1;
      if (state === 'missing' || (state === 'untold' && emitUntold)) toEmit.set(row, state);
      else if (state !== 'known' && state !== 'young') onEvent?.(row, state);
    }
    if (dryRun) for (const [row, state] of toEmit) onEvent?.(row, state);
    else await this.#emit(toEmit);
  }

  #inWindow(index: number): number {
    return this.summary.inWindow[index] ?? 0;
  }

  #stateOf({ eventId, detailType, storedAt, metadata }: StoredRow, known: ReadonlySet<string>): SweptState {
    const { dead, isKept, grace, now } = this.#options;
    if (eventId !== undefined && known.has(eventId)) return 'known';
    if (eventId !== undefined && dead.has(eventId)) return 'dead';
    if (storedAt.getTime() > now.getTime() - grace) return 'young';
    const timestamp = typeof metadata?.timestamp === 'string' ? metadata.timestamp : storedAt.toISOString();
    if (isPastDeduplicationWindow(timestamp, now)) return 'old';
    const ttl = typeof metadata?.ttl === 'number' ? { ttl: metadata.ttl } : {};
    return isKept({ detailType, timestamp: new Date(timestamp), ...ttl }, now) ? 'missing' : 'untold';
  }

  async #emit(rows: ReadonlyMap<StoredRow, SweptState>): Promise<void> {
    const { emit, onEvent, signal } = this.#options;
    const calls = batches([...rows.keys()], {
      maxCount: BATCH,
      maxSize: BATCH_BYTES,
      sizeOf: ({ record }) => Buffer.byteLength(JSON.stringify(record)),
    });
    for (const batch of calls) {
      if (signal?.aborted) this.summary.interrupted = true;
      let outcomes: ReadonlyMap<string, Omit<RelayOutcome, 'eventId'>> = new Map();
      if (!signal?.aborted && this.summary.problem === undefined) {
        try {
          outcomes = new Map(
            (await emit(batch.map(({ record }) => record))).map(({ eventId, ...rest }) => [eventId, rest]),
          );
        } catch (error) {
          this.summary.problem = `the relay did not answer: ${(error as Error).message}`;
        }
      }
      for (const row of batch) {
        const outcome = outcomes.get(row.record.eventID ?? '') ?? { outcome: 'failed' as const };
        this.summary[outcome.outcome] += 1;
        if (outcome.outcome === 'failed')
          this.summary.problem ??= `the bus did not take an event: ${outcome.code ?? 'no answer for it'}`;
        onEvent?.(row, rows.get(row) ?? 'missing', outcome);
      }
    }
  }
}
