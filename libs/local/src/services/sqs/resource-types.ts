import { type Attribute, arnOf, stableUuid } from '@millrace/cloudformation';
import { compilePolicy } from '@millrace/iam-policy';
import type { Input } from '../../core/access.ts';
import type { ResourceType } from '../../core/service.ts';
import {
  defaultAttributes,
  isSettableAttribute,
  type QueueAttributes,
  settableAttributes,
} from './attributes/queue-attributes.ts';
import type { Sqs } from './sqs.ts';

const queueUrl: Attribute = ({ awsUrl, accountId, name }) => `${awsUrl}/${accountId}/${name}`;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html */
export const sqsResourceTypes: Readonly<Record<string, ResourceType<Sqs>>> = {
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: arnOf('sqs', ({ name }) => name), QueueName: ({ name }) => name, QueueUrl: queueUrl },
    // A policy is a resource of its own.
    properties: ['QueueName', 'Tags', ...settableAttributes.filter((name) => name !== 'Policy')],
    create: ({ name, properties }, sqs) => createQueue(sqs, name, properties),
  },
  'AWS::SQS::QueuePolicy': {
    attributes: { Id: stableUuid },
    properties: ['Queues', 'PolicyDocument'],
    create: ({ properties }, sqs) => createQueuePolicies(sqs, properties),
  },
  'AWS::SQS::QueueInlinePolicy': {
    attributes: {},
    properties: ['Queue', 'PolicyDocument'],
    create: ({ properties }, sqs) => createQueuePolicies(sqs, properties),
  },
};

/** A policy is a resource of its own, which may have been taken out of the template: it is set after the queue. */
const CLEARED: QueueAttributes = { Policy: '', RedrivePolicy: '', RedriveAllowPolicy: '', KmsMasterKeyId: '' };

/**
 * Creates a queue as its properties say. One that is there keeps its messages and gets the attributes of the template, or their
 * default where the template does not set them.
 *
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
 * @throws AwsError as SQS has it, for instance for a value out of range
 */
async function createQueue({ api, queues }: Sqs, name: string, properties: Input): Promise<void> {
  const given = Object.fromEntries(
    Object.entries(properties).flatMap(([key, value]) =>
      // FifoQueue is either true or not there.
      value === undefined || !isSettableAttribute(key) || (key === 'FifoQueue' && String(value) === 'false')
        ? []
        : [[key, typeof value === 'object' ? JSON.stringify(value) : String(value)]],
    ),
  );
  const tags = tagsOf(properties.Tags);
  const existing = queues.get(name);
  if (!existing) {
    await api.call('CreateQueue', { QueueName: name, Attributes: given, tags });
    return;
  }
  const { SqsManagedSseEnabled, ...defaults } = defaultAttributes(existing.fifo);
  const ownKeys = given.KmsMasterKeyId === undefined && SqsManagedSseEnabled !== undefined && { SqsManagedSseEnabled };
  const Attributes = { ...CLEARED, ...defaults, ...ownKeys, ...given };
  await api.call('SetQueueAttributes', { QueueUrl: name, Attributes });
  await api.call('UntagQueue', { QueueUrl: name, TagKeys: Object.keys(existing.tags) });
  await api.call('TagQueue', { QueueUrl: name, Tags: tags });
}

/**
 * Gives queues their policy. It takes the place of the one they have.
 *
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queueinlinepolicy.html
 * @throws PolicyError for a policy that cannot be evaluated
 */
async function createQueuePolicies({ api }: Sqs, { PolicyDocument, Queues, Queue }: Input): Promise<void> {
  compilePolicy(PolicyDocument, 'resource-based', 'Properties.PolicyDocument');
  const Policy = typeof PolicyDocument === 'string' ? PolicyDocument : JSON.stringify(PolicyDocument);
  for (const queueUrl of Array.isArray(Queues) ? Queues : [Queue]) {
    await api.call('SetQueueAttributes', { QueueUrl: String(queueUrl), Attributes: { Policy } });
  }
}

function tagsOf(tags: unknown): Record<string, string> {
  const pairs = (Array.isArray(tags) ? tags : []) as { Key: unknown; Value: unknown }[];
  return Object.fromEntries(pairs.map(({ Key, Value }) => [String(Key), String(Value)]));
}
