import {
  BatchGetCommand,
  type DocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type TransactionCanceledException,
} from '@millrace/aws';
import { PermanentError } from '@millrace/errors';
import { commit, compress, decompress, StoreBusyError, settleTogether } from '@millrace/event-store';
import type { Event } from '@millrace/events';
import { guardOf, redact } from '@millrace/privacy';
import { retry } from '@millrace/retry';
import type { LoggedEvent, StoredEvent } from './logged-event.ts';

const SECONDS_PER_DAY = 24 * 60 * 60;
const MS_PER_DAY = SECONDS_PER_DAY * 1000;

/** A transaction may hold 100 items and 4 MB; with fewer, one that fails is divided less often. */
const EVENTS_PER_TRANSACTION = 25;
/** Keys of one BatchGetItem. */
const KEYS_PER_READ = 100;
/** Events that a page of `between` has at most. */
const PAGE_SIZE = 100;
/** Events that a read of `between` looks at when it wants one type: most may be others. */
const READ_SIZE = 500;
/** Reads of `between` that stopped within a day, after which a page ends with what it has. */
const MAX_READS = 20;

/** A part of the log, by the time when things happened. */
export interface TimeRange {
  from: Date;
  /** Not in it any more. */
  to: Date;
  /** Events of one detail-type only. */
  type?: string | undefined;
  /** What `between` returned as `next`. */
  after?: string | undefined;
}

export interface EventLogOptions {
  /** For how long an event is kept after it happened, unless its metadata say until when. */
  retentionDays: number;
  now?: () => Date;
}

/** What became of an event: written down now, there already, or not to be kept any longer. */
export type RecordOutcome = 'recorded' | 'known' | 'expired';

/**
 * The event log's table: every event once, by its id, without personal data, never changed. Three indexes find events by
 * correlation, by subject, and by the day (in UTC) on which they happened; in each the order is that of time.
 */
export class EventLog {
  readonly #client: DocumentClient;
  readonly #tableName: string;

