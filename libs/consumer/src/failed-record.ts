import { ChangeMessageVisibilityCommand, type Sqs } from '@millrace/aws';
import { type FailureKind, failureAttributes, messageAttributes } from '@millrace/dead-letters';
import { isUnavailable, MillraceError, PermanentError } from '@millrace/errors';
import { messageOf } from '@millrace/privacy';
import { fullJitter } from '@millrace/retry';
import { type Logger, MetricUnit, metrics } from '@millrace/telemetry';
import type { SQSRecord } from 'aws-lambda';
import { defer, isDeferrable, isPastRetention } from './deferral.ts';
import { attemptsOf, firstFailedAt, historyOf } from './history.ts';
import type { LetterBox } from './letter-box.ts';
import type { ConsumerSettings } from './settings.ts';

/** Upper bound of the first delay before a retry, in seconds; it doubles with each attempt. */
const FIRST_BOUND = 2;

/** A record that was not handled, and why. */
export interface FailedRecord {
  record: SQSRecord;
  error: unknown;
  log: Logger;
  correlationId?: string | undefined;
}

/** Where the failed records of a consumer go. */
export interface FailureDependencies {
  sqs: Sqs;
  /** Of its dead-letter queue. */
  letterBox: LetterBox;
  settings: ConsumerSettings;
  now: () => Date;
  random: () => number;
}

/**
 * Decides what becomes of a record that was not handled: deferred when a dependency is unavailable, a dead letter when no
 * retry can help or none is left, and otherwise retried.
 *
 * @returns when the record may be acknowledged, because SQS has its copy: `EventDeferred`, or undefined for a dead letter
 * @throws the record's error when it is to come again
 */
export async function settleFailure(
  failed: FailedRecord,
  dependencies: FailureDependencies,
): Promise<'EventDeferred' | undefined> {
  const { record, error, log } = failed;
  const { sqs, settings, random } = dependencies;
  const now = dependencies.now();
  const details = { error_code: codeOf(error), attempt: attemptsOf(record), message_id: record.messageId };
  const deferrable = isUnavailable(error) && isDeferrable(record);
  const expired = deferrable && isPastRetention(record, settings, now);
  if (deferrable && !expired) {
    try {
      await defer(record, { error, sqs, settings, now, random });
      const deferrals = historyOf(record).deferrals + 1;
      log.warn('Event deferred: a dependency is unavailable', { ...details, deferrals, error: error as Error });
      return 'EventDeferred';
    } catch (failure) {
      // SQS itself is in trouble, or the copy is too large with its attributes: retried as any other failure.
      log.warn('Event could not be deferred', { ...details, error: failure as Error });
    }
  }
  metrics.addMetric('EventFailed', MetricUnit.Count, 1);
  const kind = expired ? 'exhausted' : failureKindOf(error, record, settings);
  if (kind) {
    log.error('Event goes to the dead-letter queue', { ...details, failure_kind: kind, error: error as Error });
    await sendToDeadLetterQueue(failed, kind, dependencies);
    return undefined;
  }
  log.warn('Event failed and will be retried', { ...details, error: error as Error });
  await delayRetry(record, dependencies).catch((failure: Error) => {
    // Without it the record comes back after the queue's visibility timeout: later, but it comes back.
    log.warn('The retry delay could not be set', { error: failure });
  });
  throw error;
}

/** Decides whether another attempt can help. */
export function failureKindOf(error: unknown, record: SQSRecord, settings: ConsumerSettings): FailureKind | undefined {
  if (error instanceof PermanentError || isInvalidRequest(error)) return 'permanent';
  return attemptsOf(record) >= settings.maxReceiveCount ? 'exhausted' : undefined;
}

/**
 * True if AWS rejected the request as invalid: a key that is too long, an item that is too large, a string that is not
 * valid Unicode. It follows from the event, so retrying cannot help.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
function isInvalidRequest(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { CancellationReasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
  return invalidRequestErrors.has(error.name) || CancellationReasons.some(({ Code }) => Code === 'ValidationError');
}

const invalidRequestErrors = new Set(['ValidationException', 'SerializationException']);

/** Stable code of any error: its own, else its class name. */
function codeOf(error: unknown): string {
  if (error instanceof MillraceError) return error.code;
  return error instanceof Error ? error.name : 'Error';
}

/**
 * Sends a copy of the record, body unchanged, to the dead-letter queue with the reason as message attributes. When this
 * resolves SQS has stored the copy, and only then may the record be acknowledged: dying in between leaves it in both
 * queues, never in neither.
 */
async function sendToDeadLetterQueue(
  { record, error, correlationId }: FailedRecord,
  kind: FailureKind,
  dependencies: FailureDependencies,
): Promise<void> {
  const { letterBox, settings } = dependencies;
  const now = dependencies.now();
  const { deferrals, firstSentAt } = historyOf(record);
  const deferred = deferrals > 0 ? ` (deferred ${deferrals} times since ${firstSentAt.toISOString()})` : '';
  const reason = failureAttributes(
    {
      code: codeOf(error),
      message: `${messageOf(error)}${deferred}`,
      kind,
      consumer: settings.consumer,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      attempts: attemptsOf(record),
      firstFailedAt: firstFailedAt(record, now),
      lastFailedAt: now,
      correlationId,
    },
    record.body,
  );
  const { MessageGroupId } = record.attributes;
  await letterBox.send({
    MessageBody: record.body,
    MessageAttributes: messageAttributes(reason, record.body),
    ...(MessageGroupId ? { MessageGroupId } : {}),
    // Not the message's own: SQS would take an event that dies again within five minutes for this one, and drop it.
    ...(settings.deadLetterQueueUrl.endsWith('.fifo') ? { MessageDeduplicationId: record.messageId } : {}),
  });
}

/**
 * Makes the record visible again after a delay that grows with its attempts, with full jitter, instead of after the
 * queue's whole visibility timeout. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
async function delayRetry(record: SQSRecord, { sqs, settings, random }: FailureDependencies): Promise<void> {
  const bounds = { random, firstBound: FIRST_BOUND, longestBound: settings.maxRetryDelaySeconds };
  await setVisibility(sqs, record, settings, Math.ceil(fullJitter(attemptsOf(record), bounds)));
}

/**
 * Gives a record back at once. Of a message group that was stopped by a failure nothing comes again, the failed message
 * included, while any of its messages is still invisible.
 */
export async function release(sqs: Sqs, record: SQSRecord, settings: ConsumerSettings): Promise<void> {
  await setVisibility(sqs, record, settings, 0);
}

async function setVisibility(
  sqs: Sqs,
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
