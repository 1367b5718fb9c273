import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { EventSourceMappingSettings } from './event-source-mapping.ts';
import { fitInvocations } from './fit-invocations.ts';
import { type Checkpoints, ShardCheckpoint } from './shard-checkpoint.ts';
import { ShardWindows } from './shard-windows.ts';
import { processStreamBatch, type StreamBatchContext } from './stream-batch.ts';
import { inBatches, lanesOf, Progress } from './stream-lanes.ts';
import type { SourceRecord, StreamPosition, StreamSource } from './stream-source.ts';
import { type OpenWindow, WINDOW_BYTES } from './tumbling-window.ts';

export const DEFAULT_STREAM_BATCH_SIZE = 100;

/**
 * Lambda reads an idle shard four times a second. Here whoever writes wakes the readers, and only what the database does by
 * itself has to wait so long, such as deleting what has expired.
 */
const LONGEST_REST_MS = 1000;
const SHORTEST_REST_MS = 50;
const RETRY_MS = 1000;
/** Between the starts of two reads: under load, what was written meanwhile makes one larger batch. */
const READ_SPACING_MS = 5;

export interface ShardReaderOptions {
  source: StreamSource;
  shardId: string;
  /** Where to begin without a checkpoint. */
  startingPosition: StreamPosition;
  checkpoints: Checkpoints;
  checkpointKey: string;
  settings: () => EventSourceMappingSettings;
  passes: (record: object) => boolean;
  batch: Pick<
    StreamBatchContext,
    | 'clock'
    | 'functionArn'
    | 'invoke'
    | 'sendToDestination'
    | 'retryDelay'
    | 'failureContext'
    | 'onWarning'
    | 'onIteratorAge'
  >;
}

