import { compilePolicy } from '@millrace/iam-policy';
import type { AwsError } from '../../core/aws-error.ts';
import { readTopicDeliveryPolicy } from './delivery-policy.ts';
import { notImplemented } from './errors.ts';
import { snsLimits } from './limits.ts';
import type { Topic } from './store/sns-store.ts';

/** Attributes that are not changed after the topic is created. */
export const fixedAttributes: ReadonlySet<string> = new Set(['FifoTopic']);

/** Roles and rates of delivery status logs: kept, as CloudWatch Logs are not on this machine. */
const feedback = /^(HTTP|SQS|Lambda|Firehose|Application)(Success|Failure)Feedback(RoleArn|SampleRate)$/;

/**
 * Checks an attribute of a topic.
 * https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
 *
 * @param refuse makes the error of the operation
 */
export function checkTopicAttribute(
  name: string,
  value: string,
  topic: Topic,
  refuse: (reason: string) => AwsError,
): void {
  switch (name) {
    case 'Policy':
      checkPolicy(value, refuse);
      return;
    case 'DeliveryPolicy':
      try {
        readTopicDeliveryPolicy(value);
      } catch (error) {
        throw refuse(`DeliveryPolicy: ${(error as Error).message}`);
      }
      return;
    case 'DisplayName':
      if (value.length > 100) throw refuse('DisplayName is longer than 100 characters');
      return;
    case 'SignatureVersion':
      if (value !== '1' && value !== '2') throw refuse('SignatureVersion must be 1 or 2');
      return;
    case 'TracingConfig':
      if (value !== 'PassThrough' && value !== 'Active') throw refuse('TracingConfig must be PassThrough or Active');
      return;
    case 'ContentBasedDeduplication':
      if (!isFifoTopic(topic)) throw refuse('Content-based deduplication can only be set for FIFO topics');
      if (value !== 'true' && value !== 'false') throw refuse('ContentBasedDeduplication must be true or false');
      return;
    case 'FifoThroughputScope':
      if (!isFifoTopic(topic)) throw refuse('FifoThroughputScope can only be set for FIFO topics');
      if (value !== 'Topic' && value !== 'MessageGroup')
        throw refuse('FifoThroughputScope must be Topic or MessageGroup');
      return;
    case 'KmsMasterKeyId':
      return;
    case 'ArchivePolicy':
      throw notImplemented('ArchivePolicy, with which messages are archived and replayed,');
    default:
      if (!feedback.test(name)) throw refuse(`unknown attribute ${name.slice(0, 100)}`);
  }
}

function isFifoTopic({ attributes }: Topic): boolean {
  return attributes.FifoTopic === 'true';
}

function checkPolicy(value: string, refuse: (reason: string) => AwsError): void {
  if (Buffer.byteLength(value) > snsLimits.policyBytes) throw refuse('Policy is larger than 30 KB');
  try {
    compilePolicy(value, 'resource-based', 'Policy');
  } catch (error) {
    throw refuse(`Policy Error: ${(error as Error).message}`);
  }
}

/** The policy of a topic without one of its own: its account may do everything with it. */
export function defaultPolicy(topicArn: string, accountId: string): string {
  const actions = ['Publish', 'RemovePermission', 'SetTopicAttributes', 'DeleteTopic', 'ListSubscriptionsByTopic'];
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [...actions, 'GetTopicAttributes', 'AddPermission', 'Subscribe'].map((action) => `SNS:${action}`),
        Resource: topicArn,
        Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
      },
    ],
  });
}
