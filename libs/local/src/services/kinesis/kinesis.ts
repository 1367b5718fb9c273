import type { Input } from '../../core/access.ts';
import { expendable } from '../../core/expendable.ts';
import type { Host, Operations } from '../../core/service.ts';
import { Consumers } from './consumers.ts';
import { metricReports } from './metrics.ts';
import { Records } from './records.ts';
import { Resharding } from './resharding.ts';
import { check, inputs, type KinesisOperation } from './shapes.ts';
import { listShards } from './shard-list.ts';
import { StreamDirectory } from './stream-directory.ts';
import { StreamStore } from './stream-store.ts';
import { Streams } from './streams.ts';
import { Tags } from './tags.ts';
import { ShardThrottle } from './throttle.ts';

const HOUR_MS = 3_600_000;

/** Kinesis Data Streams: its operations, and what other services may use of it. */
export class Kinesis {
  readonly streams: Streams;
  readonly #directory: StreamDirectory;
  readonly #operations: Readonly<Record<KinesisOperation, (input: Input) => unknown>>;
  #timer: { cancel: () => void };

  constructor({
    accountId,
    region,
    clock,
    dataDirectory,
    options,
    metric,
    warn,
  }: Pick<Host, 'accountId' | 'region' | 'clock' | 'dataDirectory' | 'options' | 'metric' | 'warn'>) {
    const store = new StreamStore(dataDirectory);
    const directory = new StreamDirectory({ accountId, region, clock, store });
    const throttle = options.faults?.includes('throttling') ? new ShardThrottle(() => clock.now()) : undefined;
    const resharding = new Resharding(directory);
    const streams = new Streams(directory, resharding);
    const records = new Records({ directory, throttle, report: metricReports(metric) });
    this.#directory = directory;
    this.streams = streams;
    this.#operations = operationsOf({ directory, streams, resharding, records });
    const remove = expendable('Expired records stay for another hour', warn, () => directory.expire());
    const expire = (): void => {
      remove();
      this.#timer = clock.setTimer(clock.now() + HOUR_MS, expire);
    };
    this.#timer = clock.setTimer(clock.now(), expire);
  }

  /** The operations, each after a check of its input. */
  get operations(): Operations {
    return Object.fromEntries(
      Object.keys(inputs).map((name) => [name, (input: Input) => this.call(name as KinesisOperation, input)]),
    );
  }

  /**
   * Calls an operation.
   * @throws AwsError
   * @example kinesis.call('PutRecord', { StreamARN, PartitionKey: 'order-1', Data: base64 })
   */
  call(operation: KinesisOperation, input: Input): unknown {
    check(operation, input);
    return this.#operations[operation](input);
  }

  isThere(arn: string): boolean {
    const stream = this.#directory.find(arn.split(':stream/')[1] ?? '');
    return stream !== undefined && arn === this.#directory.arnOf(stream.name);
  }

  /** Calls a listener when a stream has new records or shards. @returns ends it */
  onRecords(streamArn: string, listener: () => void): () => void {
    return this.#directory.listen(streamArn.split(':stream/')[1] ?? '', listener);
  }

  /** The streams with their open shards, for a console. */
  console(): object[] {
    return this.#directory.all().map(({ name, mode, shards, retentionHours }) => ({
      ...{ name, mode, retentionHours },
      openShards: shards.filter(({ closedAt }) => closedAt === undefined).length,
    }));
  }

  close(): void {
    this.#timer.cancel();
    this.#directory.store.close();
  }
}

/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Operations.html */
function operationsOf(parts: {
  directory: StreamDirectory;
  streams: Streams;
  resharding: Resharding;
  records: Records;
}): Readonly<Record<KinesisOperation, (input: Input) => unknown>> {
  const { directory, streams, resharding, records } = parts;
  const consumers = new Consumers(directory);
  const tags = new Tags(directory);
  return {
    AddTagsToStream: (input) => tags.add(input),
    CreateStream: (input) => streams.create(input),
    DecreaseStreamRetentionPeriod: (input) => streams.changeRetention(input, 'decrease'),
    DeleteStream: (input) => streams.delete(input),
    DeregisterStreamConsumer: (input) => consumers.deregister(input),
    DescribeLimits: () => streams.limits(),
    DescribeStream: (input) => streams.describe(input),
    DescribeStreamConsumer: (input) => consumers.describe(input),
    DescribeStreamSummary: (input) => streams.summarize(input),
    DisableEnhancedMonitoring: (input) => streams.monitor(input, false),
    EnableEnhancedMonitoring: (input) => streams.monitor(input, true),
    GetRecords: (input) => records.get(input),
    GetShardIterator: (input) => records.iterator(input),
    IncreaseStreamRetentionPeriod: (input) => streams.changeRetention(input, 'increase'),
    ListShards: (input) => listShards(directory, input),
    ListStreamConsumers: (input) => consumers.list(input),
    ListStreams: (input) => streams.list(input),
    ListTagsForResource: (input) => tags.listOf(input),
    ListTagsForStream: (input) => tags.list(input),
    MergeShards: (input) => resharding.merge(input),
    PutRecord: (input) => records.put(input),
    PutRecords: (input) => records.putAll(input),
    RegisterStreamConsumer: (input) => consumers.register(input),
    RemoveTagsFromStream: (input) => tags.remove(input),
    SplitShard: (input) => resharding.split(input),
    StartStreamEncryption: (input) => streams.encrypt(input, true),
    StopStreamEncryption: (input) => streams.encrypt(input, false),
    TagResource: (input) => tags.tag(input),
    UntagResource: (input) => tags.untag(input),
    UpdateMaxRecordSize: (input) => streams.updateRecordSize(input),
    UpdateShardCount: (input) => resharding.update(input),
    UpdateStreamMode: (input) => streams.updateMode(input),
  };
}
