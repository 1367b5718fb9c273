import type { AwsError } from '../../core/aws-error.ts';
import type { Invocation } from './schedule.ts';

/** Why EventBridge Scheduler gives up, where another attempt might have succeeded. */
export type ExhaustedCondition = 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';

/** The most that fits beside the attributes. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_BODY_BYTES = 1_048_576 - 16_384;

/**
 * The message for an invocation that failed.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
 *
 * @param condition left out for a permanent error
 */
export function deadLetterOf(
  { scheduleArn, target, scheduledAt, failedAttempts }: Invocation,
  {
    payload,
    executionId,
    error,
    condition,
  }: {
    payload: string;
    executionId: string;
    error: AwsError;
    condition: ExhaustedCondition | undefined;
  },
): { MessageBody: string; MessageAttributes: Record<string, { DataType: 'String'; StringValue: string }> } {
  const isTruncated = Buffer.byteLength(payload) > MAX_BODY_BYTES;
  const attributes = {
    ERROR_CODE: error.code,
    ERROR_MESSAGE: error.message,
    EXECUTION_ID: executionId,
    ...(condition && { EXHAUSTED_RETRY_CONDITION: condition }),
    IS_PAYLOAD_TRUNCATED: String(isTruncated),
    RETRY_ATTEMPTS: String(failedAttempts),
    SCHEDULED_TIME: `${new Date(scheduledAt).toISOString().slice(0, 19)}Z`,
    SCHEDULE_ARN: scheduleArn,
    TARGET_ARN: target.Arn,
  };
  return {
    MessageBody: isTruncated ? Buffer.from(payload).subarray(0, MAX_BODY_BYTES).toString() : payload,
    MessageAttributes: Object.fromEntries(
      // SQS refuses an attribute that is empty.
      Object.entries(attributes)
        .filter(([, value]) => value !== '')
        .map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
    ),
  };
}
