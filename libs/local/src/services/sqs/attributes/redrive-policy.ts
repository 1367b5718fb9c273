import type { AwsError } from '../../../core/aws-error.ts';
import { invalidParameter } from '../errors.ts';
import { sqsLimits } from '../limits.ts';

/** Where messages go that were received too often. */
export interface RedrivePolicy {
  deadLetterTargetArn: string;
  maxReceiveCount: number;
}

/** Which queues may have a queue as their dead-letter queue. */
export interface RedriveAllowPolicy {
  redrivePermission: 'allowAll' | 'denyAll' | 'byQueue';
  sourceQueueArns?: string[];
}

const QUEUE_ARN = /^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+(\.fifo)?$/;
const MAX_SOURCES = 10;
const PERMISSIONS: readonly string[] = ['allowAll', 'denyAll', 'byQueue'];

/**
 * Reads a RedrivePolicy. `maxReceiveCount` may be a number or its text.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 * @throws AwsError InvalidParameterValueException
 * @example parseRedrivePolicy('{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:orders-dlq", "maxReceiveCount": 5}')
 */
export function parseRedrivePolicy(text: string): RedrivePolicy {
  const refuse = (reason: string): AwsError => invalidParameter('RedrivePolicy', text, reason);
  const { deadLetterTargetArn, maxReceiveCount, ...others } = parseObject(text, refuse);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`Unknown member ${unknown}.`);
  if (typeof deadLetterTargetArn !== 'string') throw refuse('Redrive policy does not contain deadLetterTargetArn.');
  if (maxReceiveCount === undefined) throw refuse('Redrive policy does not contain maxReceiveCount.');
  if (!QUEUE_ARN.test(deadLetterTargetArn)) throw refuse('Invalid value for deadLetterTargetArn.');
  const count =
    typeof maxReceiveCount === 'string' && /^\d+$/.test(maxReceiveCount) ? Number(maxReceiveCount) : maxReceiveCount;
  if (!Number.isInteger(count) || Number(count) < 1 || Number(count) > sqsLimits.maxReceiveCount) {
    throw refuse('Invalid value for maxReceiveCount: it must be a whole number from 1 to 1000.');
  }
  return { deadLetterTargetArn, maxReceiveCount: Number(count) };
}

/**
 * Reads a RedriveAllowPolicy.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
 * @throws AwsError InvalidParameterValueException
 * @example parseRedriveAllowPolicy('{"redrivePermission": "denyAll"}')
 */
export function parseRedriveAllowPolicy(text: string): RedriveAllowPolicy {
  const refuse = (reason: string): AwsError => invalidParameter('RedriveAllowPolicy', text, reason);
  const { redrivePermission, sourceQueueArns, ...others } = parseObject(text, refuse);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`Unknown member ${unknown}.`);
  if (typeof redrivePermission !== 'string' || !PERMISSIONS.includes(redrivePermission)) {
    throw refuse('redrivePermission must be allowAll, denyAll or byQueue.');
  }
  const permission = redrivePermission as RedriveAllowPolicy['redrivePermission'];
  if (permission !== 'byQueue') {
    if (sourceQueueArns !== undefined) throw refuse('sourceQueueArns can be given only with byQueue.');
    return { redrivePermission: permission };
  }
  if (!Array.isArray(sourceQueueArns) || sourceQueueArns.length === 0) throw refuse('byQueue needs sourceQueueArns.');
  if (sourceQueueArns.length > MAX_SOURCES) throw refuse(`sourceQueueArns can have at most ${MAX_SOURCES} queues.`);
  if (!sourceQueueArns.every((arn) => typeof arn === 'string' && QUEUE_ARN.test(arn))) {
    throw refuse('sourceQueueArns must be ARNs of queues.');
  }
  return { redrivePermission: permission, sourceQueueArns };
}

/** Whether a queue may have the one with this policy as its dead-letter queue. */
export function allowsRedrive(policy: RedriveAllowPolicy | undefined, sourceArn: string): boolean {
  switch (policy?.redrivePermission) {
    case 'denyAll':
      return false;
    case 'byQueue':
      return policy.sourceQueueArns?.includes(sourceArn) === true;
    default:
      return true;
  }
}

function parseObject(text: string, refuse: (reason: string) => AwsError): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('It is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('It is not a JSON object.');
  return { ...value };
}
