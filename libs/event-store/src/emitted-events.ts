import { type DocumentClient, paginateQuery, ScanCommand } from '@millrace/aws';
import type { EventEntry } from '@millrace/events';
import { type Packed, unpack } from './payload.ts';
import type { PayloadStore } from './payload-store.ts';

/** What the bus was told of one stream, in the order of the stream. */
export interface EmittedStream {
  streamId: string;
  entries: EventEntry[];
}

/** The key of an item: where a scan goes on. */
export interface ScanPosition {
  pk: string;
  sk: string;
}

/** A part of a scan: whole streams. */
export interface ScanPage {
  streams: EmittedStream[];
  /** How many items were looked at, those that are no events included. */
  scanned: number;
  /** Where another scan of the segment goes on after this page; undefined when that is its start. */
  after: ScanPosition | undefined;
  /** Nothing follows in this segment. */
  last: boolean;
}

interface EventItem extends ScanPosition {
  outbox: EventEntry & { packed?: Packed };
}

/**
 * About as many as fit into the 1 MB of a page. The local DynamoDB reads all that is left of the table for a page without a
 * limit, so that a scan takes the square of the table.
 */
const ITEMS_PER_PAGE = 700;

const ProjectionExpression = 'pk, sk, #outbox';
const ExpressionAttributeNames = { '#outbox': 'outbox' };

/**
 * What a table's event streams have told the bus, from the first event on: byte for byte what their consumers get, for
 * whoever has to make up for all of it.
 * @throws UnreadableEventError, from both methods, when an event's content is not where it should be
 */
export class EmittedEvents {
  readonly #client: DocumentClient;
  readonly #tableName: string;
  readonly #payloads: PayloadStore | undefined;

  /** @param payloads that of the event store, when it has one */
  constructor(client: DocumentClient, tableName: string, payloads?: PayloadStore) {
    this.#client = client;
    this.#tableName = tableName;
    this.#payloads = payloads;
  }

  /** The emitted events of one stream, read strongly consistent; none for a stream that does not exist. */
  async of(streamId: string): Promise<EventEntry[]> {
    const entries: EventEntry[] = [];
    const pages = paginateQuery(this.#client, {
      TableName: this.#tableName,
      KeyConditionExpression: 'pk = :stream AND begins_with(sk, :event)',
      FilterExpression: 'attribute_exists(#outbox)',
      ProjectionExpression,
      ExpressionAttributeNames,
      ExpressionAttributeValues: { ':stream': streamId, ':event': 'EVENT#' },
      ConsistentRead: true,
    });
    for await (const { Items = [] } of pages) {
      for (const item of Items) entries.push(await this.#entryOf(item as EventItem));
    }
    return entries;
  }

  /**
   * Reads one segment of the table page by page, strongly consistent. A stream that a page cuts is held back and
   * comes with the next one, so that every stream is whole, as of the time it was read. Events of other types, and streams
   * without any of these, are left out.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
   * @param detailTypes 1 to 100 of them
   * @param after of an earlier page of the same segment of as many
   */
  async *scan(
    detailTypes: readonly string[],
    segment: number,
    segments: number,
    after?: ScanPosition,
  ): AsyncGenerator<ScanPage> {
    const types = Object.fromEntries(detailTypes.map((detailType, index) => [`:type${index}`, detailType]));
    let from = after;
    let resumable = after;
    let cut: EmittedStream | undefined;
    do {
      const { Items, ScannedCount, LastEvaluatedKey } = await this.#client.send(
        new ScanCommand({
          TableName: this.#tableName,
          Limit: ITEMS_PER_PAGE,
          ...(segments > 1 && { Segment: segment, TotalSegments: segments }),
          FilterExpression: `begins_with(sk, :event) AND #outbox.#detailType IN (${Object.keys(types)})`,
          ProjectionExpression,
          ExpressionAttributeNames: { ...ExpressionAttributeNames, '#detailType': 'detailType' },
          ExpressionAttributeValues: { ':event': 'EVENT#', ...types },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        }),
      );
      const items = (Items ?? []) as EventItem[];
      from = LastEvaluatedKey as ScanPosition | undefined;
      const streams = cut ? [cut] : [];
      for (const item of items) {
        const last = streams.at(-1);
        const entry = await this.#entryOf(item);
        if (last?.streamId === item.pk) last.entries.push(entry);
        else streams.push({ streamId: item.pk, entries: [entry] });
      }
      cut = from && streams.at(-1)?.streamId === from.pk ? streams.pop() : undefined;
      const whole = items.findLast(({ pk }) => pk !== cut?.streamId);
      if (!cut) resumable = from;
      else if (whole) resumable = { pk: whole.pk, sk: whole.sk };
      yield { streams, scanned: ScannedCount ?? 0, after: resumable, last: from === undefined };
    } while (from);
  }

  async #entryOf({ pk, sk, outbox: { packed, ...entry } }: EventItem): Promise<EventEntry> {
    return packed ? { ...entry, detail: await unpack(packed, this.#payloads, `The outbox of ${pk} ${sk}`) } : entry;
  }
}
