import { durableLimits } from '@millrace/events/aws-limits';
import { checkRange, invalidParameter } from '../lambda-errors.ts';
import type { DurableConfig } from './execution-state.ts';

const MEMBERS: ReadonlySet<string> = new Set(['ExecutionTimeout', 'RetentionPeriodInDays', 'KMSKeyArn']);

/**
 * Reads what makes a function durable.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-durableconfig.html
 *
 * @throws AwsError for what Lambda would refuse, and by name for what is not here
 */
export function readDurableConfig(given: Readonly<Record<string, unknown>>): DurableConfig {
  const unknown = Object.keys(given).filter((member) => !MEMBERS.has(member));
  if (unknown.length > 0)
    throw invalidParameter(`DurableConfig: ${unknown.join(', ')} is not available on this machine`);
  const { ExecutionTimeout, RetentionPeriodInDays = durableLimits.retention.default, KMSKeyArn } = given;
  if (ExecutionTimeout === undefined) throw invalidParameter('DurableConfig: ExecutionTimeout is required');
  const { minimum, maximum } = durableLimits.retention;
  // CloudFormation may have numbers as text.
  const [executionTimeoutSeconds, retentionDays] = [Number(ExecutionTimeout), Number(RetentionPeriodInDays)];
  checkRange('ExecutionTimeout', executionTimeoutSeconds, 1, durableLimits.seconds);
  checkRange('RetentionPeriodInDays', retentionDays, minimum, maximum);
  return { executionTimeoutSeconds, retentionDays, ...(KMSKeyArn !== undefined && { kmsKeyArn: String(KMSKeyArn) }) };
}

/** As the API shows it. */
export function describeDurableConfig({ executionTimeoutSeconds, retentionDays, kmsKeyArn }: DurableConfig): object {
  return { ExecutionTimeout: executionTimeoutSeconds, RetentionPeriodInDays: retentionDays, KMSKeyArn: kmsKeyArn };
}

/** Seconds that a caller waits for the end of an execution at most. */
export const SYNCHRONOUS_SECONDS = 15 * 60;

/**
 * https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking.html#durable-invoking-qualified-arns
 * @throws AwsError InvalidParameterValueException
 */
export function requireQualifier(qualifier: string | undefined): void {
  if (qualifier === undefined) throw invalidParameter('You cannot invoke a durable function using an unqualified ARN.');
}
