import {
  ConditionalCheckFailedException,
  type DocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  TransactionCanceledException,
} from '@millrace/aws';
import type { InboxKey } from '@millrace/events';
import { type CommitOptions, type ConditionalWrite, commit } from './commit.ts';
import type { DomainEvent, NewEvent, StoredEvent } from './domain-event.ts';
import { ConcurrencyConflictError, EventTooLargeError, StreamConflictError } from './errors.ts';
import {
  assertAppendable,
  collect,
  type EventStore,
  type EventStream,
  type ReadOptions,
  type Snapshot,
} from './event-store.ts';
import { inboxMark } from './inbox.ts';
import { jsonText } from './json-text.ts';
import { outboxEntry } from './outbox.ts';
import {
  compressed,
  oversized,
  PACKED_BYTES_PER_ITEM,
  type Packed,
  type Part,
  payloadKey,
  shortened,
  unpack,
} from './payload.ts';
import type { PayloadStore } from './payload-store.ts';
import { newestVersionOf, type Upcasters, upcast } from './upcasters.ts';

export interface DynamoDbEventStoreOptions extends CommitOptions {
  /** How events of older versions become new ones. */
  upcasters?: Upcasters;
  /** Where events go that are too large for an item. Without one they are refused. */
  payloads?: PayloadStore;
  /** The clock behind `recordedAt`. */
  now?: () => Date;
}

/** An event's item, as far as readers need it. */
interface EventItem {
  id: string;
  event?: DomainEvent;
  packed?: Packed;
  time: string;
  recordedAt?: string;
  version: number;
  schemaVersion?: number;
  correlationId: string;
  causationId?: string;
  outbox?: { source: string };
}

/** What readers need of an item; of the outbox only that there is one. */
const PROJECTION = {
  ProjectionExpression:
    'id, #event, packed, #time, recordedAt, version, schemaVersion, correlationId, causationId, outbox.#source',
  ExpressionAttributeNames: { '#event': 'event', '#time': 'time', '#source': 'source' },
};

/** Streams in a DynamoDB table with `pk` and `sk`: a partition for each stream, an item for each event by its version. */
export class DynamoDbEventStore<Event extends DomainEvent> implements EventStore<Event> {
  readonly #client: DocumentClient;
  readonly #tableName: string;
  readonly #options: DynamoDbEventStoreOptions;
  readonly #upcasters: Upcasters;
  readonly #now: () => Date;

  constructor(client: DocumentClient, tableName: string, options: DynamoDbEventStoreOptions = {}) {
    this.#client = client;
    this.#tableName = tableName;
    this.#options = options;
    this.#upcasters = options.upcasters ?? {};
    this.#now = options.now ?? (() => new Date());
  }

  async *read(streamId: string, options: ReadOptions = {}): AsyncGenerator<StoredEvent<Event>> {
    const { direction = 'forward', fromVersion = 0, limit = Number.POSITIVE_INFINITY, asOf } = options;
    const toVersion = Math.min(
      options.toVersion ?? LAST_VERSION,
      asOf ? await this.#versionAsOf(streamId, asOf) : LAST_VERSION,
    );
    if (limit < 1 || fromVersion > toVersion) return;

    let left = limit;
    const query = {
      ...this.#eventsOf(streamId, fromVersion, toVersion),
      ...PROJECTION,
      ScanIndexForward: direction === 'forward',
    };
    for await (const { Items = [] } of this.#pages(query, limit)) {
      for (const item of Items) {
        yield await this.#eventOf(streamId, item as EventItem);
        left -= 1;
        if (left === 0) return;
      }
    }
  }

  load(streamId: string): Promise<EventStream<Event>> {
    return collect(this.read(streamId));
  }