  constructor(client: DocumentClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  /**
   * Writes an event down, unless it is there already or may not be kept any longer.
   *
   * @param event as its contract has parsed it, which knows what is personal
   * @throws PermanentError EVENT_NOT_STORABLE when DynamoDB can never take it: an item has 400 KB, a key 1 KB at most.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
   */
  async record(event: Event, options: EventLogOptions): Promise<RecordOutcome> {
    const Item = itemOf(event, options);
    if (!Item) return 'expired';
    try {
      await this.#client.send(new PutCommand(this.#put(Item)));
      return 'recorded';
    } catch (error) {
      const { name } = error as Error;
      if (name === 'ConditionalCheckFailedException') return 'known';
      if (name === 'ValidationException') {
        const detail = 'DynamoDB does not take it: an item has 400 KB, an id, a subject and a correlation 1 KB at most';
        throw new PermanentError('EVENT_NOT_STORABLE', detail, { cause: error });
      }
      throw error;
    }
  }

  /**
   * As `record`, for as many events as you like, with one request for 25 of them. Each is written on condition that it is not
   * there, so an event that is there stays as it is, whatever else comes with its id. One that DynamoDB does not take keeps no
   * other back.
   *
   * @param events the same one may come twice
   * @returns for each event what became of it, or why it failed
   * @example const [outcome] = await log.recordAll([event], { retentionDays: 365 });
   */
  async recordAll(events: readonly Event[], options: EventLogOptions): Promise<(RecordOutcome | Error)[]> {
    const outcomes = new Map<string, RecordOutcome | Error>();
    const first = new Map<string, Event>();
    for (const event of events) if (!first.has(event.metadata.id)) first.set(event.metadata.id, event);
    for (const some of chunksOf([...first.values()], EVENTS_PER_TRANSACTION)) {
      const errors = await settleTogether(some, async (each) => {
        for (const [id, outcome] of await this.#recordTogether(each, options)) outcomes.set(id, outcome);
      });
      for (const [index, { metadata }] of some.entries()) {
        const error = errors[index];
        if (error) outcomes.set(metadata.id, error);
      }
    }
    return events.map((event) => {
      const outcome = outcomes.get(event.metadata.id) ?? 'expired';
      return outcome === 'recorded' && first.get(event.metadata.id) !== event ? 'known' : outcome;
    });
  }

  async #recordTogether(events: readonly Event[], options: EventLogOptions): Promise<Map<string, RecordOutcome>> {
    const [only, ...others] = events;
    if (only && others.length === 0) return new Map([[only.metadata.id, await this.record(only, options)]]);
    const outcomes = new Map<string, RecordOutcome>();
    let left = events.flatMap((event) => itemOf(event, options) ?? []);
    while (left.length > 0) {
      try {
        await commit(
          this.#client,
          left.map((Item) => ({ write: { Put: this.#put(Item) }, onConditionFailed: isKnown })),
        );
        for (const { id } of left) outcomes.set(id, 'recorded');
        left = [];
      } catch (error) {
        if (!(error instanceof KnownEventError)) throw error;
        const { CancellationReasons } = error.cause as TransactionCanceledException;
        const known = left.filter((_, index) => CancellationReasons[index]?.Code === 'ConditionalCheckFailed');
        for (const { id } of known) outcomes.set(id, 'known');
        left = left.filter((item) => !known.includes(item));
      }
    }
    return outcomes;
  }

  #put(Item: LogItem) {
    return { TableName: this.#tableName, Item, ConditionExpression: 'attribute_not_exists(id)' };
  }

  /**
   * Which of some ids the log has, strongly consistent.
   * @throws StoreBusyError when DynamoDB kept leaving some out
   */
  async known(ids: readonly string[]): Promise<Set<string>> {
    const known = new Set<string>();
    const distinct = [...new Set(ids)].map((id) => ({ id }));
    for (let start = 0; start < distinct.length; start += KEYS_PER_READ) {
      let left = distinct.slice(start, start + KEYS_PER_READ);
      const read = async () => {
        const { Responses, UnprocessedKeys } = await this.#client.send(
          new BatchGetCommand({
            RequestItems: { [this.#tableName]: { Keys: left, ProjectionExpression: 'id', ConsistentRead: true } },
          }),
        );
        for (const { id } of Responses?.[this.#tableName] ?? []) known.add(id);
        left = (UnprocessedKeys?.[this.#tableName]?.Keys ?? []) as typeof left;
        if (left.length > 0) throw new StoreBusyError('UnprocessedKeys');
      };
      await retry(read, { isRetryable: (error) => error instanceof StoreBusyError });
    }
    return known;
  }

  /** The event with an id, strongly consistent. */
  async find(id: string): Promise<StoredEvent | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#tableName, Key: { id }, ConsistentRead: true }),
    );
    if (!Item) return undefined;
    return { ...loggedEvent(Item), ...contentOf(Item) };
  }

  /** The first events with a correlation id, in the order of time, and whether there are more. */
  async byCorrelation(correlationId: string, limit: number): Promise<{ events: LoggedEvent[]; truncated: boolean }> {
    const { items, truncated } = await this.#first('byCorrelation', 'correlationId', correlationId, limit);
    return { events: items.map(loggedEvent), truncated };
  }

  /** The correlation ids of the first events about a subject, each once, and whether there are more events. */
  async correlationsOf(subject: string, limit: number): Promise<{ correlationIds: string[]; truncated: boolean }> {
    const { items, truncated } = await this.#first('bySubject', 'subject', subject, limit);
    return { correlationIds: [...new Set(items.map(({ correlationId }) => String(correlationId)))], truncated };
  }

  /**
   * A page of the events of some time, in its order. Where few events are of the type asked for, a page may be short, and
   * even empty, although there is a next one.
   *
   * @returns `next` unless there is no more; it goes into `after`
   */
  async between({ from, to, type, after }: TimeRange): Promise<{ events: LoggedEvent[]; next?: string }> {
    const events: LoggedEvent[] = [];
    let reads = 0;
    for (const day of daysOf(after === undefined ? from : new Date(after.slice(0, 10)), to)) {
      let start = after?.startsWith(day)
        ? { id: after.slice(after.indexOf('#') + 1), day, occurred: after }
        : undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await this.#client.send(
          new QueryCommand({
            TableName: this.#tableName,
            IndexName: 'byTime',
            // A time alone stands before the same time with an id.
            KeyConditionExpression: '#day = :day AND occurred BETWEEN :from AND :to',
            ExpressionAttributeNames: { '#day': 'day' },
            ExpressionAttributeValues: {
              ':day': day,
              ':from': from.toISOString(),
              ':to': to.toISOString(),
              ...(type !== undefined && { ':type': type }),
            },
            ...(type !== undefined && { FilterExpression: 'detailType = :type' }),
            ExclusiveStartKey: start,
            Limit: type === undefined ? PAGE_SIZE - events.length : READ_SIZE,
          }),
        );
        for (const item of Items) {
          events.push(loggedEvent(item));
          if (events.length === PAGE_SIZE) return { events, next: item.occurred };
        }
        start = LastEvaluatedKey as typeof start;
        if (start) reads += 1;
        if (start && reads === MAX_READS) return { events, next: start.occurred };
      } while (start);
    }
    return { events };
  }

  /**
   * Counts the events of some time by their detail-type, reading the index by time only.
   *
   * @param limit events after which it stops counting
   * @returns `truncated` if there are more than those counted
   * @example
   * const { counts } = await log.countByType({ from, to }, 10_000);
   * counts.get('OrderPlaced.v1'); // 42
   */
  async countByType(
    { from, to }: Pick<TimeRange, 'from' | 'to'>,
    limit: number,
  ): Promise<{ counts: Map<string, number>; truncated: boolean }> {
    const counts = new Map<string, number>();
    let counted = 0;
    for (const day of daysOf(from, to)) {
      let ExclusiveStartKey: QueryCommand['input']['ExclusiveStartKey'];
      do {
        const { Items = [], LastEvaluatedKey } = await this.#client.send(
          new QueryCommand({
            TableName: this.#tableName,
            IndexName: 'byTime',
            KeyConditionExpression: '#day = :day AND occurred BETWEEN :from AND :to',
            ProjectionExpression: 'detailType',
            ExpressionAttributeNames: { '#day': 'day' },
            ExpressionAttributeValues: { ':day': day, ':from': from.toISOString(), ':to': to.toISOString() },
            ExclusiveStartKey,
          }),
        );
        for (const { detailType } of Items) counts.set(detailType, (counts.get(detailType) ?? 0) + 1);
        counted += Items.length;
        if (counted >= limit) return { counts, truncated: true };
        ExclusiveStartKey = LastEvaluatedKey;
      } while (ExclusiveStartKey);
    }
    return { counts, truncated: false };
  }

  async #first(
    index: string,
    key: string,
    value: string,
    limit: number,
  ): Promise<{ items: LoggedItem[]; truncated: boolean }> {
    const items: LoggedItem[] = [];
    let ExclusiveStartKey: QueryCommand['input']['ExclusiveStartKey'];
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#tableName,
          IndexName: index,
          KeyConditionExpression: '#key = :value',
          ExpressionAttributeNames: { '#key': key },
          ExpressionAttributeValues: { ':value': value },
          ExclusiveStartKey,
          Limit: limit + 1 - items.length,
        }),
      );
      items.push(...Items);
      ExclusiveStartKey = LastEvaluatedKey;
    } while (ExclusiveStartKey && items.length <= limit);
    return { items: items.slice(0, limit), truncated: items.length > limit };
  }
}

