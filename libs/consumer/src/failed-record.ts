import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { MillraceError, PermanentError } from '@millrace/errors';
import type { SQSRecord } from 'aws-lambda';
import type { ConsumerSettings } from './settings.ts';

/** Why a message stands in a dead-letter queue: its input can never succeed, or its attempts are used up. */
export type FailureKind = 'permanent' | 'exhausted';

/** Upper bound of the first delay before a retry; it doubles with each attempt. */
const BASE_DELAY_SECONDS = 2;
/** Upper bound of any delay before a retry. */
const MAX_DELAY_SECONDS = 300;
/** In UTF-16 units: a reason need not be long. */
const MAX_ATTRIBUTE_LENGTH = 1000;

/** Times this message has been received, this time included. */
export function attemptsOf(record: SQSRecord): number {
  return Number(record.attributes.ApproximateReceiveCount);
}

/** Decides whether another attempt can help. */
export function failureKindOf(error: unknown, record: SQSRecord, settings: ConsumerSettings): FailureKind | undefined {
  if (error instanceof PermanentError) return 'permanent';
  return attemptsOf(record) >= settings.maxReceiveCount ? 'exhausted' : undefined;
}

/** Stable code of any error: its own, else its class name. */
export function codeOf(error: unknown): string {
  if (error instanceof MillraceError) return error.code;
  return error instanceof Error ? error.name : 'Error';
}

/**
 * Sends a copy of the record, body unchanged, to the dead-letter queue with the reason as message attributes. When this
 * resolves SQS has stored the copy, and only then may the record be acknowledged: dying in between leaves it in both
 * queues, never in neither.
 */
export async function sendToDeadLetterQueue(
  sqs: Pick<SQSClient, 'send'>,
  record: SQSRecord,
  failure: { kind: FailureKind; error: unknown; correlationId?: string | undefined; now: Date },
  settings: ConsumerSettings,
): Promise<void> {
  const message = failure.error instanceof Error ? failure.error.message : String(failure.error);
  const reasons: Record<string, string | undefined> = {
    ErrorCode: codeOf(failure.error),
    ErrorMessage: message,
    FailureKind: failure.kind,
    Consumer: settings.consumer,
    FunctionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    Attempts: String(attemptsOf(record)),
    FirstReceivedAt: new Date(Number(record.attributes.ApproximateFirstReceiveTimestamp)).toISOString(),
    FailedAt: failure.now.toISOString(),
    CorrelationId: failure.correlationId,
  };
  const { MessageGroupId, MessageDeduplicationId } = record.attributes;
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: settings.deadLetterQueueUrl,
      MessageBody: record.body,
      MessageAttributes: Object.fromEntries(
        Object.entries(reasons)
          .filter((entry): entry is [string, string] => Boolean(entry[1]))
          .map(([name, reason]) => [name, { DataType: 'String', StringValue: attributeText(reason) }]),
      ),
      ...(MessageGroupId ? { MessageGroupId } : {}),
      ...(MessageDeduplicationId ? { MessageDeduplicationId } : {}),
    }),
  );
}

/** What SQS accepts as an attribute: no control characters, no halves of a surrogate pair. */
function attributeText(text: string): string {
  return text
    .replace(/[\p{Cc}\ufffe\uffff]/gu, ' ')
    .slice(0, MAX_ATTRIBUTE_LENGTH)
    .toWellFormed();
}

/**
 * Makes the record visible again after a delay that grows with its attempts, with full jitter, instead of after the
 * queue's whole visibility timeout. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function delayRetry(
  sqs: Pick<SQSClient, 'send'>,
  record: SQSRecord,
  settings: ConsumerSettings,
  random: () => number,
): Promise<void> {
  const bound = Math.min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2 ** (attemptsOf(record) - 1));
  await sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: settings.queueUrl,
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: Math.ceil(random() * bound),
    }),
  );
}
