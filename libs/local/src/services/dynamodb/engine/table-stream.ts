import { equalItems, type Item, itemSize } from './attribute-value.ts';
import { DynamoDbError, resourceNotFound, validationError } from './dynamodb-error.ts';
import type { Journal } from './journal.ts';
import { formatIterator, type IteratorPosition } from './shard-iterator.ts';
import { numberOf, openShard, SHARD_MS, type Shard, sequenceNumber } from './stream-shards.ts';

export type StreamViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** A record of a table's stream, as GetRecords answers it. */
export interface StreamRecord {
  eventID: string;
  eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  eventVersion: '1.1';
  eventSource: 'aws:dynamodb';
  awsRegion: string;
  dynamodb: {
    /** Seconds since 1970. */
    ApproximateCreationDateTime: number;
    Keys: Item;
    NewImage?: Item;
    OldImage?: Item;
    SequenceNumber: string;
    SizeBytes: number;
    StreamViewType: StreamViewType;
  };
  /** Of what Time to Live removed. */
  userIdentity?: { Type: 'Service'; PrincipalId: 'dynamodb.amazonaws.com' };
}

/** A write to an item: without `before` an insert, without `after` a removal. */
export interface ItemChange {
  keys: Item;
  before: Item | undefined;
  after: Item | undefined;
  /** Removed by Time to Live. */
  expired?: boolean;
}

/** What of a stream is kept beside its records. */
export interface StreamState {
  arn: string;
  label: string;
  viewType: StreamViewType;
  tableName: string;
  keySchema: readonly { AttributeName: string; KeyType: string }[];
  createdAt: number;
  disabledAt?: number;
  /** The oldest first; the last one is open unless the stream is disabled. */
  shards: Shard[];
}

export interface StreamEnvironment {
  region: string;
  now: () => number;
  journal: Journal;
  /** Called with the stream's ARN for each record. */
  onRecord: (streamArn: string) => void;
}

/** DynamoDB forgets a record after a day. */
export const KEEP_MS = 24 * 60 * 60 * 1000;
/** Records are in memory, so there is a bound to them: at 2,000 records a second a day would be 170 million. */
const MAX_KEPT = 100_000;
/** So many are let go at once, since taking them off one by one would take the square of their number. */
const LET_GO = 10_000;
const MAX_RECORDS = 1000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_DESCRIBED_SHARDS = 100;

