import { randomUUID } from 'node:crypto';
import { backoffBound } from '@millrace/retry';
import type { Clock } from '../../core/clock.ts';
import { millisecondsOf } from '../../core/shapes.ts';
import { compileFilter } from './event-filter.ts';
import {
  checkSettings,
  type EventSourceMapping,
  type EventSourceMappingConfiguration,
  type EventSourceMappingProperties,
  type EventSourceMappingSettings,
  type Invoke,
} from './event-source-mapping.ts';
import { invalidParameter } from './lambda-errors.ts';
import { MappingSettings } from './mapping-settings.ts';
import type { Checkpoints } from './shard-checkpoint.ts';
import type { StreamBatchContext } from './stream-batch.ts';
import { DEFAULT_STREAM_BATCH_SIZE, ShardReader } from './stream-shard.ts';
import type { SourceShard, StreamPosition, StreamSource } from './stream-source.ts';

export interface StreamMappingOptions {
  clock: Clock;
  uuid?: string;
  properties: EventSourceMappingProperties;
  functionArn: string;
  source: StreamSource;
  invoke: Invoke;
  /** Puts a document about a batch that was given up into the queue or topic of this ARN. Rejects when it could not. */
  sendToDestination: (destinationArn: string, body: string, shardId: string) => Promise<void>;
  /** Kept in memory unless given. */
  checkpoints?: Checkpoints;
  /** Milliseconds before the next try, after so many failures (1, 2, …); doubles from 100 ms to 30 s unless given. */
  retryDelay?: (failures: number) => number;
  /** What the document about a batch that was given up says of its consumer; of the function unless given. */
  failureContext?: StreamBatchContext['failureContext'];
  onWarning?: (message: string) => void;
  /** Is told the age of the last record of each batch that the function is invoked with, in ms. */
  onIteratorAge?: (age: number) => void;
}

/** How often a stream is asked for new shards, in ms; a closed shard's children are looked for at once. */
const DISCOVERY_MS = 10_000;
/** Between attempts of a batch that fails. */
const BACKOFF_MS = { firstBound: 100, longestBound: 30_000 };
/** How long after a stream could not be described, in ms. */
const RETRY_MS = 1000;

/**
 * Reads a stream and invokes a function with batches of its records: in order per shard, a batch that fails holding up its
 * shard, or its part of the keys, until it succeeds or is given up, as an AWS::Lambda::EventSourceMapping does.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 * @throws AwsError InvalidParameterValueException for settings Lambda would refuse
 */
export function startStreamMapping(options: StreamMappingOptions): EventSourceMapping {
  return new StreamMapping(options);
}

class StreamMapping implements EventSourceMapping {
  readonly uuid: string;
  readonly #options: StreamMappingOptions;
  readonly #checkpoints: Checkpoints;
  readonly #startingPosition: StreamPosition;
  readonly #settings: MappingSettings;
  readonly #readers = new Map<string, ShardReader>();
  /** The stream could not be described the last time. */
  #unreadable = false;
  readonly #unsubscribe: (() => void) | undefined;

