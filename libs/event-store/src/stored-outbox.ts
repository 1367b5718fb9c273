import { type DocumentClient, GetCommand, marshall, ScanCommand } from '@millrace/aws';
import { insertRecordOf, type RowPlace } from '@millrace/dead-letters';
import type { EventEntry } from '@millrace/events';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import { OUTBOX_SECONDS } from './outbox.ts';
import { type Packed, unpack } from './payload.ts';

/** A part of time, both ends included. */
export interface TimeWindow {
  from: Date;
  to: Date;
}

/** A row with an event to emit, as it is in its table. */
export interface StoredRow {
  place: RowPlace;
  /** When it was written, by its writer's clock. */
  storedAt: Date;
  detailType: string;
  /** `metadata.id`; undefined when the row does not tell. */
  eventId?: string;
  /** Of the event, as far as the row tells. */
  metadata?: { timestamp?: unknown; sequence?: unknown; ttl?: unknown };
  /** As the table's stream tells of it. */
  record: DynamoDBRecord;
}

/** A page of a scan. */
export interface StoredPage {
  rows: StoredRow[];
  /** Items that were looked at, those without an event included. */
  scanned: number;
}

/** About as many as fit into the 1 MB of a page; see EmittedEvents. */
const ITEMS_PER_PAGE = 700;

const ExpressionAttributeNames = {
  '#outbox': 'outbox',
  '#id': 'id',
  '#time': 'time',
  '#recordedAt': 'recordedAt',
  '#ttl': 'ttl',
};
const ProjectionExpression = 'pk, sk, #outbox, #id, #time, #recordedAt, #ttl';

/**
 * A row tells when it was written: an event of a stream by `recordedAt`, or `time` before there was that; one beside plain
 * state by its `ttl`. Of any other row the time of its event is all there is.
 */
const FilterExpression = `attribute_exists(#outbox) AND (
  #recordedAt BETWEEN :from AND :to
  OR (attribute_not_exists(#recordedAt) AND (
    #time BETWEEN :from AND :to
    OR (attribute_not_exists(#time) AND (
      #ttl BETWEEN :fromTtl AND :toTtl
      OR (attribute_not_exists(#ttl) AND #outbox.#time BETWEEN :from AND :to)
    ))
  ))
)`.replaceAll(/\s+/g, ' ');

/** The rows of a table that a relay emits, whether it has or not. For whoever has to find those that it has not. */
export class StoredOutbox {
  readonly #client: DocumentClient;
  readonly #tableName: string;

  constructor(client: DocumentClient, tableName: string) {
    this.#client = client;
    this.#tableName = tableName;
  }

  /**
   * Reads one segment of the table page by page: the rows that were written within a window. Not strongly consistent: a row
   * that was just written has its relay still to come.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
   */
  async *scan({ from, to }: TimeWindow, segment = 0, segments = 1): AsyncGenerator<StoredPage> {
    let ExclusiveStartKey: ScanCommand['output']['LastEvaluatedKey'];
    do {
      const { Items, ScannedCount, LastEvaluatedKey } = await this.#client.send(
        new ScanCommand({
          TableName: this.#tableName,
          Limit: ITEMS_PER_PAGE,
          ...(segments > 1 && { Segment: segment, TotalSegments: segments }),
          FilterExpression,
          ProjectionExpression,
          ExpressionAttributeNames,
          ExpressionAttributeValues: {
            ':from': from.toISOString(),
            ':to': to.toISOString(),
            ':fromTtl': Math.floor(from.getTime() / 1_000) + OUTBOX_SECONDS,
            ':toTtl': Math.floor(to.getTime() / 1_000) + OUTBOX_SECONDS,
          },
          ExclusiveStartKey,
        }),
      );
      const rows: StoredRow[] = [];
      for (const [index, item] of (Items ?? []).entries()) rows.push(await this.#rowOf(item, index));
      yield { rows: rows.toSorted(inOrder), scanned: ScannedCount ?? 0 };
      ExclusiveStartKey = LastEvaluatedKey;
    } while (ExclusiveStartKey);
  }

  /** One row, strongly consistent; undefined when it is not there, or has no event to emit. */
  async row({ pk, sk }: Pick<RowPlace, 'pk' | 'sk'>): Promise<StoredRow | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({
        TableName: this.#tableName,
        Key: { pk, sk },
        ConsistentRead: true,
        ProjectionExpression,
        ExpressionAttributeNames,
      }),
    );
    return Item?.outbox ? this.#rowOf(Item, 0) : undefined;
  }

  async #rowOf(item: Record<string, unknown>, index: number): Promise<StoredRow> {
    const { pk, sk, outbox, id, time, recordedAt, ttl } = item;
    const entry = (typeof outbox === 'object' ? outbox : {}) as Partial<Outbox>;
    const place = { table: this.#tableName, pk: text(pk) ?? '', sk: text(sk) ?? '' };
    const storedAt = storedAtOf(text(recordedAt) ?? text(time), Number(ttl), text(entry.time));
    const metadata = await metadataOf(entry);
    const eventId = metadata?.id ?? id;
    return {
      place,
      storedAt,
      detailType: text(entry.detailType) ?? '',
      ...(typeof eventId === 'string' && { eventId }),
      ...(metadata && { metadata }),
      // With bytes in Base64, as in a stream record that Lambda hands over.
      record: insertRecordOf(place, marshall({ pk, sk, outbox }) as Record<string, AttributeValue>, {
        eventId: `${place.pk} ${place.sk}`,
        sequenceNumber: index + 1,
        at: storedAt,
      }),
    };
  }
}

type Outbox = EventEntry & { packed?: Packed };

/** Whoever writes a row by hand may write anything. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The rows of a partition one after the other, in the order in which they were written. */
function inOrder(a: StoredRow, b: StoredRow): number {
  if (a.place.pk !== b.place.pk) return a.place.pk < b.place.pk ? -1 : 1;
  const difference = Number(a.metadata?.sequence) - Number(b.metadata?.sequence);
  return difference || a.storedAt.getTime() - b.storedAt.getTime();
}

function storedAtOf(recorded: string | undefined, ttl: number, eventTime: string | undefined): Date {
  const text = recorded ?? (Number.isNaN(ttl) ? eventTime : undefined);
  const ms = text === undefined ? (ttl - OUTBOX_SECONDS) * 1_000 : Date.parse(text);
  return new Date(Number.isNaN(ms) ? 0 : ms);
}

/** What the event says of itself; undefined when that is elsewhere, or is not JSON. */
async function metadataOf({ detail, packed }: Partial<Outbox>): Promise<Record<string, unknown> | undefined> {
  try {
    const content = packed && 'zstd' in packed ? await unpack(packed, undefined, '') : (text(detail) ?? '');
    const { metadata } = JSON.parse(content);
    return typeof metadata === 'object' && metadata !== null ? metadata : undefined;
  } catch {
    return undefined;
  }
}
