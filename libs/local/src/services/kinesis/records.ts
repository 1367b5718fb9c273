import type { Input } from '../../core/access.ts';
import { AwsError } from '../../core/aws-error.ts';
import { millisecondsOf } from '../../core/shapes.ts';
import { invalidArgument, notFound, validation } from './errors.ts';
import type { ReportMetrics } from './metrics.ts';
import { readSequenceNumber, sequenceNumber } from './sequence-number.ts';
import { formatIterator, readIterator } from './shard-iterator.ts';
import { HASH_KEYS, hashKeyOf, openShards, type Shard, type Stream, shardId } from './stream.ts';
import type { StreamDirectory } from './stream-directory.ts';
import type { KeptRecord, NewRecord } from './stream-store.ts';
import type { ShardThrottle } from './throttle.ts';

const MIB = 1024 * 1024;
/** Of one call. https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
const MAX_PUT_BYTES = 10 * MIB;
/** https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html */
const MAX_READ_BYTES = 10 * MIB;
const MAX_READ_RECORDS = 10_000;

export interface RecordsOptions {
  directory: StreamDirectory;
  /** Throughput has no limit without one. */
  throttle: ShardThrottle | undefined;
  report: ReportMetrics;
}

/** Writes records into shards and reads them. */
export class Records {
  readonly #directory: StreamDirectory;
  readonly #throttle: ShardThrottle | undefined;
  readonly #report: ReportMetrics;

  constructor({ directory, throttle, report }: RecordsOptions) {
    this.#directory = directory;
    this.#throttle = throttle;
    this.#report = report;
  }

