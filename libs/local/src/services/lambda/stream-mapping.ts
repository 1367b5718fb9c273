import { randomUUID } from 'node:crypto';
import { backoffBound } from '@millrace/retry';
import type { Clock } from '../../core/clock.ts';
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
import type { StreamBatchContext } from './stream-batch.ts';
import { type Checkpoints, DEFAULT_STREAM_BATCH_SIZE, ShardReader, type StreamsCall } from './stream-shard.ts';

export interface StreamMappingOptions {
  clock: Clock;
  uuid?: string;
  properties: EventSourceMappingProperties;
  functionArn: string;
  call: StreamsCall;
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
  /** Has a listener called when the stream may have new records. @returns ends it; without this, idle shards are read once a second */
  onRecords?: (listener: () => void) => () => void;
  /** Is told the age of the last record of each batch that the function is invoked with, in ms. */
  onIteratorAge?: (age: number) => void;
}

interface Shard {
  ShardId: string;
  ParentShardId?: string;
}

/** How often a stream is asked for new shards, in ms; a closed shard's children are looked for at once. */
const DISCOVERY_MS = 10_000;
/** Between attempts of a batch that fails. */
const BACKOFF_MS = { firstBound: 100, longestBound: 30_000 };
/** How long after a stream could not be described, in ms. */
const RETRY_MS = 1000;

/**
 * Reads a DynamoDB stream and invokes a function with batches of its records: in order per shard, a batch that fails holding up its
 * shard, or its part of the keys, until it succeeds or is given up, as an AWS::Lambda::EventSourceMapping does.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
 * @throws AwsError InvalidParameterValueException for settings Lambda would refuse
 */
export function startStreamMapping(options: StreamMappingOptions): EventSourceMapping {
  return new StreamMapping(options);
}

class StreamMapping implements EventSourceMapping {
  readonly uuid: string;
  readonly #options: StreamMappingOptions;
  readonly #checkpoints: Checkpoints;
  readonly #startingPosition: string;
  readonly #settings: MappingSettings;
  readonly #readers = new Map<string, ShardReader>();
  /** The stream could not be described the last time. */
  #unreadable = false;
  readonly #unsubscribe: (() => void) | undefined;

  constructor(options: StreamMappingOptions) {
    this.#options = options;
    this.uuid = options.uuid ?? randomUUID();
    this.#checkpoints = options.checkpoints ?? memoryCheckpoints();
    const { StartingPosition } = options.properties;
    if (StartingPosition !== 'TRIM_HORIZON' && StartingPosition !== 'LATEST') {
      throw invalidParameter(
        `StartingPosition of a DynamoDB stream must be TRIM_HORIZON or LATEST, not ${StartingPosition}`,
      );
    }
    this.#startingPosition = StartingPosition;
    this.#settings = new MappingSettings({
      clock: options.clock,
      properties: options.properties,
      compile,
      poll: (signal) => this.#run(signal),
    });
    this.#unsubscribe = options.onRecords?.(() => this.wake());
    this.#settings.start();
  }

  configuration(): EventSourceMappingConfiguration {
    return {
      BatchSize: DEFAULT_STREAM_BATCH_SIZE,
      MaximumBatchingWindowInSeconds: 0,
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: false,
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: -1,
      ...this.#settings.configuration(),
      UUID: this.uuid,
      EventSourceArn: this.#options.properties.EventSourceArn,
      FunctionArn: this.#options.functionArn,
      StartingPosition: this.#startingPosition,
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
    // A shard that appears later is the child of one that was read to its end: nothing of it may be skipped.
    let startingPosition = this.#startingPosition;
    while (!signal.aborted) {
      let pauseMs = DISCOVERY_MS;
      try {
        const shards = await this.#shards();
        this.#unreadable = false;
        const unread = new Set(shards.map(({ ShardId }) => ShardId).filter((id) => !finished.has(id)));
        for (const { ShardId, ParentShardId } of shards) {
          if (!unread.has(ShardId) || running.has(ShardId)) continue;
          if (ParentShardId !== undefined && unread.has(ParentShardId)) continue;
          running.set(
            ShardId,
            this.#read(ShardId, startingPosition, signal, finished).finally(() => running.delete(ShardId)),
          );
        }
        if (shards.length > 0) startingPosition = 'TRIM_HORIZON';
        else pauseMs = RETRY_MS;
      } catch (error) {
        pauseMs = RETRY_MS;
        if (!this.#unreadable) {
          this.#warn(`Cannot describe ${this.#options.properties.EventSourceArn}: ${(error as Error).message}`);
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

  async #read(shardId: string, startingPosition: string, signal: AbortSignal, finished: Set<string>): Promise<void> {
    const {
      clock,
      properties,
      functionArn,
      call,
      invoke,
      sendToDestination,
      retryDelay,
      failureContext,
      onIteratorAge,
    } = this.#options;
    const streamArn = properties.EventSourceArn;
    const reader = new ShardReader({
      call,
      streamArn,
      shardId,
      startingPosition,
      region: functionArn.split(':')[3] ?? '',
      checkpoints: this.#checkpoints,
      checkpointKey: `${streamArn}/${shardId}/${properties.positionOf ?? functionArn}`,
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

  async #shards(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let last: string | undefined;
    do {
      const { StreamDescription } = await this.#options.call('DescribeStream', {
        StreamArn: this.#options.properties.EventSourceArn,
        ...(last === undefined ? {} : { ExclusiveStartShardId: last }),
      });
      const page = StreamDescription as { Shards?: Shard[]; LastEvaluatedShardId?: string };
      shards.push(...(page.Shards ?? []));
      last = page.LastEvaluatedShardId;
    } while (last !== undefined);
    return shards;
  }

  #warn(message: string): void {
    this.#options.onWarning?.(message);
  }
}

function compile(settings: EventSourceMappingSettings): (record: object) => boolean {
  checkSettings(settings);
  return compileFilter(settings.FilterCriteria);
}

function memoryCheckpoints(): Checkpoints {
  const saved = new Map<string, string>();
  return {
    load: async (key) => saved.get(key),
    save: async (key, value) => void saved.set(key, value),
  };
}
