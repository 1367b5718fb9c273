import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledService, compileTemplates } from '@millrace/workspace/packaging';

const lib = join(import.meta.dirname, '..');
const stages = ['dev', 'prod'] as const;
const compiled = new Map<string, CompiledService>();

beforeAll(async () => {
  for (const stage of stages) {
    const [orders] = await compileTemplates({
      directories: [join(lib, '..', '..', 'services', 'orders')],
      stage,
      region: 'us-east-1',
      cacheDirectory: join(lib, '.millrace', 'packages'),
    });
    if (orders) compiled.set(stage, orders);
  }
});

function properties(stage: (typeof stages)[number], id: string): Record<string, unknown> {
  return compiled.get(stage)?.template.Resources?.[id]?.Properties ?? {};
}
const statements = (stage: (typeof stages)[number], role: string) =>
  (properties(stage, role).Policies as { PolicyDocument: { Statement: object[] } }[]).flatMap(
    ({ PolicyDocument }) => PolicyDocument.Statement,
  );
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const sub = (text: string) => ({
  'Fn::Sub': text.replaceAll('{', '$' + '{').replace('arn:', `arn:\${AWS::Partition}:`),
});
const bus = { 'Fn::ImportValue': 'millrace-dev:EventBusArn' };

describe('a function that schedules events', () => {
  test('has a group with a role, a dead-letter queue and alarms', () => {
    const ids = Object.keys(compiled.get('dev')?.template.Resources ?? {});
    expect(ids.filter((id) => id.startsWith('SetTimeLimitSchedule')).sort()).toEqual([
      'SetTimeLimitScheduleDeadLetterQueue',
      'SetTimeLimitScheduleDeadLetterQueueDepthAlarm',
      'SetTimeLimitScheduleDeadLetterQueuePolicy',
      'SetTimeLimitScheduleFailingAlarm',
      'SetTimeLimitScheduleGroup',
      'SetTimeLimitScheduleRole',
    ]);
    expect(properties('dev', 'SetTimeLimitScheduleGroup')).toEqual({ Name: 'millrace-orders-dev-set-time-limit' });
    expect(properties('dev', 'SetTimeLimitScheduleDeadLetterQueue')).toMatchObject({
      QueueName: 'millrace-orders-dev-set-time-limit-schedule-dlq',
      RedriveAllowPolicy: { redrivePermission: 'denyAll' },
    });
    expect(properties('dev', 'SetTimeLimitScheduleFailingAlarm')).toMatchObject({
      Namespace: 'AWS/Scheduler',
      MetricName: 'TargetErrorCount',
      Dimensions: [{ Name: 'ScheduleGroup', Value: { Ref: 'SetTimeLimitScheduleGroup' } }],
    });
  });

  test('makes and deletes schedules of this group alone, and passes this role to EventBridge Scheduler alone', () => {
    expect(statements('dev', 'SetTimeLimitRole')).toEqual(
      expect.arrayContaining([
        {
          Effect: 'Allow',
          Action: ['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'],
          Resource: sub('arn:scheduler:{AWS::Region}:{AWS::AccountId}:schedule/millrace-orders-dev-set-time-limit/*'),
        },
        {
          Effect: 'Allow',
          Action: ['iam:PassRole'],
          Resource: arn('SetTimeLimitScheduleRole'),
          Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
        },
      ]),
    );
  });

  test('finds them in its variables', () => {
    expect(properties('dev', 'SetTimeLimitLambdaFunction').Environment).toMatchObject({
      Variables: {
        MILLRACE_SCHEDULE_GROUP: { Ref: 'SetTimeLimitScheduleGroup' },
        MILLRACE_SCHEDULE_ROLE_ARN: arn('SetTimeLimitScheduleRole'),
        MILLRACE_SCHEDULE_BUS_ARN: bus,
        MILLRACE_SCHEDULE_DLQ_ARN: arn('SetTimeLimitScheduleDeadLetterQueue'),
      },
    });
  });
});

describe('the role of its schedules', () => {
  test('is for schedules of this group of this account', () => {
    expect(properties('dev', 'SetTimeLimitScheduleRole').AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: {
            StringEquals: {
              'aws:SourceAccount': { Ref: 'AWS::AccountId' },
              'aws:SourceArn': sub(
                'arn:scheduler:{AWS::Region}:{AWS::AccountId}:schedule-group/millrace-orders-dev-set-time-limit',
              ),
            },
          },
        },
      ],
    });
  });

  test('puts this event of the service, and what it cannot put into the dead-letter queue', () => {
    expect(statements('dev', 'SetTimeLimitScheduleRole')).toEqual([
      {
        Effect: 'Allow',
        Action: ['events:PutEvents'],
        Resource: bus,
        Condition: {
          StringEquals: {
            'events:source': ['millrace.orders'],
            'events:detail-type': ['OrderTimeLimitReached.v1'],
          },
        },
      },
      { Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: arn('SetTimeLimitScheduleDeadLetterQueue') },
    ]);
  });

  test('may use the key of the stage, where the queue is encrypted with it', () => {
    expect(statements('prod', 'SetTimeLimitScheduleRole').at(-1)).toEqual({
      Effect: 'Allow',
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: { 'Fn::ImportValue': 'millrace-prod:DataKeyArn' },
    });
  });
});