/** Reads one shard in order and hands batches of its records to the function: one at a time, or one for each part of the keys. */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  #checkpoint!: ShardCheckpoint;
  #windows!: ShardWindows;
  #woken = false;
  #ring: (() => void) | undefined;
  #lastRead = 0;
  /** The stream could not be read the last time. */
  #unreadable = false;

  constructor(options: ShardReaderOptions) {
    this.#options = options;
  }

  get #clock(): Clock {
    return this.#options.batch.clock;
  }

  /** Something may have been written: reads now. */
  wake(): void {
    this.#woken = true;
    this.#ring?.();
  }

  /** Reads until the shard ends (returns true) or the signal aborts (returns false). */
  async run(signal: AbortSignal): Promise<boolean> {
    const { checkpoints, checkpointKey, settings, source, shardId, batch } = this.#options;
    signal.addEventListener('abort', () => this.wake(), { once: true });
    this.#checkpoint = await ShardCheckpoint.load(checkpoints, checkpointKey);
    if (this.#checkpoint.isEnd) return true;
    this.#windows = new ShardWindows(this.#checkpoint, { ...batch, source, shardId, settings });

    let iterator: string | undefined;
    let rest = SHORTEST_REST_MS;
    while (!signal.aborted) {
      try {
        iterator ??= await this.#iterator();
        await this.#space();
        const read = await this.#read(iterator, signal);
        this.#unreadable = false;
        if (read.records.length > 0) {
          await this.#handle(read.records, signal);
          rest = SHORTEST_REST_MS;
        } else {
          await this.#windows.closeDue(read.startedAt, signal);
        }
        if (signal.aborted) return false;
        if (read.next === undefined) {
          await this.#windows.close(signal);
          if (signal.aborted) return false;
          await this.#checkpoint.end();
          return true;
        }
        iterator = read.next;
        if (read.records.length === 0) {
          await this.#rest(rest);
          rest = Math.min(rest * 2, LONGEST_REST_MS);
        }
      } catch (error) {
        iterator = await this.#recover(iterator, error as Error & { code?: string }, signal);
      }
    }
    return false;
  }

  /** @returns the iterator to go on with; undefined for a new one */
  async #recover(
    iterator: string | undefined,
    { code, message }: Error & { code?: string },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { batch, shardId, source } = this.#options;
    if (code === 'ExpiredIteratorException') return undefined;
    let next = iterator;
    if (code === 'TrimmedDataAccessException') {
      batch.onWarning(`Records of ${shardId} were trimmed before they were read`);
      this.#checkpoint.forget();
      next = await this.#iterator({ type: 'TRIM_HORIZON' }).catch(() => undefined);
    } else if (code !== 'ProvisionedThroughputExceededException') {
      if (!this.#unreadable) batch.onWarning(`Cannot read ${source.arn}: ${message}`);
      this.#unreadable = true;
    }
    await this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
    return next;
  }

  #iterator(startingPosition = this.#options.startingPosition): Promise<string> {
    const { source, shardId } = this.#options;
    return source.iterator(shardId, this.#checkpoint.position ?? startingPosition);
  }

  /**
   * Reads once, or, where there is a batching window, until that is over or the batch is full.
   * @returns also when, by the stream's clock, the last read began
   */
  async #read(
    iterator: string,
    signal: AbortSignal,
  ): Promise<{ records: SourceRecord[]; next: string | undefined; startedAt: number }> {
    const { source, shardId } = this.#options;
    const settings = this.#options.settings();
    const { BatchSize = DEFAULT_STREAM_BATCH_SIZE, MaximumBatchingWindowInSeconds = 0 } = settings;
    const wanted = BatchSize * (settings.ParallelizationFactor ?? 1);
    const records: SourceRecord[] = [];
    let next: string | undefined = iterator;
    let deadline: number | undefined;
    let startedAt: number;
    do {
      if (deadline !== undefined) await this.#rest(Math.min(LONGEST_REST_MS, deadline - this.#clock.now()));
      startedAt = source.now();
      const answer = await source.read(shardId, next, wanted - records.length);
      records.push(...answer.records);
      next = answer.next;
      if (records.length > 0) deadline ??= this.#clock.now() + MaximumBatchingWindowInSeconds * 1000;
    } while (
      !signal.aborted &&
      next !== undefined &&
      deadline !== undefined &&
      records.length < wanted &&
      this.#clock.now() < deadline
    );
    return { records, next, startedAt };
  }

  async #handle(read: SourceRecord[], signal: AbortSignal): Promise<void> {
    const { passes } = this.#options;
    const [first, last] = [read[0], read.at(-1)];
    if (this.#checkpoint.isNew && first) await this.#checkpoint.begin(first.sequenceNumber);
    const records = read.filter(({ filterable }) => passes(filterable));
    await this.#windows.each(records, signal, (part, window) => this.#handlePart(part, window, signal));
    if (last && !signal.aborted) await this.#checkpoint.reach(last.sequenceNumber);
  }

  /** Handles records of one window, or all that were read. */
  async #handlePart(records: SourceRecord[], window: OpenWindow | undefined, signal: AbortSignal): Promise<void> {
    const { shardId, settings, source, batch } = this.#options;
    const progress = new Progress(records.map(({ sequenceNumber }) => sequenceNumber));
    const handleLane = async (lane: SourceRecord[]): Promise<void> => {
      let handled = 0;
      const checkpoint = async (sequence: string): Promise<void> => {
        const end = lane.findIndex(({ sequenceNumber }) => sequenceNumber === sequence) + 1;
        const reached = progress.add(lane.slice(handled, end).map(({ sequenceNumber }) => sequenceNumber));
        handled = end;
        if (reached !== undefined) await this.#checkpoint.reach(reached);
      };
      const { BatchSize = DEFAULT_STREAM_BATCH_SIZE } = settings();
      const parts = inBatches(lane, BatchSize).flatMap((part) =>
        fitInvocations(part, ({ event }) => event, window ? WINDOW_BYTES : 0),
      );
      for (const part of parts) {
        if (signal.aborted) return;
        await processStreamBatch(part, { ...batch, settings, source, shardId, window, checkpoint, signal });
        if (window) await this.#windows.limit(signal);
      }
    };
    await Promise.all(lanesOf(records, settings().ParallelizationFactor ?? 1).map(handleLane));
  }

  /** Waits until the last read is long enough ago. */
  async #space(): Promise<void> {
    const wait = this.#lastRead + READ_SPACING_MS - performance.now();
    if (wait > 0) await delay(wait);
    this.#lastRead = performance.now();
  }

  async #rest(ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.setTimer(this.#clock.now() + ms, resolve);
        this.#ring = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#ring = undefined;
    }
    this.#woken = false;
  }
}