/** Some events of a transaction are there already. */
class KnownEventError extends Error {}

const isKnown = (options: ErrorOptions) => new KnownEventError('The log has an event already', options);

type LogItem = NonNullable<ReturnType<typeof itemOf>>;

/** What is written down of an event; undefined when it may not be kept any longer. */
function itemOf(event: Event, { retentionDays, now = () => new Date() }: EventLogOptions) {
  const { source, detailType, metadata } = event;
  const receivedAt = now();
  const time = new Date(metadata.timestamp);
  const ttl = metadata.ttl ?? Math.floor(time.getTime() / 1000) + retentionDays * SECONDS_PER_DAY;
  // DynamoDB does not delete what expired more than five years ago, and a replay may bring anything.
  if (ttl * 1000 <= receivedAt.getTime()) return undefined;
  const redaction = guardOf(event);
  if (!redaction) throw new TypeError(`${detailType} was not parsed by its contract, which knows what is personal`);
  const shown = redact(event, redaction) as { metadata: unknown; data?: unknown };
  const { zstd: content, dictionary } = compress(JSON.stringify({ metadata: shown.metadata, data: shown.data }));
  return {
    id: metadata.id,
    correlationId: metadata.correlationId,
    causationId: metadata.causationId,
    subject: metadata.subject,
    service: metadata.service,
    source,
    detailType,
    day: time.toISOString().slice(0, 10),
    occurred: `${time.toISOString()}#${metadata.id}`,
    receivedAt: receivedAt.toISOString(),
    // Text, because DynamoDB's own documents have 32 levels and 38 digits; compressed, because events then take one write unit
    // and not two.
    content,
    dictionary,
    ttl,
  };
}

function* chunksOf<Each>(all: readonly Each[], size: number): Generator<Each[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}

/** As a query returns it. */
type LoggedItem = NonNullable<QueryCommand['output']['Items']>[number];

function contentOf({ id, content, dictionary, metadata, data }: LoggedItem): Pick<StoredEvent, 'metadata' | 'data'> {
  if (content !== undefined) return JSON.parse(decompress({ zstd: content, dictionary }, `Event ${id}`));
  // As it was kept before it was compressed.
  return { metadata: JSON.parse(metadata), ...(data !== undefined && { data: JSON.parse(data) }) };
}

function loggedEvent(item: LoggedItem): LoggedEvent {
  const { id, detailType, source, service, subject, correlationId, causationId, occurred, receivedAt } = item;
  return {
    id,
    detailType,
    source,
    service,
    subject,
    correlationId,
    ...(causationId !== undefined && { causationId }),
    time: occurred.slice(0, occurred.indexOf('#')),
    receivedAt,
  };
}

/** The days in UTC, as `2026-01-31`, from one moment to just before another. */
function* daysOf(from: Date, to: Date): Generator<string> {
  for (let day = Math.floor(from.getTime() / MS_PER_DAY); day * MS_PER_DAY < to.getTime(); day += 1) {
    yield new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
  }
}
