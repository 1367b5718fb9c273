import type { ConsumerSettings } from './consume-options.ts';
import type { Consumer } from './consumer-definition.ts';
import type { CfnResource, CfnValue } from './osls.ts';

/**
 * The queue the rule fills and the function empties, its dead-letter queue, and the rule's dead-letter queue. Messages
 * are encrypted with SQS's own key (SSE-SQS), which EventBridge can write to without a key policy. No other queue may
 * dead-letter into either of the two: their messages would say nothing about this consumer.
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
    [`${id}QueuePolicy`]: queuePolicy(`${id}Queue`, [onlyThisRuleSends(`${id}Rule`), onlyOverTls]),
    [`${id}DeadLetterQueue`]: queue(names.deadLetterQueue, settings.deadLetterRetention, {
      RedriveAllowPolicy: { redrivePermission: 'byQueue', sourceQueueArns: [queueArn(names.queue)] },
      ...fifoProperties(settings),
    }),
    [`${id}DeadLetterQueuePolicy`]: queuePolicy(`${id}DeadLetterQueue`, [onlyOverTls]),
    [`${id}RuleDeadLetterQueue`]: queue(names.ruleDeadLetterQueue, settings.deadLetterRetention, {
      RedriveAllowPolicy: { redrivePermission: 'denyAll' },
    }),
    [`${id}RuleDeadLetterQueuePolicy`]: queuePolicy(`${id}RuleDeadLetterQueue`, [
      onlyThisRuleSends(`${id}Rule`),
      onlyOverTls,
    ]),
  };
}

/** A queue with SQS's own key. */
export function queue(name: string, retention: number, properties: Record<string, unknown>): CfnResource {
  return {
    Type: 'AWS::SQS::Queue',
    Properties: { QueueName: name, SqsManagedSseEnabled: true, MessageRetentionPeriod: retention, ...properties },
  };
}

/** EventBridge sends no deduplication id, so a FIFO queue must take one from the content. */
function fifoProperties({ fifo }: ConsumerSettings): Record<string, unknown> {
  return fifo ? { FifoQueue: true, ContentBasedDeduplication: true } : {};
}

/** Not `Fn::GetAtt`: the queue refers to its dead-letter queue, which would then refer back to it. */
function queueArn(name: string): CfnValue {
  return { 'Fn::Sub': `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:${name}` };
}

export type Statement = (resource: CfnValue) => Record<string, unknown>;

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions */
function onlyThisRuleSends(ruleId: string): Statement {
  return (Resource) => ({
    Sid: 'OnlyThisRuleSends',
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource,
    Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [ruleId, 'Arn'] } } },
  });
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html */
export const onlyOverTls: Statement = (Resource) => ({
  Sid: 'OnlyOverTls',
  Effect: 'Deny',
  Principal: '*',
  Action: 'sqs:*',
  Resource,
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
});

/** The policy of a queue. */
export function queuePolicy(queueId: string, statements: Statement[]): CfnResource {
  const arn = { 'Fn::GetAtt': [queueId, 'Arn'] };
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [{ Ref: queueId }],
      PolicyDocument: { Version: '2012-10-17', Statement: statements.map((statement) => statement(arn)) },
    },
  };
}
