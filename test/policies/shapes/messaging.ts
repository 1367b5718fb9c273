import { feedsLake } from '../rules/lake.ts';
import {
  absent,
  between,
  computed,
  dataKey,
  each,
  either,
  everyOf,
  hasOwnKey,
  imported,
  judgedBy,
  matching,
  object,
  oneOf,
  optional,
  ownName,
  policy,
  reference,
  type ShapeContext,
  type TypeShape,
  text,
  when,
} from '../shape.ts';
import { isOnDefaultBus, referenceTo } from '../template.ts';

const day = 86_400;
/** As long as EventBridge can. */
const retryPolicy = object({ MaximumEventAgeInSeconds: oneOf(day), MaximumRetryAttempts: oneOf(185) });

/** The bus, what feeds from it, and what puts on it. */
export const messaging: Readonly<Record<string, TypeShape>> = {
  'AWS::Events::EventBus': {
    properties: {
      Name: when(
        ({ id }) => id === 'AnalyticsBus',
        ownNameOfStage('analytics'),
        computed(({ service }) => `millrace-${service.stage}`),
      ),
      Description: text,
      Policy: policy('bus-policy'),
    },
  },
  'AWS::Events::Archive': {
    properties: {
      ArchiveName: computed(({ service }) => `millrace-${service.stage}`),
      Description: text,
      SourceArn: oneOf({ 'Fn::GetAtt': ['EventBus', 'Arn'] }),
      KmsKeyIdentifier: dataKey,
      RetentionDays: computed(({ workspace }) => workspace.parameters.archiveRetentionDays),
    },
    removal: computed(({ workspace }) => workspace.parameters.removalPolicy),
  },
  'AWS::Events::Rule': {
    properties: {
      Name: ownName,
      Description: when(isScheduled, absent, text),
      EventBusName: when(
        isScheduled,
        absent,
        when(isAboutExecutions, absent, either(imported('AnalyticsBusName'), imported('EventBusName'))),
      ),
      EventPattern: when(
        isScheduled,
        absent,
        when(isAboutExecutions, judgedBy('failed-executions'), judgedBy('rule-patterns')),
      ),
      ScheduleExpression: optional(oneOf('rate(5 minutes)')), // the alarms of what it calls go by it
      State: when(isScheduled, oneOf('ENABLED'), absent),
      // What a rule of the shop's bus delivers is the event as it was put: no Input, InputPath or InputTransformer.
      Targets: when(
        isScheduled,
        each(
          object({
            Id: oneOf('sweepTimeLimitsSchedule', 'generateSlotsSchedule'),
            Arn: reference('AWS::Lambda::Function', 'Arn'),
          }),
          {
            most: 1,
          },
        ),
        when(
          feedsStream,
          each(
            object({
              Id: oneOf('lake'),
              Arn: reference('AWS::KinesisFirehose::DeliveryStream', 'Arn'),
              RoleArn: reference('AWS::IAM::Role', 'Arn'),
              RetryPolicy: retryPolicy,
              DeadLetterConfig: object({ Arn: judgedBy('dead-letter-queues') }),
            }),
            { most: 1 },
          ),
          each(
            object({
              Id: oneOf('queue'),
              Arn: reference('AWS::SQS::Queue', 'Arn'),
              RetryPolicy: retryPolicy,
              DeadLetterConfig: object({ Arn: judgedBy('dead-letter-queues') }),
              SqsParameters: optional(object({ MessageGroupId: text })),
              InputTransformer: when(isAboutExecutions, judgedBy('failed-executions'), absent),
            }),
            { most: 1 },
          ),
        ),
      ),
    },
  },
  'AWS::Scheduler::ScheduleGroup': { properties: { Name: ownName } },
  'AWS::Pipes::Pipe': {
    properties: {
      Name: ownName,
      Description: text,
      RoleArn: reference('AWS::IAM::Role', 'Arn'),
      Source: reference('AWS::SQS::Queue', 'Arn'),
      SourceParameters: object({
        SqsQueueParameters: object({ BatchSize: between(1, 100) }),
        FilterCriteria: object({ Filters: judgedBy('pipes') }),
      }),
      Enrichment: reference('AWS::Lambda::Function', 'Arn'),
      Target: judgedBy('pipes'),
      // It answers which messages have to come again.
      TargetParameters: object({ LambdaFunctionParameters: object({ InvocationType: oneOf('REQUEST_RESPONSE') }) }),
      Tags: judgedBy('tags'),
    },
  },
  'AWS::SQS::Queue': {
    properties: {
      QueueName: when(isRedriven, ownName, everyOf(ownName, matching(/-(dlq(\.fifo)?|parking)$/))), // commands find them by it
      SqsManagedSseEnabled: judgedBy('encryption-at-rest'),
      KmsMasterKeyId: dataKey,
      KmsDataKeyReusePeriodSeconds: when(hasOwnKey, between(300, 3600), absent), // by then a disabled key is felt
      MessageRetentionPeriod: judgedBy('queue-retention'),
      VisibilityTimeout: when(isRedriven, judgedBy('visibility-timeouts'), absent),
      RedrivePolicy: optional(
        object({
          deadLetterTargetArn: judgedBy('dead-letter-queues'),
          // Fewer, and one deployment or one throttled minute makes dead letters of healthy events.
          maxReceiveCount: between(3, 100),
        }),
      ),
      RedriveAllowPolicy: judgedBy('dead-letter-queues'),
      FifoQueue: optional(oneOf(true)),
      ContentBasedDeduplication: optional(oneOf(true)),
    },
  },
  'AWS::SQS::QueuePolicy': {
    properties: {
      Queues: each(reference('AWS::SQS::Queue'), { most: 1 }),
      PolicyDocument: policy('resource-policies'),
    },
  },
  'AWS::SNS::Topic': {
    properties: {
      TopicName: ownNameOfStage('alarms'),
      KmsMasterKeyId: oneOf({ Ref: 'AlarmTopicKey' }), // AWS's own key for SNS does not let CloudWatch publish
    },
  },
  'AWS::SNS::TopicPolicy': {
    properties: {
      Topics: each(reference('AWS::SNS::Topic'), { most: 1 }),
      PolicyDocument: policy('resource-policies'),
    },
  },
  'AWS::SNS::Subscription': {
    properties: {
      TopicArn: reference('AWS::SNS::Topic'),
      Protocol: oneOf('email'),
      Endpoint: oneOf({ Ref: 'AlarmEmailAddress' }),
      RedrivePolicy: object({ deadLetterTargetArn: judgedBy('dead-letter-queues') }),
    },
  },
};

/** Whether a rule calls a function at a rate, instead of feeding a queue with events. */
function isScheduled({ properties }: ShapeContext): boolean {
  return properties.ScheduleExpression !== undefined;
}

/** Whether a rule is on the default bus, for what Step Functions tells. */
function isAboutExecutions({ properties }: ShapeContext): boolean {
  return isOnDefaultBus(properties);
}

function feedsStream({ properties, service }: ShapeContext): boolean {
  return feedsLake({ properties }, service);
}

function isRedriven({ properties }: ShapeContext): boolean {
  return (
    referenceTo((properties.RedrivePolicy as { deadLetterTargetArn?: unknown })?.deadLetterTargetArn) !== undefined
  );
}

function ownNameOfStage(suffix: string) {
  return computed(({ service }) => `millrace-${service.stage}-${suffix}`);
}
