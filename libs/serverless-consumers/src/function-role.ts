import { ConfigurationError } from './configuration-error.ts';
import type { Consumer } from './consumer-definition.ts';
import { acceptedTypes, type KnownEvent } from './event-names.ts';
import type { CfnResource, CfnValue, FunctionConfiguration, PolicyStatement } from './osls.ts';
import { type SchedulingFunction, scheduleStatements } from './schedule-resources.ts';
import type { StreamConsumer } from './stream-consumer.ts';

/** What a function does, as far as permissions follow from it. */
export interface RoleSubject {
  /** `functions.onOrderPlaced`, for messages. */
  key: string;
  configuration: FunctionConfiguration;
  logGroupName: string;
  traced: boolean;
  consumer?: Consumer;
  streamConsumer?: StreamConsumer;
  /** The events it may put on the bus. */
  emits: KnownEvent[];
  scheduling?: SchedulingFunction;
  eventBusArn: CfnValue;
  analyticsBusArn: CfnValue;
  /** Set when it makes pseudonyms. */
  pseudonymKeyArn?: CfnValue;
}

/**
 * The execution role of one function: its log group, its queue or stream, the events it emits or schedules, and its
 * `iamRoleStatements`. The policies are inline, so that whatever depends on the role depends on its permissions too.
 * CloudFormation makes up the role's name: names of roles are global, and those of stacks in two regions would collide.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iam-role.html
 * @throws ConfigurationError CONSUMERS_UNSUPPORTED_EVENT_SOURCE
 */
export function functionRole(subject: RoleSubject): CfnResource {
  const { configuration } = subject;
  const statements = [
    ...(configuration.disableLogs ? [] : [logStatement(subject.logGroupName)]),
    ...(subject.traced ? [allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*')] : []),
    ...(subject.consumer ? consumerStatements(subject.consumer) : []),
    ...(subject.streamConsumer ? streamConsumerStatements(subject.streamConsumer) : []),
    ...eventSourceStatements(subject),
    ...emitStatements(subject),
    ...(subject.pseudonymKeyArn === undefined ? [] : [allow(['kms:GenerateMac'], subject.pseudonymKeyArn)]),
    ...(subject.scheduling ? scheduleStatements(subject.scheduling) : []),
    ...(configuration.iamRoleStatements ?? []),
  ];
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      ...(statements.length > 0 && {
        Policies: [{ PolicyName: 'function', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
      }),
    },
  };
}

/** The template creates the log group, so the function need not be allowed to. */
function logStatement(logGroupName: string): PolicyStatement {
  return allow(['logs:CreateLogStream', 'logs:PutLogEvents'], {
    'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${logGroupName}:*`,
  });
}

/**
 * Changing the visibility delays a retry; sending to the queue defers a message, which a FIFO queue does not take; sending to
 * the dead-letter queue is for messages no retry can help.
 */
function consumerStatements({ id, settings }: Consumer): PolicyStatement[] {
  const onQueue = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'];
  return [
    allow(settings.fifo ? onQueue : [...onQueue, 'sqs:SendMessage'], { 'Fn::GetAtt': [`${id}Queue`, 'Arn'] }),
    allow(['sqs:SendMessage'], { 'Fn::GetAtt': [`${id}DeadLetterQueue`, 'Arn'] }),
  ];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html */
function streamConsumerStatements({ id, settings }: StreamConsumer): PolicyStatement[] {
  const reading = ['DescribeStream', 'DescribeStreamSummary', 'GetRecords', 'GetShardIterator', 'ListShards'];
  return [
    allow(
      reading.map((action) => `kinesis:${action}`),
      settings.stream.arn,
    ),
    allow(['sqs:SendMessage'], { 'Fn::GetAtt': [`${id}DeadLetterQueue`, 'Arn'] }),
  ];
}

/** osls grants these to the role all functions share, which this plugin does away with. */
function eventSourceStatements({ key, configuration }: RoleSubject): PolicyStatement[] {
  return (configuration.events ?? []).flatMap(({ stream, sqs }, index) => {
    if (sqs !== undefined) {
      const arn = typeof sqs === 'string' ? sqs : sqs.arn;
      return [allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], arn)];
    }
    if (stream === undefined) return [];
    const arn = typeof stream === 'string' ? stream : stream.arn;
    const type = typeof stream === 'string' ? stream.split(':')[2] : stream.type;
    if (type !== 'dynamodb') {
      throw new ConfigurationError(
        'CONSUMERS_UNSUPPORTED_EVENT_SOURCE',
        `${key}.events[${index}].stream`,
        'only DynamoDB streams get their statements derived: give this function a role of its own',
      );
    }
    const onFailure = typeof stream === 'string' ? undefined : stream.destinations?.onFailure;
    return [
      allow(
        ['dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:DescribeStream', 'dynamodb:ListStreams'],
        arn,
      ),
      ...(onFailure === undefined ? [] : [onFailureStatement(onFailure)]),
    ];
  });
}

function onFailureStatement(onFailure: string | { arn: CfnValue; type?: string }): PolicyStatement {
  const arn = typeof onFailure === 'string' ? onFailure : onFailure.arn;
  const type = typeof onFailure === 'string' ? onFailure.split(':')[2] : onFailure.type;
  return allow([type === 'sns' ? 'sns:Publish' : 'sqs:SendMessage'], arn);
}

/**
 * A service puts only its own events on the bus: also those of versions before, which may be stored and not yet emitted. On the
 * analytics bus it puts the variants of those that declare some.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
 */
function emitStatements({ emits, eventBusArn, analyticsBusArn }: RoleSubject): PolicyStatement[] {
  const variants = emits.flatMap(({ analytics }) => analytics ?? []);
  const putOn = (arn: CfnValue, events: readonly KnownEvent[]): PolicyStatement[] =>
    events.length === 0
      ? []
      : [
          {
            ...allow(['events:PutEvents'], arn),
            Condition: {
              StringEquals: {
                'events:source': [...new Set(events.map(({ source }) => source))],
                'events:detail-type': acceptedTypes(events),
              },
            },
          },
        ];
  return [...putOn(eventBusArn, emits), ...putOn(analyticsBusArn, variants)];
}

function allow(Action: string[], Resource: CfnValue): PolicyStatement {
  return { Effect: 'Allow', Action, Resource };
}
