import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { EventSourceMappingSettings } from './event-source-mapping.ts';
import { fitInvocations } from './fit-invocations.ts';
import { processStreamBatch, type StreamBatchContext, type StreamRecord } from './stream-batch.ts';
import { inBatches, lanesOf, Progress } from './stream-lanes.ts';

/** Calls an operation of the DynamoDB Streams API: `call('GetRecords', { ShardIterator })`. Rejects with an error that has a `code`. */
export type StreamsCall = (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Where the sequence number that a shard has been handled up to is kept. */
export interface Checkpoints {
  load(key: string): Promise<string | undefined>;
  save(key: string, value: string): Promise<void>;
}

/** The checkpoint of a closed shard that has been read to its end. */
export const SHARD_END = 'SHARD_END';
/** Prefix of a checkpoint before the first record ever read, which LATEST would not find again. */
const BEFORE = 'BEFORE:';
export const DEFAULT_STREAM_BATCH_SIZE = 100;

/** The API's own limit of one read. */
const MAX_RECORDS = 1000;
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
  call: StreamsCall;
  streamArn: string;
  shardId: string;
  /** Where to begin without a checkpoint. */
  startingPosition: string;
  region: string;
  checkpoints: Checkpoints;
  checkpointKey: string;
  settings: () => EventSourceMappingSettings;
  passes: (record: object) => boolean;
  batch: Pick<
    StreamBatchContext,
    | ('clock' | 'functionArn' | 'invoke' | 'sendToDestination' | 'retryDelay')
    | ('failureContext' | 'onWarning' | 'onIteratorAge')
  >;
}

/** Reads one shard in order and hands batches of its records to the function: one at a time, or one for each part of the keys. */
export class ShardReader {
  readonly #options: ShardReaderOptions;
  #checkpoint: string | undefined;
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
    const { checkpoints, checkpointKey, batch } = this.#options;
    signal.addEventListener('abort', () => this.wake(), { once: true });
    this.#checkpoint = await checkpoints.load(checkpointKey);
    if (this.#checkpoint === SHARD_END) return true;

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
        }
        if (signal.aborted) return false;
        if (read.next === undefined) {
          await checkpoints.save(checkpointKey, SHARD_END);
          return true;
        }
        iterator = read.next;
        if (read.records.length === 0) {
          await this.#rest(rest);
          rest = Math.min(rest * 2, LONGEST_REST_MS);
        }
      } catch (error) {
        const { code, message } = error as Error & { code?: string };
        if (code === 'ExpiredIteratorException') {
          iterator = undefined;
        } else if (code === 'TrimmedDataAccessException') {
          batch.onWarning(`Records of ${this.#options.shardId} were trimmed before they were read`);
          this.#checkpoint = undefined;
          iterator = await this.#iterator('TRIM_HORIZON').catch(() => undefined);
        } else {
          if (!this.#unreadable) batch.onWarning(`Cannot read ${this.#options.streamArn}: ${message}`);
          this.#unreadable = true;
        }
        if (code !== 'ExpiredIteratorException') await this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
      }
    }
    return false;
  }

  async #iterator(startingPosition = this.#options.startingPosition): Promise<string> {
    const { call, streamArn, shardId } = this.#options;
    const { ShardIterator } = await call('GetShardIterator', {
      StreamArn: streamArn,
      ShardId: shardId,
      ...this.#position(startingPosition),
    });
    return String(ShardIterator);
  }

  #position(startingPosition: string): { ShardIteratorType: string; SequenceNumber?: string } {
    const checkpoint = this.#checkpoint;
    if (checkpoint === undefined) return { ShardIteratorType: startingPosition };
    return checkpoint.startsWith(BEFORE)
      ? { ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: checkpoint.slice(BEFORE.length) }
      : { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: checkpoint };
  }

  /** Reads once, or, where there is a batching window, until that is over or the batch is full. */
  async #read(iterator: string, signal: AbortSignal): Promise<{ records: StreamRecord[]; next: string | undefined }> {
    const settings = this.#options.settings();
    const { BatchSize = DEFAULT_STREAM_BATCH_SIZE, MaximumBatchingWindowInSeconds = 0 } = settings;
    const wanted = BatchSize * (settings.ParallelizationFactor ?? 1);
    const records: StreamRecord[] = [];
    let next: string | undefined = iterator;
    let deadline: number | undefined;
    do {
      if (deadline !== undefined) await this.#rest(Math.min(LONGEST_REST_MS, deadline - this.#clock.now()));
      const answer = await this.#options.call('GetRecords', {
        ShardIterator: next,
        Limit: Math.min(wanted - records.length, MAX_RECORDS),
      });
      records.push(...((answer.Records ?? []) as StreamRecord[]));
      next = answer.NextShardIterator as string | undefined;
      if (records.length > 0) deadline ??= this.#clock.now() + MaximumBatchingWindowInSeconds * 1000;
    } while (
      !signal.aborted &&
      next !== undefined &&
      deadline !== undefined &&
      records.length < wanted &&
      this.#clock.now() < deadline
    );
    return { records, next };
  }

  async #handle(read: StreamRecord[], signal: AbortSignal): Promise<void> {
    const { streamArn, shardId, region, settings, passes, batch } = this.#options;
    const records = read
      .map((record) => ({ ...record, awsRegion: region, eventSourceARN: streamArn }))
      .filter((record) => passes(record));
    if (this.#checkpoint === undefined && read[0]) await this.#save(BEFORE + read[0].dynamodb.SequenceNumber);
    const progress = new Progress(records.map(numberOf));
    const handleLane = async (lane: StreamRecord[]): Promise<void> => {
      let handled = 0;
      const checkpoint = async (sequenceNumber: string): Promise<void> => {
        const end = lane.findIndex((record) => numberOf(record) === sequenceNumber) + 1;
        const reached = progress.add(lane.slice(handled, end).map(numberOf));
        handled = end;
        if (reached !== undefined && reached !== this.#checkpoint) await this.#save(reached);
      };
      const { BatchSize = DEFAULT_STREAM_BATCH_SIZE } = settings();
      for (const part of inBatches(lane, BatchSize).flatMap(fitInvocations)) {
        if (signal.aborted) return;
        await processStreamBatch(part, { ...batch, settings, streamArn, shardId, checkpoint, signal });
      }
    };
    await Promise.all(lanesOf(records, settings().ParallelizationFactor ?? 1).map(handleLane));
    const last = read.at(-1)?.dynamodb.SequenceNumber;
    if (last !== undefined && last !== this.#checkpoint && !signal.aborted) await this.#save(last);
  }

  async #save(sequenceNumber: string): Promise<void> {
    this.#checkpoint = sequenceNumber;
    await this.#options.checkpoints.save(this.#options.checkpointKey, sequenceNumber);
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

function numberOf({ dynamodb }: StreamRecord): string {
  return dynamodb.SequenceNumber;
}
