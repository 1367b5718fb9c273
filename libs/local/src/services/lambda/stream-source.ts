/** A record of a stream of whichever service. */
export interface SourceRecord {
  /** As the function gets it. */
  readonly event: object;
  /** What the patterns of a filter are about. */
  readonly filterable: object;
  readonly sequenceNumber: string;
  /** When it came into the stream, in milliseconds since the epoch. */
  readonly arrivedAt: number | undefined;
  /** Records of one key are handled in order, also by parallel batches of a shard. */
  readonly orderKey: () => string;
}

/** Where in a shard reading begins. */
export interface StreamPosition {
  readonly type: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP' | 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER';
  readonly sequenceNumber?: string;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
}

export interface SourceShard {
  readonly id: string;
  /** The shards that have to be read before it. */
  readonly parents: readonly string[];
}

/**
 * A stream that a mapping reads, with shards whose records stay in order. Calls reject with an error that has a `code`, for example
 * ExpiredIteratorException.
 */
export interface StreamSource {
  readonly arn: string;
  /** What it is a stream of, as messages name it. */
  readonly title: string;
  /** The member of the document about a batch that was given up. */
  readonly batchInfo: string;
  readonly startingPositions: readonly string[];
  /** The key of a record for filters whose value is a text with JSON. */
  readonly filterData?: string;
  /** The clock that dates its records, in milliseconds since the epoch. */
  now(): number;
  shards(): Promise<SourceShard[]>;
  iterator(shardId: string, position: StreamPosition): Promise<string>;
  /** Reads once. Without `next` the shard is over. */
  read(
    shardId: string,
    iterator: string,
    limit: number,
  ): Promise<{ records: SourceRecord[]; next: string | undefined }>;
  /** Has a listener called when the stream may have new records. @returns ends it; without this, idle shards are read once a second */
  onRecords?(listener: () => void): () => void;
}
