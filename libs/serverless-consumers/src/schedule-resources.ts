import { acceptedTypes, type KnownEvent } from './event-names.ts';
import type { CfnResource, CfnValue, PolicyStatement } from './osls.ts';
import type { Platform } from './platform.ts';
import { onlyOverTls, queue, queuePolicy } from './queue-resources.ts';

/** A function that has events emitted later, by one-off schedules that it makes. */
export interface SchedulingFunction {
  /** Beginning of the logical ids: `SetTimeLimit`. */
  id: string;
  /** `functions.setTimeLimit`, for descriptions. */
  key: string;
  /** Of the group, and the beginning of the names of what belongs to it: `millrace-orders-dev-set-time-limit`. */
  name: string;
  events: readonly KnownEvent[];
  platform: Platform;
}

/** The name of the queue of what schedules could not put on the bus. */
export function scheduleDeadLetterQueueName(name: string): string {
  return `${name}-schedule-dlq`;
}

/**
 * The group that the function's schedules are in, the role with which EventBridge Scheduler puts their events on the bus, the
 * dead-letter queue for those that the bus does not take for a day, and two alarms: the first dead letter, and attempts that fail.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
 */
export function scheduleResources(scheduling: SchedulingFunction): Record<string, CfnResource> {
  const { id, key, name, platform } = scheduling;
  const deadLetters = scheduleDeadLetterQueueName(name);
  return {
    [`${id}ScheduleGroup`]: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: name } },
    [`${id}ScheduleRole`]: scheduleRole(scheduling),
    [`${id}ScheduleDeadLetterQueue`]: queue(deadLetters, platform.deadLetterRetention, {
      RedriveAllowPolicy: { redrivePermission: 'denyAll' },
    }),
    [`${id}ScheduleDeadLetterQueuePolicy`]: queuePolicy(`${id}ScheduleDeadLetterQueue`, [onlyOverTls]),
    [`${id}ScheduleDeadLetterQueueDepthAlarm`]: alarm(platform, `${name}-schedule-dlq-depth`, {
      AlarmDescription:
        `EventBridge Scheduler could not put the event of a schedule of ${key} on the bus for a day, or may not. It is in ` +
        `${deadLetters} with attributes that say why: the bus or the role is not what the schedule needs.`,
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [`${id}ScheduleDeadLetterQueue`, 'QueueName'] } }],
      Statistic: 'Maximum',
      EvaluationPeriods: 1,
    }),
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
    [`${id}ScheduleFailingAlarm`]: alarm(platform, `${name}-schedule-failing`, {
      AlarmDescription:
        `Schedules of ${key} have failed to put their events on the bus for five minutes: the bus or the role is not what they ` +
        `need. They are tried again for a day; then the events go to ${deadLetters}.`,
      Namespace: 'AWS/Scheduler',
      MetricName: 'TargetErrorCount',
      Dimensions: [{ Name: 'ScheduleGroup', Value: { Ref: `${id}ScheduleGroup` } }],
      Statistic: 'Sum',
      EvaluationPeriods: 5,
    }),
  };
}

/** The variables that the function's code reads to make schedules. */
export function scheduleEnvironment({ id, platform }: SchedulingFunction): Record<string, unknown> {
  return {
    MILLRACE_SCHEDULE_GROUP: { Ref: `${id}ScheduleGroup` },
    MILLRACE_SCHEDULE_ROLE_ARN: { 'Fn::GetAtt': [`${id}ScheduleRole`, 'Arn'] },
    MILLRACE_SCHEDULE_DLQ_ARN: { 'Fn::GetAtt': [`${id}ScheduleDeadLetterQueue`, 'Arn'] },
    MILLRACE_SCHEDULE_BUS_ARN: platform.eventBusArn,
  };
}

/**
 * The function's permissions: make and delete the schedules of its own group, and give them their role and no other.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
 */
export function scheduleStatements({ id, name }: Pick<SchedulingFunction, 'id' | 'name'>): PolicyStatement[] {
  return [
    {
      Effect: 'Allow',
      Action: ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
      Resource: {
        'Fn::Sub': `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule/${name}/*`,
      },
    },
    {
      Effect: 'Allow',
      Action: ['iam:PassRole'],
      Resource: { 'Fn::GetAtt': [`${id}ScheduleRole`, 'Arn'] },
      Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    },
  ];
}

/**
 * Assumed by EventBridge Scheduler for this group of this account alone. It puts these events on the bus, as the service that
 * owns them.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 */
function scheduleRole({ id, name, events, platform }: SchedulingFunction): CfnResource {
  const group: CfnValue = {
    'Fn::Sub': `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule-group/${name}`,
  };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'scheduler.amazonaws.com' },
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' }, 'aws:SourceArn': group } },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'schedules',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Action: ['events:PutEvents'],
                Resource: platform.eventBusArn,
                Condition: {
                  StringEquals: {
                    'events:source': [...new Set(events.map(({ source }) => source))],
                    'events:detail-type': acceptedTypes(events),
                  },
                },
              },
              {
                Effect: 'Allow',
                Action: ['sqs:SendMessage'],
                Resource: { 'Fn::GetAtt': [`${id}ScheduleDeadLetterQueue`, 'Arn'] },
              },
            ],
          },
        },
      ],
    },
  };
}

function alarm({ alarmTopicArn }: Platform, name: string, properties: Record<string, unknown>): CfnResource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: name,
      ...properties,
      Period: 60,
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [alarmTopicArn],
      OKActions: [alarmTopicArn],
    },
  };
}