  async append(
    streamId: string,
    expectedVersion: number,
    newEvents: readonly NewEvent<Event>[],
    alongside: readonly ConditionalWrite[] = [],
  ): Promise<void> {
    assertAppendable(streamId, newEvents);
    const parts: (Part & { key?: string })[] = [];
    const pack = (text: string, item: number): (() => Packed) | undefined => {
      const bytes = compressed(text);
      if (!bytes) {
        const short = shortened(text);
        return short && (() => short);
      }
      const part: (typeof parts)[number] = { bytes, item };
      parts.push(part);
      return () => (part.key === undefined ? { zstd: bytes } : { key: part.key });
    };
    const contents = newEvents.map(({ event, emit }, index) => ({
      event: pack(jsonText(event, event.type), index),
      detail: emit && pack(emit.detail, index),
    }));
    await this.#moveOut(streamId, expectedVersion, oversized(parts));

    const recordedAt = this.#now().toISOString();
    let conflict: ConcurrencyConflictError | undefined;
    const onConditionFailed = (options: ErrorOptions) => {
      conflict ??= new ConcurrencyConflictError(`Stream ${streamId} is not at version ${expectedVersion}`, options);
      return conflict;
    };
    const writes = newEvents.map(({ id, event, time, correlationId, causationId, emit }, index) => {
      const version = expectedVersion + index + 1;
      const schemaVersion = newestVersionOf(this.#upcasters, event.type);
      const { event: packed, detail } = contents[index] ?? {};
      return {
        write: {
          Put: {
            TableName: this.#tableName,
            Item: {
              pk: streamId,
              sk: sortKeyOf(version),
              id,
              ...(packed ? { packed: packed() } : { event }),
              time: time.toISOString(),
              recordedAt,
              version,
              ...(schemaVersion > 1 ? { schemaVersion } : {}),
              correlationId,
              ...(causationId ? { causationId } : {}),
              ...(emit ? { outbox: outboxEntry(emit, detail?.()) } : {}),
            },
            ConditionExpression: 'attribute_not_exists(pk)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
          },
        },
        onConditionFailed,
      };
    });
    try {
      await commit(this.#client, [...writes, ...alongside], this.#options);
    } catch (error) {
      if (!conflict || error !== conflict) throw error;
      if (conflictingId(conflict.cause) === newEvents[0]?.id) return;
      throw new StreamConflictError(streamId, expectedVersion, await this.#versionOf(streamId), { cause: error });
    }
  }

  inboxMark(key: InboxKey, now: Date): ConditionalWrite {
    return inboxMark(this.#tableName, key, now);
  }

  async recordHandled(key: InboxKey, now: Date): Promise<void> {
    await commit(this.#client, [this.inboxMark(key, now)], this.#options);
  }

  async readSnapshot(streamId: string, stateVersion: number): Promise<Snapshot | undefined> {
    // Not consistent: an older snapshot is as right as the last one, and this costs half.
    const { Item: item } = await this.#client.send(
      new GetCommand({ TableName: this.#tableName, Key: { pk: streamId, sk: snapshotKeyOf(stateVersion) } }),
    );
    if (!item) return undefined;
    const body = item.packed
      ? await unpack(item.packed, undefined, `The snapshot ${stateVersion} of ${streamId}`)
      : item.body;
    return { stateVersion, version: item.version, body };
  }

  async writeSnapshot(streamId: string, { stateVersion, version, body }: Snapshot): Promise<void> {
    const zstd = compressed(body);
    if (zstd && zstd.byteLength > PACKED_BYTES_PER_ITEM) {
      throw new RangeError(`The state of ${streamId} has ${zstd.byteLength} bytes compressed: too many for a snapshot`);
    }
    const content = zstd ? { packed: { zstd } } : { body };
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#tableName,
          Item: { pk: streamId, sk: snapshotKeyOf(stateVersion), version, ...content },
          // Holds for a row without a version, too, or with one that is no number: it is of no use to anybody.
          ConditionExpression: 'NOT #version >= :version',
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':version': version },
        }),
      );
    } catch (error) {
      if ((error as Error).name !== 'ConditionalCheckFailedException') throw error;
    }
  }

  #eventsOf(streamId: string, fromVersion = 0, toVersion = LAST_VERSION) {
    return {
      TableName: this.#tableName,
      KeyConditionExpression: 'pk = :stream AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':stream': streamId, ':from': sortKeyOf(fromVersion), ':to': sortKeyOf(toVersion) },
      ConsistentRead: true,
    };
  }