/**
 * The stream of a table. It has one open shard: records come in the order of the writes, also across partitions.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
export class TableStream {
  readonly #environment: StreamEnvironment;
  #records: StreamRecord[] = [];
  readonly #listeners = new Set<(record: StreamRecord) => void>();
  /** Number of the first record that is kept. */
  #first = 0;
  #state: StreamState;

  /** @param state of a stream that has been there before */
  constructor(state: StreamState, environment: StreamEnvironment) {
    this.#environment = environment;
    this.#state = state;
    const records = [...environment.journal.load(this.#collection)];
    this.#first = numberOf(records[0]?.key) ?? this.#openShard?.first ?? 0;
    for (const { value } of records) this.#records.push(value as StreamRecord);
  }

  /** A new stream. */
  static create(
    options: Pick<StreamState, 'tableName' | 'keySchema' | 'viewType'> & { tableArn: string },
    environment: StreamEnvironment,
    isTaken: (arn: string) => boolean,
  ): TableStream {
    const { tableArn, tableName, keySchema, viewType } = options;
    let createdAt = environment.now();
    const labelOf = (time: number): string => new Date(time).toISOString().replace('Z', '');
    // Its label tells a stream from an earlier one of the same table.
    while (isTaken(`${tableArn}/stream/${labelOf(createdAt)}`)) createdAt += 1;
    const label = labelOf(createdAt);
    const arn = `${tableArn}/stream/${label}`;
    const shards = [openShard(arn, 0, createdAt)];
    return new TableStream({ arn, label, viewType, tableName, keySchema, createdAt, shards }, environment);
  }

  get arn(): string {
    return this.#state.arn;
  }

  get label(): string {
    return this.#state.label;
  }

  get viewType(): StreamViewType {
    return this.#state.viewType;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** A disabled stream can be read until its last record is a day old. */
  get isGone(): boolean {
    const { disabledAt } = this.#state;
    return disabledAt !== undefined && disabledAt < this.#environment.now() - KEEP_MS;
  }

  /** Adds a record, unless the write changed nothing. */
  add({ keys, before, after, expired = false }: ItemChange): void {
    if (before && after ? equalItems(before, after) : !before && !after) return;
    this.#turnOver();
    const number = this.#end;
    const { viewType } = this;
    const sequence = sequenceNumber(number);
    const record: StreamRecord = {
      eventID: `${this.label}${sequence}`.replace(/\D/g, '').padStart(32, '0').slice(-32),
      eventName: !before ? 'INSERT' : after ? 'MODIFY' : 'REMOVE',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.#environment.region,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.#environment.now() / 1000),
        Keys: keys,
        ...(after && viewType.startsWith('NEW') && { NewImage: after }),
        ...(before && viewType.includes('OLD') && { OldImage: before }),
        SequenceNumber: sequence,
        SizeBytes: itemSize(keys) + (after ? itemSize(after) : 0) + (before ? itemSize(before) : 0),
        StreamViewType: viewType,
      },
      ...(expired && { userIdentity: { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' } }),
    };
    this.#records.push(record);
    this.#environment.journal.put(this.#collection, sequence, record, () => this.#records.pop());
    if (this.#records.length > MAX_KEPT + LET_GO) this.#letGo(LET_GO);
    this.#environment.onRecord(this.arn);
    for (const listener of this.#listeners) listener(record);
  }

  /** Calls `listener` for each record from now on. @returns ends it */
  subscribe(listener: (record: StreamRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the stream: it is switched off, or its table is deleted. */
  disable(): void {
    const now = this.#environment.now();
    this.#change({ ...this.#state, disabledAt: now, shards: this.#closed(now) });
  }

  /** Forgets the stream with its records. */
  drop(): void {
    this.#environment.journal.drop(this.#collection, () => undefined);
  }

  /** DescribeStream. */
  describe({ Limit, ExclusiveStartShardId }: { Limit?: number; ExclusiveStartShardId?: string }): object {
    this.#turnOver();
    this.#trim();
    const { label, viewType, tableName, keySchema, createdAt, disabledAt, shards } = this.#state;
    const start = ExclusiveStartShardId ? shards.findIndex(({ id }) => id === ExclusiveStartShardId) + 1 : 0;
    const page = shards.slice(start, start + Math.min(Limit ?? MAX_DESCRIBED_SHARDS, MAX_DESCRIBED_SHARDS));
    return {
      StreamArn: this.arn,
      StreamLabel: label,
      StreamStatus: disabledAt === undefined ? 'ENABLED' : 'DISABLED',
      StreamViewType: viewType,
      CreationRequestDateTime: createdAt / 1000,
      TableName: tableName,
      KeySchema: keySchema,
      Shards: page.map(({ id, parentId, first, last }) => ({
        ShardId: id,
        SequenceNumberRange: {
          StartingSequenceNumber: sequenceNumber(first),
          ...(last !== undefined && { EndingSequenceNumber: sequenceNumber(Math.max(first, last)) }),
        },
        ...(parentId && { ParentShardId: parentId }),
      })),
      ...(start + page.length < shards.length && { LastEvaluatedShardId: page.at(-1)?.id }),
    };
  }

  /** GetShardIterator. @throws DynamoDbError */
  iterator({ ShardId, ShardIteratorType: type, SequenceNumber }: Record<string, unknown>): string {
    this.#turnOver();
    this.#trim();
    const shard = this.#state.shards.find(({ id }) => id === ShardId);
    if (!shard) {
      throw resourceNotFound(`Shard: ${ShardId} in Stream: ${this.arn} not found`);
    }
    switch (type) {
      case 'TRIM_HORIZON':
        return this.#iteratorAt(shard, Math.max(shard.first, this.#first));
      case 'LATEST':
        return this.#iteratorAt(shard, (shard.last ?? this.#end - 1) + 1);
      default: {
        if (SequenceNumber === undefined) {
          throw validationError(
            'The parameter SequenceNumber must be specified for ShardIteratorType AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER',
          );
        }
        const number = numberOf(SequenceNumber);
        if (number === undefined || number < shard.first || number > (shard.last ?? this.#end)) {
          throw validationError(`Invalid SequenceNumber ${SequenceNumber} for shard ${shard.id}`);
        }
        const position = number + (type === 'AFTER_SEQUENCE_NUMBER' ? 1 : 0);
        if (position < this.#first) throw trimmedError();
        return this.#iteratorAt(shard, position);
      }
    }
  }

  /** GetRecords. @throws DynamoDbError TrimmedDataAccessException for records that are older than a day */
  records(
    { shardId, position }: IteratorPosition,
    limit = MAX_RECORDS,
  ): { Records: StreamRecord[]; NextShardIterator?: string } {
    this.#turnOver();
    this.#trim();
    const shard = this.#state.shards.find(({ id }) => id === shardId);
    if (!shard || position < this.#first) throw trimmedError();
    const start = position - this.#first;
    const end = shard.last === undefined ? this.#records.length : shard.last + 1 - this.#first;
    const Records: StreamRecord[] = [];
    let bytes = 0;
    for (let index = start; index < end && Records.length < Math.min(limit, MAX_RECORDS); index += 1) {
      const record = this.#records[index] as StreamRecord;
      bytes += record.dynamodb.SizeBytes;
      if (Records.length > 0 && bytes > MAX_ANSWER_BYTES) break;
      Records.push(record);
    }
    const next = position + Records.length;
    // A closed shard that has been read to its end has no further iterator.
    if (shard.last !== undefined && next > shard.last) return { Records };
    return { Records, NextShardIterator: this.#iteratorAt(shard, next) };
  }

  get #collection(): string {
    return `records ${this.#state.arn}`;
  }

  get #openShard(): Shard | undefined {
    const shard = this.#state.shards.at(-1);
    return shard?.last === undefined ? shard : undefined;
  }

  /** Number of the record that comes next. */
  get #end(): number {
    return this.#first + this.#records.length;
  }

  #iteratorAt(shard: Shard, position: number): string {
    return formatIterator(this.arn, { shardId: shard.id, position, madeAt: this.#environment.now() });
  }

  /** Closes the open shard when it is old, and opens the next one. A shard without records goes on. */
  #turnOver(): void {
    const now = this.#environment.now();
    const open = this.#openShard;
    if (!open || open.openedAt > now - SHARD_MS || open.first === this.#end) return;
    this.#change({ ...this.#state, shards: [...this.#closed(now), openShard(this.arn, this.#end, now, open)] });
    // A stream without readers has to be trimmed as well.
    this.#trim();
  }

  #closed(now: number): Shard[] {
    return this.#state.shards.map((shard) =>
      shard.last === undefined ? { ...shard, last: this.#end - 1, closedAt: now } : shard,
    );
  }

  #change(state: StreamState): void {
    const before = this.#state;
    this.#state = state;
    this.#environment.journal.put('streams', this.arn, state, () => {
      this.#state = before;
    });
  }

  #trim(): void {
    const oldest = this.#environment.now() - KEEP_MS;
    let trimmed = 0;
    for (const { dynamodb } of this.#records) {
      if (dynamodb.ApproximateCreationDateTime * 1000 >= oldest) break;
      trimmed += 1;
    }
    this.#letGo(trimmed);
    const shards = this.#state.shards.filter(
      ({ last, closedAt = 0 }) => last === undefined || last >= this.#first || closedAt >= oldest,
    );
    if (shards.length < this.#state.shards.length) this.#change({ ...this.#state, shards });
  }

  /** Forgets the oldest records. */
  #letGo(count: number): void {
    const forgotten = this.#records.splice(0, count);
    this.#first += count;
    // Numbers follow from places. Records that stay on the disk before a gap would give the next ones wrong numbers after a restart.
    const takeBack = (): void => {
      this.#records = [...forgotten, ...this.#records];
      this.#first -= count;
    };
    for (const [index, { dynamodb }] of forgotten.entries()) {
      const undo = index === 0 ? takeBack : () => undefined;
      this.#environment.journal.remove(this.#collection, dynamodb.SequenceNumber, undo);
    }
  }
}

function trimmedError(): DynamoDbError {
  return new DynamoDbError(
    'TrimmedDataAccessException',
    'The operation attempted to read past the oldest stream record in a shard',
  );
}