  constructor(options: StreamMappingOptions) {
    this.#options = options;
    this.uuid = options.uuid ?? randomUUID();
    this.#checkpoints = options.checkpoints ?? memoryCheckpoints();
    this.#startingPosition = startingPositionOf(options);
    this.#settings = new MappingSettings({
      clock: options.clock,
      properties: options.properties,
      compile: (settings) => compile(settings, options.source),
      poll: (signal) => this.#run(signal),
    });
    this.#unsubscribe = options.source.onRecords?.(() => this.wake());
    this.#settings.start();
  }

  configuration(): EventSourceMappingConfiguration {
    const { timestamp } = this.#startingPosition;
    return {
      BatchSize: DEFAULT_STREAM_BATCH_SIZE,
      MaximumBatchingWindowInSeconds: 0,
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: false,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: -1,
      TumblingWindowInSeconds: 0,
      ...this.#settings.configuration(),
      UUID: this.uuid,
      EventSourceArn: this.#options.properties.EventSourceArn,
      FunctionArn: this.#options.functionArn,
      StartingPosition: this.#startingPosition.type,
      ...(timestamp !== undefined && { StartingPositionTimestamp: timestamp / 1000 }),
    };
  }

  update(changes: EventSourceMappingSettings): Promise<void> {
    return this.#settings.change(changes);
  }

  wake(): void {
    for (const reader of this.#readers.values()) reader.wake();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#settings.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const running = new Map<string, Promise<void>>();
    const finished = new Set<string>();
    let positions: ReadonlyMap<string, StreamPosition> | undefined;
    while (!signal.aborted) {
      let pauseMs = DISCOVERY_MS;
      try {
        const shards = await this.#options.source.shards();
        this.#unreadable = false;
        if (shards.length > 0) positions ??= await this.#startingPositions(shards);
        else pauseMs = RETRY_MS;
        const unread = new Set(shards.map(({ id }) => id).filter((id) => !finished.has(id)));
        for (const { id, parents } of shards) {
          if (!unread.has(id) || running.has(id) || parents.some((parent) => unread.has(parent))) continue;
          const reading = this.#read(id, positions?.get(id) ?? FROM_THE_START, signal, finished);
          running.set(
            id,
            reading.finally(() => running.delete(id)),
          );
        }
      } catch (error) {
        pauseMs = RETRY_MS;
        if (!this.#unreadable) {
          this.#warn(`Cannot describe ${this.#options.source.arn}: ${(error as Error).message}`);
        }
        this.#unreadable = true;
      }
      const pause = new AbortController();
      const timer = this.#options.clock.sleep(pauseMs, AbortSignal.any([signal, pause.signal]));
      await Promise.race([timer.catch(() => undefined), ...running.values()]);
      pause.abort();
    }
    await Promise.all(running.values());
  }

  /**
   * Where to begin in the shards that are there at the start. A shard that comes later, or whose parents have been read before, has to be
   * read from its first record: nothing of it may be left out.
   */
  async #startingPositions(shards: readonly SourceShard[]): Promise<ReadonlyMap<string, StreamPosition>> {
    const byId = new Map(shards.map((shard) => [shard.id, shard]));
    const hasHistory = async (id: string): Promise<boolean> => {
      if ((await this.#checkpoints.load(this.#keyOf(id))) !== undefined) return true;
      for (const parent of byId.get(id)?.parents ?? []) if (await hasHistory(parent)) return true;
      return false;
    };
    const positions = new Map<string, StreamPosition>();
    for (const { id } of shards) if (!(await hasHistory(id))) positions.set(id, this.#startingPosition);
    return positions;
  }

  #keyOf(shardId: string): string {
    const { source, properties, functionArn } = this.#options;
    return `${source.arn}/${shardId}/${properties.positionOf ?? functionArn}`;
  }

  async #read(
    shardId: string,
    startingPosition: StreamPosition,
    signal: AbortSignal,
    finished: Set<string>,
  ): Promise<void> {
    const { clock, functionArn, source, invoke, sendToDestination, retryDelay, failureContext, onIteratorAge } =
      this.#options;
    const reader = new ShardReader({
      source,
      shardId,
      startingPosition,
      checkpoints: this.#checkpoints,
      checkpointKey: this.#keyOf(shardId),
      settings: () => this.#settings.current,
      passes: (record) => this.#settings.passes(record),
      batch: {
        clock,
        functionArn,
        invoke,
        sendToDestination,
        retryDelay: retryDelay ?? ((failures) => backoffBound(failures, BACKOFF_MS)),
        failureContext,
        onWarning: (message) => this.#warn(message),
        onIteratorAge,
      },
    });
    this.#readers.set(shardId, reader);
    try {
      if (await reader.run(signal)) finished.add(shardId);
    } catch (error) {
      this.#warn(`Cannot read the checkpoint of ${shardId}: ${(error as Error).message}`);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    } finally {
      this.#readers.delete(shardId);
    }
  }

  #warn(message: string): void {
    this.#options.onWarning?.(message);
  }
}

const FROM_THE_START: StreamPosition = { type: 'TRIM_HORIZON' };

/** @throws AwsError InvalidParameterValueException */
function startingPositionOf({ properties, source }: StreamMappingOptions): StreamPosition {
  const { StartingPosition = '', StartingPositionTimestamp } = properties;
  const { title, startingPositions } = source;
  if (!startingPositions.includes(StartingPosition)) {
    throw invalidParameter(
      `StartingPosition of a ${title} stream must be ${startingPositions.join(' or ')}, not ${properties.StartingPosition}`,
    );
  }
  const type = StartingPosition as StreamPosition['type'];
  const timestamp = millisecondsOf(StartingPositionTimestamp);
  if ((type === 'AT_TIMESTAMP') !== (timestamp !== undefined)) {
    throw invalidParameter(
      'StartingPositionTimestamp must be given for the StartingPosition AT_TIMESTAMP, and only for it',
    );
  }
  return { type, ...(timestamp !== undefined && { timestamp }) };
}

function compile(
  settings: EventSourceMappingSettings,
  { filterData, title }: StreamSource,
): (record: object) => boolean {
  checkSettings(settings, undefined, title);
  return compileFilter(settings.FilterCriteria, filterData);
}

function memoryCheckpoints(): Checkpoints {
  const saved = new Map<string, string>();
  return {
    load: async (key) => saved.get(key),
    save: async (key, value) => void saved.set(key, value),
  };
}