  #pages(query: QueryCommand['input'], limit = Number.POSITIVE_INFINITY) {
    return paginateQuery(this.#client, { ...query, ...(Number.isFinite(limit) && { Limit: limit }) });
  }

  async #versionOf(streamId: string): Promise<number> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        ...this.#eventsOf(streamId),
        ProjectionExpression: '#version',
        ExpressionAttributeNames: { '#version': 'version' },
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    return Items[0]?.version ?? 0;
  }

  /**
   * The version before the first event that was recorded later. The clocks of writers differ: an event of an earlier time
   * behind one of a later time is not in, or the stream would have a gap.
   */
  async #versionAsOf(streamId: string, asOf: Date): Promise<number> {
    const events = this.#eventsOf(streamId);
    const pages = this.#pages({
      ...events,
      ProjectionExpression: '#version',
      FilterExpression: '#recordedAt > :asOf OR (attribute_not_exists(#recordedAt) AND #time > :asOf)',
      ExpressionAttributeNames: { '#version': 'version', '#recordedAt': 'recordedAt', '#time': 'time' },
      ExpressionAttributeValues: { ...events.ExpressionAttributeValues, ':asOf': asOf.toISOString() },
    });
    for await (const { Items = [] } of pages) if (Items[0]) return Items[0].version - 1;
    return LAST_VERSION;
  }

  async #eventOf(streamId: string, item: EventItem): Promise<StoredEvent<Event>> {
    const { id, event, packed, time, recordedAt, version, schemaVersion = 1, correlationId, causationId } = item;
    const where = `Event ${version} of stream ${streamId}`;
    const content = packed ? JSON.parse(await unpack(packed, this.#options.payloads, where)) : event;
    return {
      id,
      // What is stored is what `append` took, in this version or an older one.
      event: upcast(this.#upcasters, content, schemaVersion, where) as DomainEvent as Event,
      time,
      ...(recordedAt ? { recordedAt } : {}),
      version,
      correlationId,
      ...(causationId ? { causationId } : {}),
      ...(item.outbox ? { emitted: true } : {}),
    };
  }

  /** Keeps the parts that do not fit in the payload store, before the items that refer to them are written. */
  async #moveOut(streamId: string, expectedVersion: number, parts: (Part & { key?: string })[]): Promise<void> {
    const { payloads } = this.#options;
    const [largest] = parts;
    if (!largest) return;
    if (!payloads) {
      throw new EventTooLargeError(
        `Event ${expectedVersion + largest.item + 1} of stream ${streamId} has a part of ${largest.bytes.byteLength} bytes, compressed, ` +
          'that does not fit beside the others into an item or transaction of DynamoDB: give the store a payload store',
      );
    }
    await Promise.all(
      parts.map(async (part) => {
        part.key = payloadKey(streamId, part.bytes);
        await payloads.put(part.key, part.bytes);
      }),
    );
  }
}

const LAST_VERSION = 9_999_999_999;

/** Padded, so that the sort key's order is the order of the versions. */
function sortKeyOf(version: number): string {
  return `EVENT#${String(version).padStart(10, '0')}`;
}

function snapshotKeyOf(stateVersion: number): string {
  return `SNAPSHOT#${stateVersion}`;
}

/** The id of the event that stands where the first one was to be written. */
function conflictingId(cause: unknown): string | undefined {
  if (cause instanceof ConditionalCheckFailedException) return cause.Item?.id;
  return cause instanceof TransactionCanceledException ? cause.CancellationReasons[0]?.Item?.id : undefined;
}
