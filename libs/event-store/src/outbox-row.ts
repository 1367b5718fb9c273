import type { RowPlace } from '@millrace/dead-letters';
import { PermanentError } from '@millrace/errors';
import { EmittableEvent, type EventEntry } from '@millrace/events';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import { UnreadableOutboxError } from './errors.ts';
import { decompress, type Packed, unpack } from './payload.ts';
import type { PayloadStore } from './payload-store.ts';

/** A row with an event to emit, as a record of its table's stream tells of it. */
export interface OutboxRow {
  record: DynamoDBRecord;
  /** Where it is, e.g. for whoever looks it up later. */
  place: RowPlace;
  outbox: AttributeValue;
}

/** The row of a record: undefined for a change, a removal, and a row that is not to be emitted. */
export function outboxRowOf(record: DynamoDBRecord): OutboxRow | undefined {
  const { eventName, eventSourceARN = '', dynamodb } = record;
  const outbox = eventName === 'INSERT' ? dynamodb?.NewImage?.outbox : undefined;
  if (!outbox) return undefined;
  const { pk, sk } = dynamodb?.Keys ?? {};
  // arn:aws:dynamodb:us-east-1:123456789012:table/<table>/stream/<time>
  const table = eventSourceARN.split('/')[1] ?? '';
  return { record, place: { table, pk: pk?.S ?? '', sk: sk?.S ?? '' }, outbox };
}

/**
 * The event of a row.
 * @throws PermanentError when it can never be read: UnreadableOutboxError, UnreadableEventError; anything else when the
 * payload store does not answer
 */
export async function readOutboxRow(
  { outbox, place }: OutboxRow,
  payloads: PayloadStore | undefined,
): Promise<EmittableEvent> {
  const where = `The outbox of ${place.pk} ${place.sk}`;
  const text = (name: keyof EventEntry) => outbox.M?.[name]?.S;
  const packed = packedOf(outbox.M?.packed?.M);
  const detail = packed ? await unpack(packed, payloads, where) : text('detail');
  const [source, detailType, time] = [text('source'), text('detailType'), text('time')];
  if (!source || !detailType || !detail || !time) throw new UnreadableOutboxError(where, 'it is not an event');
  if (Number.isNaN(Date.parse(time))) throw new UnreadableOutboxError(where, 'its time is not a time');
  return new EmittableEvent({ source, detailType, detail, time });
}

/**
 * The detail of an event that its row holds itself, in an `outbox` as a stream record shows it; undefined for one that is elsewhere.
 * @throws UnreadableEventError when it cannot be decompressed
 * @example JSON.parse(inlineDetail(record.dynamodb.NewImage.outbox)).metadata.id
 */
export function inlineDetail(outbox: AttributeValue): string | undefined {
  const { packed, detail } = outbox.M ?? {};
  return packed ? inlineText(packed) : detail?.S;
}

/** As `inlineDetail`, of any `packed` attribute. */
export function inlineText(attribute: AttributeValue): string | undefined {
  const packed = packedOf(attribute.M);
  return packed && 'zstd' in packed ? decompress(packed, 'The row') : undefined;
}

/** True if the row can never be read. Anything else may be different the next time. */
export function isUnreadable(error: unknown): error is PermanentError {
  return error instanceof PermanentError;
}

/** In a stream record bytes are Base64. */
function packedOf(map: Record<string, AttributeValue> | undefined): Packed | undefined {
  if (map?.zstd?.B !== undefined) {
    const dictionary = map.dictionary?.N;
    return { zstd: Buffer.from(map.zstd.B, 'base64'), ...(dictionary && { dictionary: Number(dictionary) }) };
  }
  return map?.key?.S === undefined ? undefined : { key: map.key.S };
}
