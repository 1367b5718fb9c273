import type { EventEntry } from '@millrace/events';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import type { RowPlace } from './relay-dead-letter.ts';

/**
 * A record as the stream of a table tells of the insert of a row: what a relay is called with, by Lambda or by an operator's
 * command.
 *
 * @param item as DynamoDB has it; bytes in Base64
 * @param eventId by which the relay's answer names the record
 */
export function insertRecordOf(
  { table, pk, sk }: RowPlace,
  item: Record<string, AttributeValue>,
  { eventId, sequenceNumber, at }: { eventId: string; sequenceNumber: number; at: Date },
): DynamoDBRecord {
  return {
    eventID: eventId,
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    eventSourceARN: `arn:aws:dynamodb:::table/${table}/stream/operator`,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(at.getTime() / 1_000),
      Keys: { pk: { S: pk }, sk: { S: sk } },
      NewImage: item,
      SequenceNumber: String(sequenceNumber),
      StreamViewType: 'NEW_IMAGE',
    },
  };
}

/** The item of a row that holds an event and nothing else. */
export function outboxItem({ pk, sk }: RowPlace, entry: EventEntry): Record<string, AttributeValue> {
  const text = (S: string): AttributeValue => ({ S });
  const { source, detailType, detail, time } = entry;
  const outbox = { source: text(source), detailType: text(detailType), detail: text(detail), time: text(time) };
  return { pk: text(pk), sk: text(sk), outbox: { M: outbox } };
}
