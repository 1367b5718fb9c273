import type { Input } from '../../core/access.ts';
import { inUse, invalidArgument, limitExceeded, validation } from './errors.ts';
import { firstShards, MAX_SHARDS, type Resharding } from './resharding.ts';
import { SHARD_METRICS } from './shapes.ts';
import { describeShard } from './shard-list.ts';
import { openShards, type Stream, type StreamMode, shardId } from './stream.ts';
import type { StreamDirectory } from './stream-directory.ts';
import { checkTags, tagsOfTemplate } from './tags.ts';

const ON_DEMAND_SHARDS = 4;
/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_IncreaseStreamRetentionPeriod.html */
const RETENTION_HOURS = { minimum: 24, maximum: 8760 };
const DEFAULT_RECORD_KIB = 1024;
const DEFAULT_DESCRIBED = 100;

/** Creates, describes, changes and deletes streams. */
export class Streams {
  readonly #directory: StreamDirectory;
  readonly #resharding: Resharding;

  constructor(directory: StreamDirectory, resharding: Resharding) {
    this.#directory = directory;
    this.#resharding = resharding;
  }

  /** CreateStream. @throws AwsError ResourceInUseException, ValidationException, LimitExceededException */
  create(input: Input): void {
    const name = String(input.StreamName);
    const tags = (input.Tags ?? {}) as Record<string, string>;
    checkTags(name, {}, tags);
    if (this.#directory.find(name)) {
      throw inUse(`Stream ${name} under account ${this.#directory.accountId} already exists.`);
    }
    const mode = modeOf(input) ?? 'PROVISIONED';
    if (mode === 'ON_DEMAND' && input.ShardCount !== undefined) {
      throw validation('ShardCount must not be specified for a stream whose capacity mode is on-demand.');
    }
    if (mode === 'PROVISIONED' && input.ShardCount === undefined) {
      throw validation('ShardCount must be specified for a stream whose capacity mode is provisioned.');
    }
    const count = Number(input.ShardCount ?? ON_DEMAND_SHARDS);
    if (count > MAX_SHARDS) throw limitExceeded(`A stream has at most ${MAX_SHARDS} open shards.`);
    const { now } = this.#directory;
    this.#directory.save({
      ...{ name, mode, tags },
      createdAt: now,
      retentionHours: RETENTION_HOURS.minimum,
      maxRecordKiB: Number(input.MaxRecordSizeInKiB ?? DEFAULT_RECORD_KIB),
      shardMetrics: [],
      shards: firstShards(count, now),
      consumers: [],
      isDeclared: false,
    });
  }

  /**
   * Makes a stream as a template has it; one that is there keeps its records.
   * @throws AwsError
   */
  declare(name: string, properties: Input): void {
    const { StreamEncryption, DesiredShardLevelMetrics, Tags } = properties;
    const retentionHours = Number(properties.RetentionPeriodHours ?? RETENTION_HOURS.minimum);
    checkRetention(retentionHours);
    const mode = modeOf(properties) ?? 'PROVISIONED';
    const count = properties.ShardCount === undefined ? undefined : Number(properties.ShardCount);
    if (!this.#directory.find(name)) {
      const ShardCount = count ?? (mode === 'PROVISIONED' ? 1 : undefined);
      this.create({ StreamName: name, StreamModeDetails: { StreamMode: mode }, ShardCount });
    }
    const stream = this.#directory.named(name);
    if (mode === 'PROVISIONED' && count !== undefined && openShards(stream).length !== count) {
      this.#resharding.scale(stream, count);
    }
    const { keyId: _key, ...rest } = this.#directory.named(name);
    const keyId = (StreamEncryption as Input | undefined)?.KeyId;
    this.#directory.save({
      ...rest,
      ...{ mode, retentionHours },
      ...(keyId !== undefined && { keyId: String(keyId) }),
      maxRecordKiB: Number(properties.MaxRecordSizeInKiB ?? DEFAULT_RECORD_KIB),
      shardMetrics: ((DesiredShardLevelMetrics ?? []) as string[]).map(String),
      tags: tagsOfTemplate(Tags),
      isDeclared: true,
    });
  }

  /** Removes streams of an earlier start that no template has any more. */
  keep(declared: ReadonlySet<string>): void {
    for (const stream of this.#directory.all()) {
      if (stream.isDeclared && !declared.has(stream.name)) this.#directory.delete(stream);
    }
  }

  /** DeleteStream. @throws AwsError ResourceNotFoundException, ResourceInUseException */
  delete(input: Input): void {
    const stream = this.#directory.of(input);
    if (stream.consumers.length > 0 && input.EnforceConsumerDeletion !== true) {
      throw inUse(
        `Stream ${stream.name} under account ${this.#directory.accountId} has consumers registered. ` +
          'Deregister the consumers first or set EnforceConsumerDeletion.',
      );
    }
    this.#directory.delete(stream);
  }

  /** DescribeStream. @throws AwsError ResourceNotFoundException */
  describe(input: Input): object {
    const stream = this.#directory.of(input);
    const { ExclusiveStartShardId: after, Limit } = input;
    const shards = this.#directory
      .keptShards(stream)
      .filter(({ index }) => after === undefined || shardId(index) > String(after));
    const page = shards.slice(0, Math.min(Number(Limit ?? DEFAULT_DESCRIBED), DEFAULT_DESCRIBED));
    return {
      StreamDescription: {
        ...this.#description(stream),
        Shards: page.map(describeShard),
        HasMoreShards: page.length < shards.length,
      },
    };
  }

  /** DescribeStreamSummary. @throws AwsError ResourceNotFoundException */
  summarize(input: Input): object {
    const stream = this.#directory.of(input);
    return {
      StreamDescriptionSummary: {
        ...this.#description(stream),
        OpenShardCount: openShards(stream).length,
        ConsumerCount: stream.consumers.length,
        MaxRecordSizeInKiB: stream.maxRecordKiB,
      },
    };
  }

  /** ListStreams. */
  list({ ExclusiveStartStreamName, NextToken, Limit }: Input): object {
    const given = NextToken === undefined ? undefined : Buffer.from(String(NextToken), 'base64').toString();
    const after = given ?? ExclusiveStartStreamName;
    const streams = this.#directory.all().filter(({ name }) => after === undefined || name > String(after));
    const page = streams.slice(0, Number(Limit ?? DEFAULT_DESCRIBED));
    const last = page.at(-1);
    const HasMoreStreams = page.length < streams.length;
    return {
      StreamNames: page.map(({ name }) => name),
      StreamSummaries: page.map(({ name, mode, createdAt }) => ({
        StreamName: name,
        StreamARN: this.#directory.arnOf(name),
        StreamStatus: 'ACTIVE',
        StreamModeDetails: { StreamMode: mode },
        StreamCreationTimestamp: createdAt / 1000,
      })),
      HasMoreStreams,
      ...(HasMoreStreams && last && { NextToken: Buffer.from(last.name).toString('base64') }),
    };
  }

  /** DescribeLimits. */
  limits(): object {
    const streams = this.#directory.all();
    const onDemand = streams.filter(({ mode }) => mode === 'ON_DEMAND').length;
    return {
      ShardLimit: MAX_SHARDS,
      OpenShardCount: streams.reduce((sum, stream) => sum + openShards(stream).length, 0),
      OnDemandStreamCount: onDemand,
      OnDemandStreamCountLimit: 50,
    };
  }

  /** IncreaseStreamRetentionPeriod and DecreaseStreamRetentionPeriod. @throws AwsError InvalidArgumentException */
  changeRetention(input: Input, direction: 'increase' | 'decrease'): void {
    const stream = this.#directory.of(input);
    const hours = Number(input.RetentionPeriodHours);
    checkRetention(hours);
    const isWrong = direction === 'increase' ? hours < stream.retentionHours : hours > stream.retentionHours;
    if (isWrong) {
      const comparison = direction === 'increase' ? 'shorter' : 'longer';
      throw invalidArgument(
        `Requested retention period (${hours} hours) for stream ${stream.name} can not be ${comparison} than existing ` +
          `retention period (${stream.retentionHours} hours). Use ${direction === 'increase' ? 'Decrease' : 'Increase'}RetentionPeriod API.`,
      );
    }
    this.#directory.save({ ...stream, retentionHours: hours });
  }

  /** StartStreamEncryption and StopStreamEncryption. @throws AwsError ResourceNotFoundException, ValidationException */
  encrypt(input: Input, isEncrypted: boolean): void {
    const { keyId: _key, ...stream } = this.#directory.of(input);
    if (input.EncryptionType !== 'KMS') throw validation('EncryptionType must be KMS.');
    this.#directory.save({ ...stream, ...(isEncrypted && { keyId: String(input.KeyId) }) });
  }

  /** UpdateStreamMode. @throws AwsError ResourceNotFoundException */
  updateMode(input: Input): void {
    const stream = this.#directory.of(input);
    this.#directory.save({ ...stream, mode: modeOf(input) ?? stream.mode });
  }

  /** UpdateMaxRecordSize. @throws AwsError ResourceNotFoundException */
  updateRecordSize(input: Input): void {
    this.#directory.save({ ...this.#directory.of(input), maxRecordKiB: Number(input.MaxRecordSizeInKiB) });
  }

  /** EnableEnhancedMonitoring and DisableEnhancedMonitoring. @throws AwsError ResourceNotFoundException */
  monitor(input: Input, isEnabled: boolean): object {
    const stream = this.#directory.of(input);
    const given = input.ShardLevelMetrics as string[];
    const chosen = given.includes('ALL') ? SHARD_METRICS : given;
    const before = stream.shardMetrics;
    const others = before.filter((metric) => !chosen.includes(metric));
    const after = isEnabled ? [...others, ...chosen] : others;
    this.#directory.save({ ...stream, shardMetrics: after });
    return {
      StreamName: stream.name,
      StreamARN: this.#directory.arnOf(stream.name),
      CurrentShardLevelMetrics: before,
      DesiredShardLevelMetrics: after,
    };
  }

  #description({ name, mode, retentionHours, createdAt, shardMetrics, keyId }: Stream): object {
    return {
      StreamName: name,
      StreamARN: this.#directory.arnOf(name),
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: mode },
      RetentionPeriodHours: retentionHours,
      StreamCreationTimestamp: createdAt / 1000,
      EnhancedMonitoring: [{ ShardLevelMetrics: shardMetrics }],
      EncryptionType: keyId === undefined ? 'NONE' : 'KMS',
      ...(keyId !== undefined && { KeyId: keyId }),
    };
  }
}

function modeOf({ StreamModeDetails }: Input): StreamMode | undefined {
  return (StreamModeDetails as { StreamMode?: StreamMode } | undefined)?.StreamMode;
}

function checkRetention(hours: number): void {
  const { minimum, maximum } = RETENTION_HOURS;
  if (hours < minimum)
    throw invalidArgument(
      `Minimum allowed retention period is ${minimum} hours. Requested retention period (${hours} hours) is too short.`,
    );
  if (hours > maximum)
    throw invalidArgument(
      `Maximum allowed retention period is ${maximum} hours. Requested retention period (${hours} hours) is too long.`,
    );
}
