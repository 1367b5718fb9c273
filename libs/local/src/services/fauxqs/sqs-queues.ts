import { AwsError } from '../../core/aws-error.ts';
import type { Fauxqs } from './fauxqs.ts';

/** Properties of AWS::SQS::Queue that are attributes of the same name. */
const ATTRIBUTES = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
] as const;

/** The properties of a queue that have an effect here, and its tags. */
export const QUEUE_PROPERTIES = ['QueueName', 'Tags', ...ATTRIBUTES] as const;

/** Attributes that a queue keeps from its creation. */
const FIXED = ['FifoQueue', 'DeduplicationScope', 'FifoThroughputLimit'];

/**
 * Creates a queue as its CloudFormation properties say. One that is already there keeps its messages and takes over the
 * attributes.
 *
 * @param properties the resolved properties of an AWS::SQS::Queue
 * @throws AwsError the service's own, e.g. for a value out of range
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
 */
export async function createQueue(
  fauxqs: Fauxqs,
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Promise<void> {
  const attributes = Object.fromEntries(
    ATTRIBUTES.flatMap((key) => {
      const value = properties[key];
      if (value === undefined) return [];
      return [[key, typeof value === 'object' ? JSON.stringify(value) : String(value)]];
    }),
  );
  try {
    await fauxqs.sqs('CreateQueue', { QueueName: name, Attributes: attributes });
  } catch (error) {
    if (!(error instanceof AwsError && error.code === 'QueueNameExists')) throw error;
    const { QueueUrl } = await fauxqs.sqs('GetQueueUrl', { QueueName: name });
    const changeable = Object.entries(attributes).filter(([key]) => !FIXED.includes(key));
    // A policy is a resource of its own, which may have been taken out of the template.
    const Attributes = { Policy: '', ...Object.fromEntries(changeable) };
    await fauxqs.sqs('SetQueueAttributes', { QueueUrl, Attributes });
  }
}
