import type { ConsumerSettings } from './consume-options.ts';
import type { Consumer } from './consumer.ts';
import type { CfnResource } from './osls.ts';

/**
 * The queue the rule fills and the function empties, its dead-letter queue, and the rule's dead-letter queue. Messages
 * are encrypted with SQS's own key (SSE-SQS), which EventBridge can write to without a key policy.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html
 */
export function queueResources({ id, names, settings }: Consumer): Record<string, CfnResource> {
  return {
    [`${id}Queue`]: queue(names.queue, settings.retention, {
      VisibilityTimeout: settings.visibilityTimeout,
      RedrivePolicy: {
        deadLetterTargetArn: { 'Fn::GetAtt': [`${id}DeadLetterQueue`, 'Arn'] },
        maxReceiveCount: settings.maxReceiveCount,
      },
      ...fifoProperties(settings),
    }),
    [`${id}QueuePolicy`]: queuePolicy(`${id}Queue`, `${id}Rule`),
    [`${id}DeadLetterQueue`]: queue(names.deadLetterQueue, settings.deadLetterRetention, fifoProperties(settings)),
    [`${id}RuleDeadLetterQueue`]: queue(names.ruleDeadLetterQueue, settings.deadLetterRetention),
    [`${id}RuleDeadLetterQueuePolicy`]: queuePolicy(`${id}RuleDeadLetterQueue`, `${id}Rule`),
  };
}

function queue(name: string, retention: number, properties: Record<string, unknown> = {}): CfnResource {
  return {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: name, SqsManagedSseEnabled: true, MessageRetentionPeriod: retention, ...properties },
  };
}

/** EventBridge sends no deduplication id, so a FIFO queue must take one from the content. */
function fifoProperties({ fifo }: ConsumerSettings): Record<string, unknown> {
  return fifo ? { FifoQueue: true, ContentBasedDeduplication: true } : {};
}

/**
 * Lets this one rule send, and refuses whoever comes without TLS.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
 */
function queuePolicy(queueId: string, ruleId: string): CfnResource {
  const Resource = { 'Fn::GetAtt': [queueId, 'Arn'] };
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: queueId }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'OnlyThisRuleSends',
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource,
            Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [ruleId, 'Arn'] } } },
          },
          {
            Sid: 'OnlyOverTls',
            Effect: 'Deny',
            Principal: '*',
            Action: 'sqs:*',
            Resource,
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    },
  };
}
