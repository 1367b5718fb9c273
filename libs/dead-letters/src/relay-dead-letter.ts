import type { EmittableEvent } from '@millrace/events';
import { sqsLimits } from '@millrace/events/aws-limits';
import { isObjectText } from './json-object.ts';

/** The row of a table that a relay's letter is about. */
export interface RowPlace {
  table: string;
  pk: string;
  sk: string;
}

/** Records of a table's stream that Lambda gave up: it says where they were, and not what was in them. */
export interface StreamPositions {
  /** When the first and the last of them were written, approximately. */
  from: Date;
  to: Date;
  /** How many records. */
  count: number;
}

/** Bytes of body that leave room for the reason beside it. */
const MAX_BODY_BYTES = sqsLimits.messageBytes - 4 * 1024;

/**
 * The body of a letter about a row that a relay cannot emit: the event as its consumers would have got it, byte for byte.
 * Of an event that cannot be read, or does not fit into a message, it says which row it is in.
 *
 * @param sourceArn of the table's stream
 */
export function relayDeadLetterOf(row: {
  event: EmittableEvent | undefined;
  place: RowPlace;
  eventId: string | undefined;
  sourceArn: string | undefined;
}): string {
  const { event, place, eventId, sourceArn = '' } = row;
  const body = event && isObjectText(event.detail) ? envelopeOf(event, eventId, sourceArn) : undefined;
  if (body !== undefined && Buffer.byteLength(body) <= MAX_BODY_BYTES) return body;
  return JSON.stringify({ outboxRow: place });
}

/** https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
function envelopeOf(
  { source, detailType, time, detail }: EmittableEvent,
  eventId: string | undefined,
  sourceArn: string,
): string {
  const [, , , region = '', account = ''] = sourceArn.split(':');
  const envelope = {
    version: '0',
    id: eventId,
    'detail-type': detailType,
    source,
    account,
    time,
    region,
    resources: [],
  };
  return `${JSON.stringify(envelope).slice(0, -1)},"detail":${detail}}`;
}

/** The row that a letter names instead of holding its event; undefined for any other body. */
export function rowPlaceOf(body: unknown): RowPlace | undefined {
  const { outboxRow } = asRecord(body);
  const { table, pk, sk } = asRecord(outboxRow);
  return isText(table) && isText(pk) && isText(sk) ? { table, pk, sk } : undefined;
}

/**
 * The records that Lambda's letter about a DynamoDB stream is about; undefined for any other body.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
 */
export function streamPositionsOf(body: unknown): StreamPositions | undefined {
  const { DDBStreamBatchInfo } = asRecord(body);
  const { approximateArrivalOfFirstRecord, approximateArrivalOfLastRecord, batchSize } = asRecord(DDBStreamBatchInfo);
  const from = new Date(String(approximateArrivalOfFirstRecord));
  const to = new Date(String(approximateArrivalOfLastRecord));
  const count = Number(batchSize);
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime()) || !Number.isInteger(count)) return undefined;
  return { from, to, count };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
