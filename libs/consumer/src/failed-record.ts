import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type FailureKind, failureAttributes, messageAttributes } from '@millrace/dead-letters';
import { MillraceError, PermanentError } from '@millrace/errors';
import { messageOf } from '@millrace/telemetry';
import type { SQSRecord } from 'aws-lambda';
import type { ConsumerSettings } from './settings.ts';

/** Upper bound of the first delay before a retry; it doubles with each attempt. */
const BASE_DELAY_SECONDS = 2;

/** Times this message has been received, this time included. */
export function attemptsOf(record: SQSRecord): number {
  return Number(record.attributes.ApproximateReceiveCount);
}

/** Decides whether another attempt can help. */
export function failureKindOf(error: unknown, record: SQSRecord, settings: ConsumerSettings): FailureKind | undefined {
  if (error instanceof PermanentError || isNoRequest(error)) return 'permanent';
  return attemptsOf(record) >= settings.maxReceiveCount ? 'exhausted' : undefined;
}

/**
 * Whether AWS says that what it was asked is no request: a key that is too long, an item that is too large, a text that is
 * none. It follows from the event, so it will be the same the next time.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
function isNoRequest(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { CancellationReasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
  return noRequestErrors.has(error.name) || CancellationReasons.some(({ Code }) => Code === 'ValidationError');
}

const noRequestErrors = new Set(['ValidationException', 'SerializationException']);

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
  const { kind, error, correlationId, now } = failure;
  const attempts = attemptsOf(record);
  const firstReceivedAt = new Date(Number(record.attributes.ApproximateFirstReceiveTimestamp));
  const reason = failureAttributes(
    {
      code: codeOf(error),
      message: messageOf(error),
      kind,
      consumer: settings.consumer,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      attempts,
      // When the first attempt began is all that SQS keeps of an earlier one.
      firstFailedAt: attempts > 1 ? firstReceivedAt : now,
      lastFailedAt: now,
      correlationId,
    },
    record.body,
  );
  const { MessageGroupId } = record.attributes;
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: settings.deadLetterQueueUrl,
      MessageBody: record.body,
      MessageAttributes: messageAttributes(reason, record.body),
      ...(MessageGroupId ? { MessageGroupId } : {}),
      // Not the message's own: SQS would take an event that dies again within five minutes for this one, and drop it.
      ...(settings.deadLetterQueueUrl.endsWith('.fifo') ? { MessageDeduplicationId: record.messageId } : {}),
    }),
  );
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
  const bound = Math.min(settings.maxRetryDelaySeconds, BASE_DELAY_SECONDS * 2 ** (attemptsOf(record) - 1));
  await setVisibility(sqs, record, settings, Math.ceil(random() * bound));
}

/**
 * Gives a record back at once. Of a message group that was stopped by a failure nothing comes again, the failed message
 * included, while any of its messages is still invisible.
 */
export async function release(
  sqs: Pick<SQSClient, 'send'>,
  record: SQSRecord,
  settings: ConsumerSettings,
): Promise<void> {
  await setVisibility(sqs, record, settings, 0);
}

async function setVisibility(
  sqs: Pick<SQSClient, 'send'>,
  { receiptHandle }: SQSRecord,
  { queueUrl }: ConsumerSettings,
  seconds: number,
): Promise<void> {
  await sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}