  /** PutRecord. @throws AwsError ProvisionedThroughputExceededException, InvalidArgumentException … */
  put(input: Input): object {
    const startedAt = performance.now();
    const stream = this.#directory.of(input);
    const shards = openShards(stream);
    this.#checkOrder(stream, input.SequenceNumberForOrdering);
    const record = this.#placed(stream, shards, input);
    const bytes = sizeOf(record);
    if (this.#throttle?.takesRecord(`${stream.name} ${record.shard}`, bytes) === false) {
      this.#report(stream.name, { 'PutRecord.Success': 0, WriteProvisionedThroughputExceeded: 1 });
      throw throughputExceeded(this.#rateExceeded(stream, record.shard));
    }
    const [written] = this.#write(stream, shards, [record]);
    this.#report(stream.name, {
      IncomingBytes: bytes,
      IncomingRecords: 1,
      'PutRecord.Bytes': bytes,
      'PutRecord.Latency': performance.now() - startedAt,
      'PutRecord.Success': 1,
      WriteProvisionedThroughputExceeded: 0,
    });
    return { ...written, ...encryptionOf(stream) };
  }

  /** PutRecords: records that are refused are told one by one. @throws AwsError InvalidArgumentException … */
  putAll(input: Input): object {
    const startedAt = performance.now();
    const stream = this.#directory.of(input);
    const shards = openShards(stream);
    const records = (input.Records as Input[]).map((entry) => this.#placed(stream, shards, entry));
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    if (bytes > MAX_PUT_BYTES) throw invalidArgument(`Records size exceeds ${MAX_PUT_BYTES / MIB} MB limit`);
    const accepted = records.filter(
      (record) => this.#throttle?.takesRecord(`${stream.name} ${record.shard}`, sizeOf(record)) !== false,
    );
    const written = new Map(this.#write(stream, shards, accepted).map((result, index) => [accepted[index], result]));
    const results = records.map(
      (record) =>
        written.get(record) ?? {
          ErrorCode: 'ProvisionedThroughputExceededException',
          ErrorMessage: this.#rateExceeded(stream, record.shard),
        },
    );
    const failed = records.length - accepted.length;
    const acceptedBytes = accepted.reduce((sum, record) => sum + sizeOf(record), 0);
    this.#report(stream.name, {
      IncomingBytes: acceptedBytes,
      IncomingRecords: accepted.length,
      'PutRecords.Bytes': acceptedBytes,
      'PutRecords.Latency': performance.now() - startedAt,
      'PutRecords.Success': accepted.length > 0 ? 1 : 0,
      'PutRecords.TotalRecords': records.length,
      'PutRecords.SuccessfulRecords': accepted.length,
      'PutRecords.FailedRecords': 0,
      'PutRecords.ThrottledRecords': failed,
      WriteProvisionedThroughputExceeded: failed,
    });
    return { FailedRecordCount: failed, Records: results, ...encryptionOf(stream) };
  }

  /** GetShardIterator. @throws AwsError InvalidArgumentException, ResourceNotFoundException */
  iterator(input: Input): object {
    const stream = this.#directory.of(input);
    const shard = this.#shard(stream, String(input.ShardId));
    const position = this.#startOf(stream, shard, input);
    return { ShardIterator: this.#format(stream, shard, position) };
  }

  /** GetRecords. @throws AwsError ExpiredIteratorException, ProvisionedThroughputExceededException … */
  get({ ShardIterator, Limit = MAX_READ_RECORDS, StreamARN }: Input): object {
    const startedAt = performance.now();
    const { now } = this.#directory;
    const iterator = readIterator(String(ShardIterator), now);
    const stream = this.#directory.of({ StreamName: iterator.streamName, StreamARN });
    if (stream.createdAt !== iterator.createdAt) throw invalidArgument('Invalid ShardIterator.');
    const shard = this.#shard(stream, shardId(iterator.shard));
    const throttled = `${stream.name} ${shard.index}`;
    if (this.#throttle?.takesRead(throttled) === false) {
      this.#report(stream.name, { 'GetRecords.Success': 0, ReadProvisionedThroughputExceeded: 1 });
      throw throughputExceeded(this.#rateExceeded(stream, shard.index));
    }
    const records = this.#directory.store.read([stream.name, shard.index], {
      from: iterator.position,
      since: this.#directory.horizon(stream),
      limit: Number(Limit),
      bytes: MAX_READ_BYTES,
    });
    const bytes = records.reduce((sum, { data }) => sum + data.length, 0);
    this.#throttle?.read(throttled, bytes);
    const last = records.at(-1);
    const next = last ? last.position + 1 : iterator.position;
    const end = shard.endPosition ?? this.#directory.store.nextPosition(stream.name, shard.index);
    const behind = last && next < end ? Math.max(0, now - last.arrivedAt) : 0;
    const isOver = shard.endPosition !== undefined && (next >= end || !last);
    this.#report(stream.name, {
      'GetRecords.Bytes': bytes,
      ...(last && { 'GetRecords.IteratorAgeMilliseconds': behind }),
      'GetRecords.Latency': performance.now() - startedAt,
      'GetRecords.Records': records.length,
      'GetRecords.Success': 1,
      ReadProvisionedThroughputExceeded: 0,
    });
    return {
      Records: records.map((record) => describeRecord(stream, shard, record)),
      MillisBehindLatest: behind,
      ...(isOver
        ? { ChildShards: this.#children(stream, shard) }
        : { NextShardIterator: this.#format(stream, shard, next) }),
    };
  }

  #placed(
    { maxRecordKiB }: Stream,
    shards: readonly Shard[],
    { Data, PartitionKey, ExplicitHashKey }: Input,
  ): NewRecord {
    const partitionKey = String(PartitionKey);
    const data = Buffer.from(String(Data), 'base64');
    const hashKey = ExplicitHashKey === undefined ? hashKeyOf(partitionKey) : BigInt(String(ExplicitHashKey));
    if (hashKey >= HASH_KEYS) {
      throw invalidArgument(
        'Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ' +
          `Specified value was ${String(ExplicitHashKey)}`,
      );
    }
    if (sizeOf({ data, partitionKey }) > maxRecordKiB * 1024) {
      throw validation(
        `1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less than ` +
          `or equal to ${maxRecordKiB * 1024}`,
      );
    }
    const shard = shards.find(({ start, end }) => BigInt(start) <= hashKey && hashKey <= BigInt(end));
    return { shard: shard?.index ?? 0, partitionKey, data };
  }

  #write(stream: Stream, shards: readonly Shard[], records: readonly NewRecord[]): object[] {
    const { now, store } = this.#directory;
    if (records.length === 0) return [];
    const positions = store.add(stream.name, records, now);
    this.#directory.changed(stream.name);
    return records.map(({ shard: index }, number) => {
      const shard = shards.find((open) => open.index === index) as Shard;
      return { ShardId: shardId(index), SequenceNumber: sequenceNumber(shard, positions[number] ?? 0, now) };
    });
  }

  /** Records of one shard always have growing numbers here, so that the number of an earlier record only has to be one. */
  #checkOrder({ name }: Stream, earlier: unknown): void {
    if (earlier === undefined || readSequenceNumber(String(earlier))) return;
    throw invalidArgument(
      `ExclusiveMinimumSequenceNumber ${String(earlier)} used in PutRecord on stream ${name} under account ` +
        `${this.#directory.accountId} is invalid.`,
    );
  }

  #startOf(stream: Stream, shard: Shard, { ShardIteratorType, StartingSequenceNumber, Timestamp }: Input): number {
    const { now, store } = this.#directory;
    const type = String(ShardIteratorType);
    const next = shard.endPosition ?? store.nextPosition(stream.name, shard.index);
    if (type === 'AT_TIMESTAMP') {
      const time = millisecondsOf(Timestamp);
      if (time === undefined) {
        throw invalidArgument(
          'Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.',
        );
      }
      if (time > now) {
        throw invalidArgument(
          'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. ' +
            `timestampInMillis: ${time}, currentTimestampInMillis: ${now}`,
        );
      }
      return store.firstPositionAt(stream.name, shard.index, time) ?? next;
    }
    const isNumbered = type.endsWith('SEQUENCE_NUMBER');
    if (isNumbered !== (StartingSequenceNumber !== undefined)) {
      throw invalidArgument(
        'Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) ' +
          `TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified ${type} and ` +
          `${isNumbered ? 'no' : 'also a'} StartingSequenceNumber.`,
      );
    }
    if (!isNumbered) return type === 'LATEST' ? next : 0;
    const position = this.#positionOf(stream, shard, String(StartingSequenceNumber));
    return type === 'AT_SEQUENCE_NUMBER' ? position : position + 1;
  }

  #positionOf({ name }: Stream, shard: Shard, text: string): number {
    const number = readSequenceNumber(text);
    if (number?.index === shard.index && number.second === shard.second) return number.position;
    if (number && number.index !== shard.index) {
      throw invalidArgument(
        `Invalid StartingSequenceNumber. It encodes ${shardId(number.index)}, while it was used in a call to a shard ` +
          `with ${shardId(shard.index)}`,
      );
    }
    throw invalidArgument(
      `StartingSequenceNumber ${text} used in GetShardIterator on shard ${shardId(shard.index)} in stream ${name} under ` +
        `account ${this.#directory.accountId} is invalid${number ? ' because it did not come from this stream' : ''}.`,
    );
  }

  #shard(stream: Stream, id: string): Shard {
    const shard = this.#directory.keptShards(stream).find(({ index }) => shardId(index) === id);
    if (shard) return shard;
    throw notFound(`Shard ${id} in stream ${stream.name} under account ${this.#directory.accountId} does not exist`);
  }

  #children(stream: Stream, { index: parent }: Shard): object[] {
    return stream.shards
      .filter(({ parents }) => parents.includes(parent))
      .map(({ index, parents, start, end }) => ({
        ShardId: shardId(index),
        ParentShards: parents.map(shardId),
        HashKeyRange: { StartingHashKey: start, EndingHashKey: end },
      }));
  }

  #format({ name: streamName, createdAt }: Stream, { index: shard }: Shard, position: number): string {
    return formatIterator({ streamName, createdAt, shard, position }, this.#directory.now);
  }

  #rateExceeded({ name }: Stream, shard: number): string {
    return `Rate exceeded for shard ${shardId(shard)} in stream ${name} under account ${this.#directory.accountId}.`;
  }
}

function describeRecord(stream: Stream, shard: Shard, { position, partitionKey, data, arrivedAt }: KeptRecord): object {
  return {
    SequenceNumber: sequenceNumber(shard, position, arrivedAt),
    ApproximateArrivalTimestamp: arrivedAt / 1000,
    Data: Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64'),
    PartitionKey: partitionKey,
    ...encryptionOf(stream),
  };
}

function encryptionOf({ keyId }: Stream): object {
  return keyId === undefined ? {} : { EncryptionType: 'KMS' };
}

function sizeOf({ data, partitionKey }: Pick<NewRecord, 'data' | 'partitionKey'>): number {
  return data.length + Buffer.byteLength(partitionKey);
}

function throughputExceeded(message: string): AwsError {
  return new AwsError('ProvisionedThroughputExceededException', message);
}
