import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { sqsLimits } from '@millrace/events/aws-limits';
import type { SQSRecord } from 'aws-lambda';

/** What a deferred message has behind it: its copies carry it along. */
export interface History {
  /** How often it was deferred. */
  deferrals: number;
  /** Failed attempts before this copy was sent. */
  failures: number;
  /** When the first of all copies was sent. */
  firstSentAt: Date;
  /** When the first failed attempt began. */
  firstFailedAt?: Date;
}

/**
 * Reads the history of a record. Ignores the other attributes of a message that was never deferred: a dead letter
 * keeps its own when the SQS console puts it back.
 */
export function historyOf({ attributes, messageAttributes }: SQSRecord): History {
  const read = (name: string) => messageAttributes?.[name]?.stringValue ?? '';
  const count = (name: string) => (/^\d{1,9}$/.test(read(name)) ? Number(read(name)) : 0);
  const time = (name: string) => {
    const date = new Date(read(name));
    return Number.isNaN(date.getTime()) ? undefined : date;
  };
  const sentAt = new Date(Number(attributes.SentTimestamp));
  const deferrals = count('Deferrals');
  if (deferrals === 0) return { deferrals, failures: 0, firstSentAt: sentAt };
  const firstFailedAt = time('FirstFailedAt');
  return {
    deferrals,
    failures: count('Failures'),
    firstSentAt: time('FirstSentAt') ?? sentAt,
    ...(firstFailedAt && { firstFailedAt }),
  };
}

/** The attempts at this message, this one included; an attempt that ended with a deferral does not count. */
export function attemptsOf(record: SQSRecord): number {
  return historyOf(record).failures + receivesOf(record);
}

/** When the first failed attempt began: `now`, unless there was an earlier one. */
export function firstFailedAt(record: SQSRecord, now: Date): Date {
  const earlier = historyOf(record).firstFailedAt;
  if (earlier) return earlier;
  // When the first attempt began is all that SQS keeps of an earlier one.
  return receivesOf(record) > 1 ? new Date(Number(record.attributes.ApproximateFirstReceiveTimestamp)) : now;
}

/** The attributes of a record's next copy: its own, and its history with one more deferral. */
export function attributesOfCopy(record: SQSRecord, now: Date): Record<string, MessageAttributeValue> {
  const { deferrals, failures, firstSentAt } = historyOf(record);
  const failuresBefore = failures + receivesOf(record) - 1;
  const history = {
    Deferrals: { DataType: 'Number', StringValue: String(deferrals + 1) },
    Failures: { DataType: 'Number', StringValue: String(failuresBefore) },
    FirstSentAt: { DataType: 'String', StringValue: firstSentAt.toISOString() },
    ...(failuresBefore > 0 && {
      FirstFailedAt: { DataType: 'String', StringValue: firstFailedAt(record, now).toISOString() },
    }),
  };
  const others = Object.entries(record.messageAttributes ?? {})
    .filter(([name]) => !(name in history))
    .slice(0, sqsLimits.messageAttributes - Object.keys(history).length)
    .map(([name, { dataType, stringValue, binaryValue }]): [string, MessageAttributeValue] => [
      name,
      {
        DataType: dataType,
        StringValue: stringValue,
        ...(binaryValue !== undefined && { BinaryValue: Buffer.from(binaryValue, 'base64') }),
      },
    ]);
  return { ...Object.fromEntries(others), ...history };
}

/** Times this copy of the message has been received, this time included. */
function receivesOf({ attributes }: SQSRecord): number {
  return Number(attributes.ApproximateReceiveCount);
}
