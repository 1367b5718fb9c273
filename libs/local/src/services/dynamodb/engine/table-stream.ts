import { equalItems, type Item, itemSize } from './attribute-value.ts';
import { DynamoDbError, resourceNotFound, validationError } from './dynamodb-error.ts';

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

/** DynamoDB forgets a record after a day. */
const KEEP_MS = 24 * 60 * 60 * 1000;
const MAX_RECORDS = 1000;
const SHARD_ID = 'shardId-00000000000000000001-00000001';

/** The stream of a table. It has one shard: records come in the order of the writes, also across partitions. */
export class TableStream {
  readonly arn: string;
  readonly label: string;
  readonly viewType: StreamViewType;
  readonly #tableName: string;
  readonly #region: string;
  readonly #now: () => number;
  readonly #records: StreamRecord[] = [];
  readonly #listeners = new Set<(record: StreamRecord) => void>();
  /** Records that are not kept any more. */
  #trimmed = 0;

  constructor(options: {
    tableArn: string;
    tableName: string;
    region: string;
    viewType: StreamViewType;
    now: () => number;
  }) {
    this.label = new Date(options.now()).toISOString().replace('Z', '');
    this.arn = `${options.tableArn}/stream/${this.label}`;
    this.viewType = options.viewType;
    this.#tableName = options.tableName;
    this.#region = options.region;
    this.#now = options.now;
  }

  /** Adds a record, unless the write changed nothing. */
  add({ keys, before, after, expired = false }: ItemChange): void {
    if (before && after ? equalItems(before, after) : !before && !after) return;
    const number = this.#trimmed + this.#records.length + 1;
    const { viewType } = this;
    const record: StreamRecord = {
      eventID: number.toString(16).padStart(32, '0'),
      eventName: !before ? 'INSERT' : after ? 'MODIFY' : 'REMOVE',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: this.#region,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(this.#now() / 1000),
        Keys: keys,
        ...(after && viewType.startsWith('NEW') && { NewImage: after }),
        ...(before && viewType.includes('OLD') && { OldImage: before }),
        SequenceNumber: sequenceNumber(number),
        SizeBytes: itemSize(keys) + (after ? itemSize(after) : 0) + (before ? itemSize(before) : 0),
        StreamViewType: viewType,
      },
      ...(expired && { userIdentity: { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' } }),
    };
    this.#records.push(record);
    for (const listener of this.#listeners) listener(record);
  }

  /** Calls `listener` for each record from now on. @returns ends it */
  subscribe(listener: (record: StreamRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** DescribeStream. */
  describe(keySchema: unknown): Record<string, unknown> {
    return {
      StreamArn: this.arn,
      StreamLabel: this.label,
      StreamStatus: 'ENABLED',
      StreamViewType: this.viewType,
      CreationRequestDateTime: Date.parse(`${this.label}Z`) / 1000,
      TableName: this.#tableName,
      KeySchema: keySchema,
      Shards: [{ ShardId: SHARD_ID, SequenceNumberRange: { StartingSequenceNumber: sequenceNumber(1) } }],
    };
  }

  /** GetShardIterator. @throws DynamoDbError */
  iterator({ ShardId, ShardIteratorType: type, SequenceNumber }: Record<string, unknown>): string {
    if (ShardId !== SHARD_ID) throw resourceNotFound(`Shard: ${ShardId} not found`);
    this.#trim();
    switch (type) {
      case 'TRIM_HORIZON':
        return this.#iteratorAt(this.#trimmed);
      case 'LATEST':
        return this.#iteratorAt(this.#trimmed + this.#records.length);
      case 'AT_SEQUENCE_NUMBER':
      case 'AFTER_SEQUENCE_NUMBER': {
        const index = Number(SequenceNumber) - FIRST_SEQUENCE_NUMBER + (type === 'AFTER_SEQUENCE_NUMBER' ? 1 : 0);
        if (!Number.isSafeInteger(index)) throw validationError(`Invalid SequenceNumber: ${SequenceNumber}`);
        if (index < this.#trimmed) throw trimmedError();
        return this.#iteratorAt(index);
      }
      default:
        throw validationError(`Invalid ShardIteratorType: ${type}`);
    }
  }

  /** GetRecords. @throws DynamoDbError TrimmedDataAccessException for records that are older than a day */
  records(position: number, limit = MAX_RECORDS): { Records: StreamRecord[]; NextShardIterator: string } {
    this.#trim();
    if (position < this.#trimmed) throw trimmedError();
    const start = position - this.#trimmed;
    const Records = this.#records.slice(start, start + Math.min(limit, MAX_RECORDS));
    return { Records, NextShardIterator: this.#iteratorAt(position + Records.length) };
  }

  #iteratorAt(position: number): string {
    return `${this.arn}|1|${position}`;
  }

  #trim(): void {
    const oldest = (this.#now() - KEEP_MS) / 1000;
    while (this.#records[0] && this.#records[0].dynamodb.ApproximateCreationDateTime < oldest) {
      this.#records.shift();
      this.#trimmed += 1;
    }
  }
}

/** What a shard iterator says. @throws DynamoDbError ValidationException when this engine has not made it */
export function readIterator(iterator: unknown): { streamArn: string; position: number } {
  const [, streamArn, position] = /^(arn:.*)\|1\|(\d+)$/.exec(String(iterator)) ?? [];
  if (streamArn === undefined) throw validationError('Invalid ShardIterator');
  return { streamArn, position: Number(position) };
}

const FIRST_SEQUENCE_NUMBER = 1;

/** AWS's have 21 to 40 digits. Those of one stream are compared as numbers, and here also as text. */
function sequenceNumber(number: number): string {
  return String(number - 1 + FIRST_SEQUENCE_NUMBER).padStart(21, '0');
}

function trimmedError(): DynamoDbError {
  return new DynamoDbError(
    'TrimmedDataAccessException',
    'Attempt to access a record that is older than 24 hours: it is not in the stream any more',
  );
}
