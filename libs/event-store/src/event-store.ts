import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { EmittableEvent } from '@millrace/events';
import { type CommitOptions, type ConditionalWrite, commit } from './commit.ts';
import { ConcurrencyConflictError } from './errors.ts';

/** A fact of one aggregate. */
export interface DomainEvent {
  readonly type: string;
}

/** An event to append. */
export interface NewEvent<Event extends DomainEvent> {
  id: string;
  event: Event;
  /** When it happened. */
  time: Date;
  correlationId: string;
  causationId?: string | undefined;
  /** What the relay emits for it; nothing for an event that stays inside the service. */
  emit?: EmittableEvent | undefined;
}

/** An event as it was appended. */
export interface StoredEvent<Event extends DomainEvent> {
  id: string;
  event: Event;
  /** ISO 8601 in UTC. */
  time: string;
  /** Position in the stream, from 1. */
  version: number;
  correlationId: string;
  causationId?: string;
}

export interface EventStream<Event extends DomainEvent> {
  events: StoredEvent<Event>[];
  /** Version of the last event; 0 for a stream that does not exist. */
  version: number;
}

/** A DynamoDB transaction holds 100 actions, and one is left for the inbox mark. */
const MAX_EVENTS = 99;

/**
 * Append-only streams in a DynamoDB table with `pk` and `sk`: one partition for each stream, one item for each event,
 * keyed by its version. Two writers who read the same version cannot both append.
 */
export class EventStore<Event extends DomainEvent> {
  readonly #client: DynamoDBDocumentClient;
  readonly #tableName: string;
  readonly #commitOptions: CommitOptions;

  constructor(client: DynamoDBDocumentClient, tableName: string, commitOptions: CommitOptions = {}) {
    this.#client = client;
    this.#tableName = tableName;
    this.#commitOptions = commitOptions;
  }

  /** Reads a whole stream, strongly consistent, in order. A stream that does not exist is empty. */
  async load(streamId: string): Promise<EventStream<Event>> {
    const events: StoredEvent<Event>[] = [];
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#tableName,
        KeyConditionExpression: 'pk = :stream AND begins_with(sk, :event)',
        ExpressionAttributeValues: { ':stream': streamId, ':event': 'EVENT#' },
        ConsistentRead: true,
      },
    );
    for await (const page of pages) {
      for (const { id, event, time, version, correlationId, causationId } of page.Items ?? []) {
        events.push({ id, event, time, version, correlationId, ...(causationId ? { causationId } : {}) });
      }
    }
    return { events, version: events.at(-1)?.version ?? 0 };
  }

  /**
   * Appends events to a stream that was loaded at `expectedVersion` (0: it does not exist yet), in one transaction with
   * `alongside`, e.g. the inbox mark of the event that caused them.
   * @throws ConcurrencyConflictError when the stream has moved on since; whatever `alongside` throws.
   */
  async append(
    streamId: string,
    expectedVersion: number,
    newEvents: readonly NewEvent<Event>[],
    alongside: readonly ConditionalWrite[] = [],
  ): Promise<void> {
    if (newEvents.length === 0) throw new RangeError(`Nothing to append to ${streamId}`);
    if (newEvents.length > MAX_EVENTS) throw new RangeError(`At most ${MAX_EVENTS} events fit in one append`);
    const onConditionFailed = (options: ErrorOptions) =>
      new ConcurrencyConflictError(`Stream ${streamId} is no longer at version ${expectedVersion}`, options);
    const writes = newEvents.map(({ id, event, time, correlationId, causationId, emit }, index) => {
      const version = expectedVersion + index + 1;
      return {
        write: {
          Put: {
            TableName: this.#tableName,
            Item: {
              pk: streamId,
              sk: sortKeyOf(version),
              id,
              event,
              time: time.toISOString(),
              version,
              correlationId,
              ...(causationId ? { causationId } : {}),
              ...(emit ? { outbox: emit.entry } : {}),
            },
            ConditionExpression: 'attribute_not_exists(pk)',
          },
        },
        onConditionFailed,
      };
    });
    await commit(this.#client, [...writes, ...alongside], this.#commitOptions);
  }
}

/** Padded, so that the sort key's order is the order of the versions. */
function sortKeyOf(version: number): string {
  return `EVENT#${String(version).padStart(10, '0')}`;
}
